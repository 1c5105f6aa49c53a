"""The batches of a run, in order: known from the seed, made ahead by workers where there is a GPU to feed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from multiprocessing import get_all_start_methods
from typing import Any

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from conlipa.errors import ConlipaError

_MOST_WORKERS = 12
"""Processes that make batches for a GPU: a core each, less one for the model's own.
On a CPU there is none: they would take the cores from the model, for which a batch is made in no time."""
_CAN_FORK = "fork" in get_all_start_methods()
_AHEAD = 16
"""Batches that each of them makes ahead: an epoch's order takes them a second."""

Parts = list[dict[str, torch.Tensor]]


class Feed:
    """This process's share of each batch, every n-th example of n processes, in the parts that it goes through the model in."""

    def __init__(self, stage: Any, accelerator: Accelerator, epochs: int | None, sizes: list[int] | None = None) -> None:
        """What is fed.

        Args:
            epochs: None for a run by the clock, which takes epoch after epoch.
            sizes: for a run by the clock, batches of the epochs that it went through before, which are not made again for it; others are added.
        """
        self.stage = stage
        self.process, self.processes = accelerator.process_index, accelerator.num_processes
        self.parts = getattr(stage.settings, "accumulate", 1)
        self.epochs = epochs
        self.workers = max(1, min(_MOST_WORKERS, (os.cpu_count() or 1) - 1)) if torch.cuda.is_available() and _CAN_FORK else 0
        self._sizes = sizes if epochs is None and sizes is not None else []
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
            every = self.stage.batches(epoch)
            shared = [batch for batch in every if len(batch) >= self.processes]  # each process must have a row of every batch
            if not shared:
                raise ConlipaError(f"{self.stage.name}: no batch has a row for each of {self.processes} processes; take fewer, or larger batches")
            self._made = (epoch, shared)
        return self._made[1]

    def epochs_at(self, step: int) -> float:
        """How many epochs so many steps are; about, where workers know the epochs, each of which would be made here again."""
        if self.epochs is None and self.workers:
            return step / self._size(0)
        epoch = 0
        while step > self._size(epoch):
            step -= self._size(epoch)
            epoch += 1
        return epoch + step / self._size(epoch)

    def loader(self, step: int) -> DataLoader[Parts]:
        """The batches from a step on."""
        ahead = _AHEAD if self.workers else None
        batches, pinned = _Batches(self, step), torch.cuda.is_available()
        return DataLoader(
            batches,
            batch_size=None,
            num_workers=self.workers,
            pin_memory=pinned,
            prefetch_factor=ahead,
            worker_init_fn=_deaf,
            multiprocessing_context="fork" if self.workers else None,  # a model and a corpus in memory need no pickling
        )

    def batches(self, step: int) -> Iterator[Sequence[int]]:
        """The rows of each batch, from a step on."""
        number, epoch = 0, 0
        while self.epochs is None or epoch < self.epochs:
            if number + self._size(epoch) > step:
                yield from self._epoch(epoch)[max(0, step - number) :]
            number += self._size(epoch)
            epoch += 1

    def collated(self, indices: Sequence[int]) -> Parts:
        share = indices[self.process :: self.processes]
        parts = min(self.parts, len(indices) // self.processes)  # as many in each process: where weights are sharded, they meet in every part
        return [self.stage.collate(share[part::parts]) for part in range(parts)]


def _deaf(_: int) -> None:
    """A worker lets SIGTERM, which may come to all processes of a run, to the one that saves the state and then ends its workers."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


class _Batches(IterableDataset[Parts]):
    def __init__(self, feed: Feed, step: int) -> None:
        self.feed, self.step = feed, step

    def __iter__(self) -> Iterator[Parts]:
        worker = get_worker_info()
        first, every = (worker.id, worker.num_workers) if worker else (0, 1)
        for turn, indices in enumerate(self.feed.batches(self.step)):
            if turn % every == first:  # the loader takes from its workers in turn: the order is that of the steps
                yield self.feed.collated(indices)
