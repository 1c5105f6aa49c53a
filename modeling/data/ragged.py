"""Lists of different lengths as flat arrays, taken apart and put together without a loop; and draws that depend on what they are for alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
_STEP = np.uint64(0x9E3779B97F4A7C15)


def spread(starts: Integers, counts: Integers) -> tuple[Integers, Integers]:
    """The members of ranges one after the other, and the number of the range of each.

    `starts` and `counts`, both (ranges,): range i holds `starts[i]` to `starts[i] + counts[i] - 1`.
    """
    owner = np.repeat(np.arange(len(starts)), counts)
    return np.arange(len(owner)) + np.repeat(starts - (np.cumsum(counts) - counts), counts), owner


def within(counts: Integers) -> Integers:
    """0, 1, 2 … within each of the ranges of these sizes."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)


def keys(*parts: Integers | int) -> NDArray[np.uint64]:
    """A key for each combination of numbers, to draw from: the same whatever else is in its batch (SplitMix64's finaliser)."""
    mixed = np.zeros(1, dtype=np.uint64)
    for part in parts:
        mixed = mixed + np.asarray(part).astype(np.uint64) * _STEP + _STEP
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return mixed


def uniform(drawn_from: NDArray[np.uint64], purpose: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each key, another one for each purpose."""
    return (keys(drawn_from, purpose) >> np.uint64(11)).astype(np.float64) * 2.0**-53
