"""The papers' first open question: do pairs of one language help its relatives more than they help other languages?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from conlipa.dataset_scripts.languages import language
from conlipa.modeling.evaluation.evaluation import SCORES
from conlipa.modeling.evaluation.markdown import markdown_table, with_interval
from conlipa.modeling.evaluation.significance import scores_of_runs
from conlipa.modeling.phoneme_ner_f1.phoneme_ner_f1 import Counts, Scores, interval
from conlipa.modeling.report.estimates import CONFIDENCE, Estimate
from conlipa.modeling.report.measured import counts_of_study
from conlipa.modeling.report.section import Inputs, Section
from conlipa.modeling.studies.ablation import Study, read_study

KEY = "families"
TITLE = "Transfer within a family"
STUDY = "languages"
LEVELS = ("family", "branch")
"""Columns of the table of languages that say who is related."""
OVERALL = "mean"


class Transfer(NamedTuple):
    """What the pairs of one language do: gains over stage 1, in points, and their differences."""

    within: Estimate
    """Gain of the related test languages."""
    outside: Estimate
    """Gain of all others, but the language of the pairs itself."""
    difference: Estimate
    """`within` less `outside`."""
    own_pairs: Estimate
    """`within` less the gain of the same test languages through the pairs of each of the other languages: what the choice of the pairs is worth to
    the relatives, however easily they gain."""


def section(inputs: Inputs) -> Section:
    """A table a score, of the families of the papers, with the narrower branches in its last row."""
    study, measured = read_study(STUDY), counts_of_study(inputs, STUDY)
    pairs = languages_of_pairs(study)
    (stage_1,) = (measured[arm][0] for arm, settings in study.arms.items() if settings is None)
    related = {level: relatives(pairs, inputs.langs, level) for level in LEVELS}
    found = {
        score: {
            level: transfers(stage_1[score], {arm: [run[score] for run in measured[arm]] for arm in pairs}, pairs, related[level]) for level in LEVELS
        }
        for score in SCORES
    }
    parts = [_introduction(inputs)]
    for score, by_level in found.items():
        parts += [f"`{score}`:\n\n{_table(by_level, pairs, related['family'])}", _reading(by_level)]
    data = {
        "related": related,
        "transfers": {
            score: {
                level: {arm: {name: value._asdict() for name, value in row._asdict().items()} for arm, row in rows.items()}
                for level, rows in levels.items()
            }
            for score, levels in found.items()
        },
    }
    return Section(KEY, TITLE, "\n\n".join(parts), data=data)


def languages_of_pairs(study: Study) -> dict[str, str]:
    """The arms that have the pairs of one language alone, and that language."""
    return {arm: settings["languages"][0] for arm, settings in study.arms.items() if settings and len(settings.get("languages") or ()) == 1}


def relatives(pairs: Mapping[str, str], langs: Sequence[str], level: str) -> dict[str, list[str]]:
    """Arm → the test languages that are of the same family (or branch) as the language of its pairs, itself left out."""
    group = {iso: getattr(language(iso), level) for iso in (*langs, *pairs.values())}
    return {arm: [iso for iso in langs if group[iso] == group[own] and iso != own] for arm, own in pairs.items()}


def transfers(
    stage_1: Mapping[str, Counts],
    arms: Mapping[str, Sequence[Mapping[str, Counts]]],
    pairs: Mapping[str, str],
    related: Mapping[str, Sequence[str]],
    seed: int = 0,
    resamples: int = 1000,
) -> dict[str, Transfer]:
    """Of each arm that has relatives among the test languages, and of their mean (`OVERALL`); sentences and training seeds are drawn again and again.

    Args:
        stage_1: counts of each sentence by language.
        arms: the same of each arm, two at least, a run a training seed.
        pairs: arm → the language of its pairs.
        related: arm → the test languages related to it.
    """
    exact, drawn = scores_of_runs([stage_1, *(run for runs in arms.values() for run in runs)], seed, resamples)
    langs, rng, first = list(stage_1), np.random.default_rng(seed), 1
    gains: dict[str, Scores] = {}
    for arm, runs in arms.items():
        own = slice(first, first + len(runs))
        picked = rng.integers(0, len(runs), (len(runs), resamples))
        draws = drawn[own][picked, :, np.arange(resamples)].mean(axis=0) - drawn[0].T  # (resamples, languages)
        gains[arm] = np.vstack([exact[own].mean(axis=0) - exact[0], draws])  # the first row is of all sentences and seeds
        first += len(runs)
    rows: dict[str, Scores] = {}
    for arm, relations in related.items():
        near = [number for number, iso in enumerate(langs) if iso in relations]
        far = [number for number, iso in enumerate(langs) if iso not in relations and iso != pairs[arm]]
        if near and far:
            within, outside = (gains[arm][:, side].mean(axis=1) for side in (near, far))
            others = np.mean([other[:, near].mean(axis=1) for name, other in gains.items() if name != arm], axis=0)
            rows[arm] = np.stack([within, outside, within - outside, within - others])
    if rows:
        rows[OVERALL] = np.mean(list(rows.values()), axis=0)
    return {arm: Transfer(*(Estimate(float(values[0]), *interval(values[1:], CONFIDENCE)) for values in row)) for arm, row in rows.items()}


def _introduction(inputs: Inputs) -> str:
    return (
        f"Stage 2 with the pairs of one language alone, {inputs.seeds} seeds; gains over stage 1 in points. *Own*: the test languages of the same"
        " family (as the second paper draws them: one language of the pairs a family). *Own less other* compares them with all other test"
        " languages. Some languages gain easily from any pairs, so the last column compares the same relatives with themselves: their gain through"
        " their own family's pairs less their mean gain through the pairs of each other language. *Branch* takes only near relatives (Indo-Aryan,"
        " Bantu, Semitic) for related. In brackets 95% intervals, bootstrap over sentences and seeds. Where stage 1 was trained on the language of"
        " the pairs, it knows the family already, and less is left to gain."
    )


def _table(by_level: Mapping[str, Mapping[str, Transfer]], pairs: Mapping[str, str], related: Mapping[str, Sequence[str]]) -> str:
    head = ["pairs", "related test languages", "own family's gain", "others' gain", "own less other", "own pairs less other pairs"]
    rows: list[list[str | float | None]] = []
    for arm, own in pairs.items():
        figures: Sequence[Estimate | None] = by_level["family"].get(arm) or [None] * len(Transfer._fields)
        rows.append([f"{language(own).name} ({language(own).family})", " ".join(related[arm]) or None, *map(_signed, figures)])
    for level, transfers_of in by_level.items():
        if OVERALL in transfers_of:
            rows.append([f"**mean, by {level}**", "", *map(_signed, transfers_of[OVERALL])])
    return markdown_table(head, rows)


def _signed(found: Estimate | None) -> str | None:
    return with_interval(*found) if found else None


def _reading(by_level: Mapping[str, Mapping[str, Transfer]]) -> str:
    """What the means say, a sentence a level."""
    parts = []
    for level, found in by_level.items():
        if OVERALL in found:
            verdicts = [_verdict(estimate) for estimate in (found[OVERALL].difference, found[OVERALL].own_pairs)]
            parts.append(f"By {level}, relatives gain {verdicts[0]} other languages, and {verdicts[1]} they do through other languages' pairs.")
    return " ".join(parts) or "No available test language is related to a language of the pairs."


def _verdict(found: Estimate) -> str:
    return "more than" if found.low > 0 else "less than" if found.high < 0 else "neither clearly more nor clearly less than"
