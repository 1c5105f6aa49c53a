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
WIDTH_STEP = 8
"""Widths of batches by positions are multiples of this."""


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


def by_size(lengths: Integers, batch_size: int, draw: np.random.Generator) -> Iterator[Integers]:
    """Indices of each batch of `batch_size` examples, those of similar length together."""
    order = draw.permutation(len(lengths))
    for start in range(0, len(order), _POOL * batch_size):
        chunk = order[start : start + _POOL * batch_size]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        yield from (chunk[at : at + batch_size] for at in range(0, len(chunk), batch_size))


def by_positions(lengths: Integers, positions: int, draw: np.random.Generator) -> Iterator[Integers]:
    """Indices of each batch of as many examples as `positions` hold, padded to the next `WIDTH_STEP`.

    A width always comes with the same number of rows (but for the last batch of an epoch): few shapes, for which kernels are made once.
    Within a width those of one length come together: a device that takes any shape needs next to no padding.
    """
    widths = width_of(lengths)
    for width in np.unique(widths):
        members = draw.permutation(np.flatnonzero(widths == width))
        rows = max(1, positions // int(width))
        for start in range(0, len(members), _POOL * rows):
            chunk = members[start : start + _POOL * rows]
            chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
            yield from (chunk[at : at + rows] for at in range(0, len(chunk), rows))


def width_of(lengths: Integers) -> Integers:
    """Lengths rounded up to a multiple of `WIDTH_STEP`."""
    return -(-lengths // WIDTH_STEP) * WIDTH_STEP


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
