"""Stage 1: token classification on source languages (section 3 of the first paper)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from accelerate import PartialState
from torch import nn

from conlipa.errors import ConlipaError
from conlipa.modeling.data.batches import LABEL_PAD
from conlipa.modeling.data.packed_corpus import PackedCorpus
from conlipa.modeling.data.ragged import Integers
from conlipa.modeling.data.sentences import Sentences
from conlipa.modeling.encoder import attention_of, pretrained_encoder, save_tagger, with_short_attention
from conlipa.modeling.recipe import LabelBias, Ner, Recipe
from conlipa.modeling.training.depth import check_depth, deepened

if TYPE_CHECKING:
    from conlipa.modeling.data.corpus import Corpus

Batch = dict[str, torch.Tensor]
Terms = list[tuple[torch.Tensor, torch.Tensor]]
"""A loss as `(sum, count)` terms: the loop divides each sum by the count over all processes."""


def logits_of(model: Any, batch: Batch) -> torch.Tensor:
    """(rows, positions, labels) scores of a batch."""
    attention = attention_of(model, batch["attention_mask"])
    return cast(torch.Tensor, model(input_ids=batch["input_ids"], attention_mask=attention).logits)


def tagging_loss(logits: torch.Tensor, labels: torch.Tensor, bias: torch.Tensor, label_smoothing: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss term of scores (rows, positions, labels); `bias` (labels,): what they hold already, and training is not to take back."""
    logits = (logits.float() - bias).flatten(0, 1)
    loss = nn.functional.cross_entropy(logits, labels.flatten(), ignore_index=LABEL_PAD, reduction="sum", label_smoothing=label_smoothing)
    return loss, (labels != LABEL_PAD).sum()


class NerModule(nn.Module):
    """The tagger as a loss: summed cross-entropy over positions, and their number."""

    bias: torch.Tensor

    def __init__(self, model: Any, label_smoothing: float = 0.0, bias: LabelBias | None = None) -> None:
        """`bias`: what the model's scores hold already, and its training is not to take back."""
        super().__init__()
        self.model, self.label_smoothing = model, label_smoothing
        self.register_buffer("bias", torch.tensor((bias or LabelBias()).of_labels()), persistent=False)

    def forward(self, batch: Batch) -> Terms:
        return [tagging_loss(logits_of(self.model, batch), batch["labels"], self.bias, self.label_smoothing)]


class DenoisingModule(NerModule):
    """The tagger's loss, and that of guessing the phonemes that augmentation changed, by a head that is not kept."""

    def __init__(self, model: Any, settings: Ner) -> None:
        super().__init__(model, settings.label_smoothing)
        self.tag_weight, self.denoise_weight = settings.tag_weight, settings.denoise_weight
        width = model.config.hidden_size
        self.head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width), nn.Linear(width, model.config.vocab_size))

    def forward(self, batch: Batch) -> Terms:
        attention = attention_of(self.model, batch["attention_mask"])
        out = self.model(input_ids=batch["input_ids"], attention_mask=attention, output_hidden_states=True)
        tagging, labels = tagging_loss(out.logits, batch["labels"], self.bias, self.label_smoothing)
        changed = batch["originals"] != LABEL_PAD
        guesses = self.head(out.hidden_states[-1][changed]).float()
        denoising = nn.functional.cross_entropy(guesses, batch["originals"][changed], reduction="sum")
        return [(self.tag_weight * tagging, labels), (self.denoise_weight * denoising, changed.sum().clamp(min=1))]


def check_start(recipe: Recipe, config: Any) -> None:
    """Raises ConlipaError where a run cannot start from a model of this configuration: it is of another shape, or deeper."""
    encoder = recipe.encoder
    shape = {
        "hidden_size": config.hidden_size,
        "heads": config.num_attention_heads,
        "intermediate_size": config.intermediate_size,
        "max_positions": config.max_position_embeddings,
    }
    for name, there in shape.items():
        if there != getattr(encoder, name):
            raise ConlipaError(f"ner.start: {recipe.ner.start} has {there} as its {name}, and encoder.{name} is {getattr(encoder, name)}")
    check_depth(config.num_hidden_layers, encoder.layers)


def _set_dropout(model: Any, dropout: float) -> None:
    model.config.hidden_dropout_prob = model.config.attention_probs_dropout_prob = dropout
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = dropout


class NerStage:
    """What the loop trains in stage 1."""

    name = "ner"

    def __init__(self, recipe: Recipe, corpus: Corpus | PackedCorpus, languages: Sequence[str], start: Path | None = None) -> None:
        """`languages`: those of the recipe that the corpus has; `start`: the model folder to start from."""
        self.settings: Ner = recipe.ner
        model, self.tokenizer = pretrained_encoder(replace(recipe.encoder, repo=str(start)) if start else recipe.encoder)
        if start and not recipe.encoder.repo:  # a repo's shape is its own
            check_start(recipe, model.config)
            model = deepened(model, recipe.encoder.layers)
            _set_dropout(model, recipe.encoder.dropout)
        with_short_attention(model)
        plain = recipe.ner.tag_weight == 1.0 and not recipe.ner.denoise_weight
        self.module = NerModule(model, recipe.ner.label_smoothing) if plain else DenoisingModule(model, recipe.ner)
        self.sentences = Sentences(corpus, languages, recipe.ner, self.tokenizer, recipe.encoder.max_length, recipe.encoder.input_kind)
        self.sentences.check_rows(PartialState().num_processes)

    def batches(self, epoch: int) -> Sequence[Integers]:
        return self.sentences.epoch(epoch, self.settings.batch_size, self.settings.seed, exact=True)

    def collate(self, indices: Integers) -> Batch:
        return self.sentences.batch(indices)

    def save(self, folder: Path) -> None:
        save_tagger(self.module.model, self.tokenizer, folder, self.settings.label_bias)
