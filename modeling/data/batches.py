"""Which examples make which batch, known from the seed alone: so that a resumed run sees what an uninterrupted one would."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

_POOL = 50
"""Batches sorted by length together: long enough for even batches, short enough to stay random."""

LABEL_PAD = -100


def epoch_batches(lengths: Sequence[int], batch_size: int, seed: int, epoch: int, shuffle: bool = True) -> list[list[int]]:
    """Indices of each batch of an epoch, examples of like length together."""
    order = list(range(len(lengths)))
    if not shuffle:
        order.sort(key=lambda i: lengths[i])
        return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    generator = random.Random(f"{seed}/{epoch}")
    generator.shuffle(order)
    pool = _POOL * batch_size
    batches = []
    for start in range(0, len(order), pool):
        chunk = sorted(order[start : start + pool], key=lambda i: lengths[i])
        batches += [chunk[i : i + batch_size] for i in range(0, len(chunk), batch_size)]
    generator.shuffle(batches)
    return batches


def padded(rows: Sequence[Sequence[int]], value: int) -> torch.Tensor:
    """(rows, longest) tensor of the rows, filled up with `value`: padded to the batch and not to the model's maximum."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows], dtype=torch.long)


def token_batch(rows: Sequence[dict[str, list[int]]], pad_id: int) -> dict[str, torch.Tensor]:
    """`input_ids`, `attention_mask` and, where the rows have them, `labels` and `originals` (-100 at padding), each (rows, longest)."""
    input_ids = padded([row["input_ids"] for row in rows], pad_id)
    mask = padded([[1] * len(row["input_ids"]) for row in rows], 0)
    batch = {"input_ids": input_ids, "attention_mask": mask}
    for name in {"labels", "originals"} & rows[0].keys():
        batch[name] = padded([row[name] for row in rows], LABEL_PAD)
    return batch
