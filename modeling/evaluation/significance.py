"""Is one model better than another? Paired bootstrap over the sentences that both have tagged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from conlipa.modeling.phoneme_ner_f1.phoneme_ner_f1 import Counts, Scores, entity_f1, interval, paper_f1, resampled

SCORES = {(7, 7): paper_f1, (3, 3): entity_f1}
"""The score that counts of one sentence belong to, by their shape."""


class Difference(NamedTuple):
    """Score of the first model minus that of the second, in points (percent of F1)."""

    difference: float
    low: float
    high: float
    p: float
    """Two-sided: the smallest 1 - confidence at which the interval leaves out zero, never below 2 / (resamples + 1)."""


def paired_bootstrap(counts_a: Counts, counts_b: Counts, seed: int = 0, resamples: int = 1000, confidence: float = 0.95) -> Difference:
    """How much better model A is than model B, on the same sentences drawn again and again.

    Args:
        counts_a, counts_b: counts of each sentence, in one order: `(n, 7, 7)` of `position_counts`, which compares `paper_f1`,
            or `(n, 3, 3)` of `entity_counts`, which compares `entity_f1`. Counts of several training seeds may be added up sentence by sentence.
        seed: of the draws.
        resamples: how many.
        confidence: of the interval, between 0 and 1.

    Returns:
        `(difference, low, high, p)`: the difference A - B in points, its percentile interval, and the two-sided p.

    Raises:
        ValueError: the counts are of unequal or unknown shape, of no sentence, or `resamples` is not positive.
    """
    if counts_a.shape != counts_b.shape:
        raise ValueError(f"the counts are not of the same sentences: their shapes are {counts_a.shape} and {counts_b.shape}")
    score = SCORES.get(counts_a.shape[1:])
    if score is None or not len(counts_a):
        raise ValueError(f"counts of shape {counts_a.shape}; they must be (n, 7, 7) or (n, 3, 3), n at least 1")
    if resamples < 1:
        raise ValueError(f"{resamples} resamples; at least 1")
    both = np.stack([counts_a, counts_b], axis=1)
    a, b = score(both.sum(axis=0))
    draws = score(resampled(both, resamples, seed))
    differences = draws[:, 0] - draws[:, 1]
    low, high = interval(differences, confidence)
    beyond = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
    return Difference(float(a - b), low, high, min(1.0, 2 * (1 + beyond) / (resamples + 1)))


def difference_over_languages(
    runs_a: Sequence[Mapping[str, Counts]], runs_b: Sequence[Mapping[str, Counts]], seed: int = 0, resamples: int = 1000, confidence: float = 0.95
) -> Difference:
    """How much better A is than B in the mean over languages and training seeds; both sentences and seeds are drawn again and again.

    Args:
        runs_a, runs_b: a run a training seed, each with the counts of every language (as in `paired_bootstrap`), on the same sentences.

    Raises:
        ValueError: no run, runs of other languages or sentences, or counts of an unknown shape.
    """
    runs = [*runs_a, *runs_b]
    if not runs_a or not runs_b or any(run.keys() != runs[0].keys() for run in runs):
        raise ValueError("runs of both, each with the same languages, are needed")
    by_language, drawn_by_language = scores_of_runs(runs, seed, resamples)
    exact, scores = by_language.mean(axis=1), drawn_by_language.mean(axis=1)
    rng, columns = np.random.default_rng(seed), np.arange(resamples)
    sides = [np.arange(len(runs_a)), np.arange(len(runs_a), len(runs))]
    drawn = [np.mean([scores[rng.choice(side, resamples), columns] for _ in side], axis=0) for side in sides]
    differences = drawn[0] - drawn[1]
    low, high = interval(differences, confidence)
    beyond = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
    return Difference(float(exact[sides[0]].mean() - exact[sides[1]].mean()), low, high, min(1.0, 2 * (1 + beyond) / (resamples + 1)))


def scores_of_runs(runs: Sequence[Mapping[str, Counts]], seed: int = 0, resamples: int = 1000) -> tuple[Scores, Scores]:
    """Scores of each run on each language, `(runs, languages)`, and on sentences drawn again and again, the same ones for every run,
    `(runs, languages, resamples)`; in percent.

    Args:
        runs: each with the counts of the same languages on the same sentences, as in `paired_bootstrap`.

    Raises:
        ValueError: runs of other sentences, or counts of an unknown shape.
    """
    exact = np.zeros((len(runs), len(runs[0])))
    drawn = np.zeros((*exact.shape, resamples))
    for number, lang in enumerate(runs[0]):
        if any(run[lang].shape != runs[0][lang].shape for run in runs) or runs[0][lang].shape[1:] not in SCORES:
            raise ValueError(f"{lang}: the counts are not of the same sentences, or of no known shape")
        together = np.stack([run[lang] for run in runs], axis=1)
        score = SCORES[runs[0][lang].shape[1:]]
        exact[:, number] = score(together.sum(axis=0))
        drawn[:, number] = score(resampled(together, resamples, seed + number)).T
    return exact, drawn
