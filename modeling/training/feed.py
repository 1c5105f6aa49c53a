"""The batches of a run, in order: known from the seed, made ahead by workers where there is a GPU to feed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from accelerate import Accelerator
from torch.utils.data import IterableDataset, get_worker_info

_WORKERS = 4
"""Processes that make batches for a GPU. On a CPU there is none: they would take the cores from the model, for which a batch is made in no time."""

Parts = list[dict[str, torch.Tensor]]


class Feed:
    """This process's share of each batch, every n-th example of n processes, in the parts that it goes through the model in."""

    def __init__(self, stage: Any, accelerator: Accelerator, epochs: int | None) -> None:
        """`epochs`: None for a run by the clock, which takes epoch after epoch."""
        self.stage = stage
        self.process, self.processes = accelerator.process_index, accelerator.num_processes
        self.parts = getattr(stage.settings, "accumulate", 1)
        self.epochs = epochs
        self.workers = _WORKERS if torch.cuda.is_available() else 0
        self._sizes: list[int] = []
        self._made: tuple[int, Sequence[Any]] = (-1, ())
        self.total = None if epochs is None else sum(self._size(epoch) for epoch in range(epochs))

    def _size(self, epoch: int) -> int:
        """Batches of an epoch."""
        while len(self._sizes) <= epoch:
            self._sizes.append(len(self._epoch(len(self._sizes))))
        return self._sizes[epoch]

    def _epoch(self, epoch: int) -> Sequence[Any]:
        """The batches of an epoch; the last one asked for is kept."""
        if self._made[0] != epoch:
            self._made = (epoch, self.stage.batches(epoch))
        return self._made[1]

    def epochs_at(self, step: int) -> float:
        """How many epochs so many steps are."""
        epoch = 0
        while step > self._size(epoch):
            step -= self._size(epoch)
            epoch += 1
        return epoch + step / self._size(epoch)

    def after(self, step: int) -> IterableDataset[Parts]:
        """The batches from a step on."""
        return _Batches(self, step)

    def batches(self, step: int) -> Iterator[tuple[int, Sequence[int]]]:
        """The number of each step, and the rows of its batch."""
        number, epoch = 0, 0
        while self.epochs is None or epoch < self.epochs:
            if number + self._size(epoch) > step:
                for indices in self._epoch(epoch)[max(0, step - number) :]:
                    yield max(step, number), indices
                    step = number = max(step, number) + 1
            else:
                number += self._size(epoch)
            epoch += 1

    def collated(self, step: int, indices: Sequence[int]) -> Parts:
        share = indices[self.process :: self.processes]
        return [self.stage.collate(share[part :: self.parts], step) for part in range(min(self.parts, len(share)))]


class _Batches(IterableDataset[Parts]):
    def __init__(self, feed: Feed, step: int) -> None:
        self.feed, self.step = feed, step

    def __iter__(self) -> Iterator[Parts]:
        worker = get_worker_info()
        first, every = (worker.id, worker.num_workers) if worker else (0, 1)
        for turn, (step, indices) in enumerate(self.feed.batches(self.step)):
            if turn % every == first:  # the loader takes from its workers in turn: the order is that of the steps
                yield self.feed.collated(step, indices)
