"""The losses of the loop that landed first (192ed3a), on the same batches: what made training faster changed nothing of what is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import RobertaConfig, RobertaForTokenClassification

from conlipa.modeling.recipe import Ner
from conlipa.modeling.training.loop import train
from conlipa.modeling.training.ner import NerModule

LANDED = Path(__file__).with_name("landed_losses.json")
"""By optimiser: 50 losses that the loop of 192ed3a gave for `FixedBatches`, in float32."""
STEPS = 50


class FixedBatches:
    """A small encoder and 50 batches that depend on nothing but PyTorch's generator."""

    name = "ner"

    def __init__(self, settings: Any, module_of: Any) -> None:
        torch.manual_seed(0)
        shape = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 96, "max_position_embeddings": 40}
        none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        self.settings = settings
        self.module = module_of(RobertaForTokenClassification(RobertaConfig(vocab_size=60, num_labels=7, type_vocab_size=1, **shape, **none)))
        self.rows = [self._made() for _ in range(STEPS)]

    @staticmethod
    def _made() -> dict[str, torch.Tensor]:
        ids, lengths = torch.randint(5, 60, (6, 30)), torch.randint(10, 31, (6, 1))
        mask = (torch.arange(30) < lengths).long()
        labels = torch.where(mask.bool(), ids % 7, -100)  # there is something to learn
        return {"input_ids": torch.where(mask.bool(), ids, 1), "attention_mask": mask, "labels": labels}

    def batches(self, epoch: int) -> list[list[int]]:
        return [[number] for number in range(STEPS)]

    def collate(self, indices: list[int], step: int = 0) -> dict[str, torch.Tensor]:
        return self.rows[indices[0]]

    def save(self, folder: Path) -> None:
        """Nothing: the losses count."""


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_fifty_losses_are_those_of_the_landed_loop(optimizer: str, tmp_path: Path) -> None:
    settings = Ner(epochs=1, optimizer=optimizer, learning_rate=2e-3, weight_decay=0.1, warmup_ratio=0.1, log_every=1, checkpoint_every=1000)
    record = train(FixedBatches(settings, NerModule), tmp_path / "out", tmp_path / "work", {})
    losses = [entry["loss"] for entry in record["loss"]]
    assert len(losses) == STEPS
    assert losses == pytest.approx(json.loads(LANDED.read_text(encoding="utf-8"))[optimizer], rel=1e-5)
    assert losses[-1] < losses[0] / 2
