"""The two scores that stand side by side everywhere."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from statistics import mean, stdev

import numpy as np
from numpy.typing import NDArray
from seqeval.metrics import f1_score as entity_f1_score
from seqeval.scheme import IOB2

from dataset_scripts.wikiann import LABELS


def confusion(gold: Iterable[Sequence[int]], predicted: Iterable[Sequence[int]]) -> NDArray[np.int64]:
    """Counts of (gold, predicted) over positions, 7 by 7: all that `paper_f1` needs of a corpus."""
    counts = np.zeros((len(LABELS), len(LABELS)), dtype=np.int64)
    for g, p in zip(gold, predicted, strict=True):
        np.add.at(counts, (np.asarray(g), np.asarray(p)), 1)
    return counts


def paper_f1(counts: NDArray[np.int64]) -> float:
    """The papers' number, in percent: macro F1 over the labels that occur, over every non-pad position.

    As scikit-learn's `f1_score(average="macro")`: a label seen in neither gold nor prediction is left out of the mean.
    """
    hits = np.diag(counts)
    seen = counts.sum(axis=0) + counts.sum(axis=1)
    present = seen > 0
    return float(100 * np.mean(2 * hits[present] / seen[present])) if present.any() else 0.0


def entity_f1(gold: Sequence[Sequence[int]], predicted: Sequence[Sequence[int]]) -> float:
    """Strict IOB2 entity F1 over words (seqeval), in percent: the honest number."""
    names = [[[LABELS[label] for label in sentence] for sentence in side] for side in (gold, predicted)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a language without any predicted entity is a zero, not a warning
        return float(100 * entity_f1_score(names[0], names[1], mode="strict", scheme=IOB2, zero_division=0))


def summary(scores: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """AVG and STD (sample standard deviation) over languages, in percent."""
    names = ("paper_f1", "entity_f1")
    columns = {name: [row[name] for row in scores.values()] for name in names}
    return {
        "average": {name: mean(column) for name, column in columns.items()},
        "std": {name: stdev(column) if len(column) > 1 else 0.0 for name, column in columns.items()},
    }
