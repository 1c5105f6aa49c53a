"""The two scores that stand side by side everywhere; how they are counted is the metric module's (`phoneme_ner_f1`)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev

from conlipa.modeling.phoneme_ner_f1 import phoneme_ner_f1 as metric

Labels = Sequence[Sequence[int]]


def paper_f1(gold: Labels, predicted: Labels) -> float:
    """The papers' number, in percent: macro F1 over the labels that occur, over every non-pad position of each sentence."""
    return float(metric.paper_f1(metric.position_counts(gold, predicted).sum(axis=0)))


def entity_f1(gold: Labels, predicted: Labels) -> float:
    """Strict IOB2 entity F1 over the words of each sentence, in percent: the standard metric."""
    return float(metric.entity_f1(metric.entity_counts(gold, predicted).sum(axis=0)))


def summary(scores: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """AVG and STD (sample standard deviation) over languages, in percent."""
    names = ("paper_f1", "entity_f1")
    columns = {name: [row[name] for row in scores.values()] for name in names}
    return {
        "average": {name: mean(column) for name, column in columns.items()},
        "std": {name: stdev(column) if len(column) > 1 else 0.0 for name, column in columns.items()},
    }
