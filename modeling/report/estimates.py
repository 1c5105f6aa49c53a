"""Scores of a model with their intervals: language by language, and in the mean."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import stdev
from typing import NamedTuple

import numpy as np

from conlipa.modeling.evaluation.significance import SCORES as SCORE_OF
from conlipa.modeling.phoneme_ner_f1.phoneme_ner_f1 import Counts, interval, resampled
from conlipa.modeling.studies.ablation import scored

CONFIDENCE, RESAMPLES = 0.95, 1000


class Estimate(NamedTuple):
    """A score in percent and its bootstrap interval over sentences."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.1f} to {self.high:.1f})"


class Scores(NamedTuple):
    """One score of one model."""

    languages: dict[str, Estimate]
    average: Estimate
    std: float | None
    """Sample standard deviation over languages; None for a single one."""


def scores_of(counts: Mapping[str, Counts]) -> Scores:
    """Of the counts of each sentence of each language (at least one); sentences are drawn again within their language."""
    languages, draws = {}, np.zeros(RESAMPLES)
    for iso, own in counts.items():
        drawn = SCORE_OF[own.shape[1:]](resampled(own, RESAMPLES, seed=int.from_bytes(iso.encode())))
        languages[iso] = Estimate(scored(own), *interval(drawn, CONFIDENCE))
        draws += drawn / len(counts)
    values = [found.value for found in languages.values()]
    average = Estimate(float(np.mean(values)), *interval(draws, CONFIDENCE))
    return Scores(languages, average, stdev(values) if len(values) > 1 else None)
