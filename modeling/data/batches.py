"""Which examples make which batch, known from the seed alone: so that a resumed run sees what an uninterrupted one would."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from conlipa.modeling.data.ragged import Integers

_POOL = 50
"""Batches sorted by length together: long enough for even batches, short enough to stay random."""

LABEL_PAD = -100


def epoch_batches(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Indices of each batch of an epoch, examples of similar length together."""
    order = list(range(len(lengths)))
    generator = random.Random(f"{seed}/{epoch}")
    generator.shuffle(order)
    pool = _POOL * batch_size
    batches = []
    for start in range(0, len(order), pool):
        chunk = sorted(order[start : start + pool], key=lambda i: lengths[i])
        batches += [chunk[i : i + batch_size] for i in range(0, len(chunk), batch_size)]
    generator.shuffle(batches)
    return batches


def bucketed(lengths: Integers, batch_size: int, positions: int | None, draw: np.random.Generator) -> Iterator[Integers]:
    """Indices of each batch, examples of similar length together: `batch_size` examples, or as many as `positions` hold with their padding."""
    order = draw.permutation(len(lengths))
    pool = _POOL * (batch_size if positions is None else max(1, int(positions / max(1.0, float(lengths.mean())))))
    for start in range(0, len(order), pool):
        chunk = order[start : start + pool]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        at = 0
        while at < len(chunk):
            widths = lengths[chunk[at:]]
            many = batch_size if positions is None else max(1, int(np.searchsorted(np.arange(1, len(widths) + 1) * widths, positions, side="right")))
            yield chunk[at : at + many]
            at += many


def padded(rows: Sequence[Sequence[int]], value: int) -> torch.Tensor:
    """(rows, longest) tensor of the rows, filled up with `value`: padded to the batch and not to the model's maximum."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows], dtype=torch.long)


def token_batch(rows: Sequence[dict[str, list[int]]], pad_id: int) -> dict[str, torch.Tensor]:
    """`input_ids`, `attention_mask` and, where the rows have them, `labels` (-100 at padding), each (rows, longest)."""
    input_ids = padded([row["input_ids"] for row in rows], pad_id)
    mask = padded([[1] * len(row["input_ids"]) for row in rows], 0)
    batch = {"input_ids": input_ids, "attention_mask": mask}
    if "labels" in rows[0]:
        batch["labels"] = padded([row["labels"] for row in rows], LABEL_PAD)
    return batch
