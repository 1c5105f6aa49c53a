"""Stage 1: token classification on source languages (section 3 of the first paper)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from modeling.batches import LABEL_PAD, epoch_batches, token_batch
from modeling.corpus import Corpus, encoded
from modeling.encoder import pretrained_encoder, save_tagger
from modeling.recipe import Ner, Recipe

Batch = dict[str, torch.Tensor]
Terms = list[tuple[torch.Tensor, torch.Tensor]]
"""A loss as `(sum, count)` terms: the loop divides each sum by the count over all processes."""


class NerModule(nn.Module):
    """The tagger as a loss: summed cross-entropy over positions, and their number."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> Terms:
        logits = self.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        labels = batch["labels"]
        loss = nn.functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=LABEL_PAD, reduction="sum")
        return [(loss, (labels != LABEL_PAD).sum())]


class NerStage:
    """What the loop trains in stage 1."""

    name = "ner"

    def __init__(self, recipe: Recipe, corpus: Corpus) -> None:
        self.settings: Ner = recipe.ner
        model, self.tokenizer = pretrained_encoder(recipe.encoder)
        self.module = NerModule(model)
        rows = (row for lang in recipe.ner.languages for row in corpus.split(lang, "train"))
        self.examples = encoded(rows, self.tokenizer, recipe.encoder.max_length)
        self.lengths = [len(example["input_ids"]) for example in self.examples]

    def batches(self, epoch: int) -> list[list[int]]:
        return epoch_batches(self.lengths, self.settings.batch_size, self.settings.seed, epoch)

    def collate(self, indices: Sequence[int]) -> Batch:
        return token_batch([self.examples[i] for i in indices], self.tokenizer.pad_token_id)

    def save(self, folder: Path) -> None:
        save_tagger(self.module.model, self.tokenizer, folder)
