"""A tagger's labels for encoded sentences, in batches of like length."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import torch
from tqdm.auto import tqdm

from modeling.batches import epoch_batches, token_batch

POSITIONS_A_BATCH = 8192
"""Phoneme positions in one batch: long sentences come in small batches, short ones in large."""


def device() -> torch.device:
    """The accelerator where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@torch.inference_mode()
def logits(model: Any, examples: Sequence[dict[str, list[int]]], pad_id: int, progress: str | None = None) -> list[torch.Tensor]:
    """(positions, labels) scores of each example in float32, in the order given; they do not depend on the batch."""
    model = model.to(device()).eval()
    found: list[torch.Tensor] = [torch.empty(0)] * len(examples)
    lengths = [len(example["input_ids"]) for example in examples]
    with tqdm(
        total=len(examples), desc=progress, unit="sentence", disable=progress is None or not sys.stderr.isatty(), file=sys.stderr, leave=False
    ) as bar:
        for indices in _batches(lengths):
            batch = token_batch([{"input_ids": examples[i]["input_ids"]} for i in indices], pad_id)
            scores = model(**{name: tensor.to(device()) for name, tensor in batch.items()}).logits.float().cpu()
            for row, i in enumerate(indices):
                found[i] = scores[row, : lengths[i]].clone()
            bar.update(len(indices))
    return found


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    order = [i for batch in epoch_batches(lengths, max(1, len(lengths)), 0, 0, shuffle=False) for i in batch]
    batches: list[list[int]] = []
    for i in order:  # sorted by length, so the last one of a batch is its longest
        if batches and lengths[i] * (len(batches[-1]) + 1) <= POSITIONS_A_BATCH:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches


def predictions(model: Any, examples: Sequence[dict[str, list[int]]], pad_id: int, progress: str | None = None) -> list[list[int]]:
    """The best label of each position."""
    return [scores.argmax(-1).tolist() for scores in logits(model, examples, pad_id, progress)]
