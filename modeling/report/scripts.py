"""Figures 4 and 5 of the first paper: is the score of languages in other scripts as high as that of languages in Latin script?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any

import numpy as np

from conlipa.dataset_scripts.languages import language
from conlipa.modeling.evaluation.comparison import PAPERS
from conlipa.modeling.evaluation.evaluation import SCORES
from conlipa.modeling.evaluation.markdown import markdown_table, spread
from conlipa.modeling.evaluation.papers import published
from conlipa.modeling.evaluation.significance import scores_of_runs
from conlipa.modeling.phoneme_ner_f1.phoneme_ner_f1 import interval
from conlipa.modeling.report.drawing import svg
from conlipa.modeling.report.estimates import CONFIDENCE, Estimate
from conlipa.modeling.report.measured import counts_of_models
from conlipa.modeling.report.section import Inputs, Section
from conlipa.modeling.studies.ablation import scored
from conlipa.modeling.studies.runs import Measured

KEY = "scripts"
TITLE = "Latin against other scripts"
LATIN, OTHER = "Latin", "other scripts"
FIGURE = "scripts-distribution.svg"

Columns = dict[str, dict[str, float]]
"""Model → language → score."""


def by_script(langs: Sequence[str]) -> dict[str, list[str]]:
    """The languages that are written in Latin script, and the others."""
    return {name: [iso for iso in langs if (language(iso).script == "Latn") == (name == LATIN)] for name in (LATIN, OTHER)}


def section(inputs: Inputs) -> Section:
    """A table of means and gaps, the distributions as a figure."""
    models = dict(zip(("before", "after"), counts_of_models(replace(inputs, sentences=None)), strict=True))
    groups = by_script(inputs.langs)
    columns = {score: columns_of(models, inputs.langs, score) for score in SCORES}
    gaps = {score: gaps_of(models, groups, score) if all(groups.values()) else {} for score in SCORES}
    parts = [_introduction(groups)]
    parts += [f"`{score}`:\n\n{_table(columns[score], groups, gaps[score])}" for score in SCORES]
    parts.append(f"![Scores of the languages in Latin script and in others, by model: box plots, a dot a language]({FIGURE})")
    data = {
        "groups": groups,
        "scores": columns,
        "gaps": {score: {name: gap._asdict() for name, gap in found.items()} for score, found in gaps.items()},
    }
    return Section(KEY, TITLE, "\n\n".join(parts), {FIGURE: figure(columns, groups)}, data)


def columns_of(models: Mapping[str, Measured], langs: Sequence[str], score: str) -> Columns:
    """Our models' scores and, of `paper_f1`, the papers' models' of the same languages."""
    columns = {name: {iso: scored(counts[score][iso]) for iso in langs} for name, counts in models.items()}
    if score == "paper_f1":
        columns |= {f"papers' {name}": {iso: published(iso)[model] for iso in langs if model in published(iso)} for name, model in PAPERS.items()}
    return columns


def gaps_of(models: Mapping[str, Measured], groups: Mapping[str, Sequence[str]], score: str) -> dict[str, Estimate]:
    """Mean of the languages in Latin script less that of the others, for each model, and by how much IPAC changes it."""
    exact, drawn = scores_of_runs([counts[score] for counts in models.values()])
    langs = list(next(iter(models.values()))[score])
    weights = np.array([(iso in groups[LATIN]) / len(groups[LATIN]) - (iso in groups[OTHER]) / len(groups[OTHER]) for iso in langs])
    values, draws = exact @ weights, np.einsum("mld,l->md", drawn, weights)
    found = {name: Estimate(float(values[m]), *interval(draws[m], CONFIDENCE)) for m, name in enumerate(models)}
    return {**found, "after − before": Estimate(float(values[1] - values[0]), *interval(draws[1] - draws[0], CONFIDENCE))}


def _introduction(groups: Mapping[str, Sequence[str]]) -> str:
    named = "; ".join(f"{name} ({len(langs)}): {', '.join(langs) or 'none'}" for name, langs in groups.items())
    return (
        f"{named}. Mean ± standard deviation over the languages, all sentences of the validation split, before and after IPAC; the papers' figures"
        " are of the very same languages. *Gap*: Latin less other scripts, in points, with its 95% interval (bootstrap over sentences: other"
        " languages could give another gap). The first paper claims that phonemes leave little of the gap that models of letters have."
    )


def _table(columns: Columns, groups: Mapping[str, Sequence[str]], gaps: Mapping[str, Estimate]) -> str:
    rows: list[list[str | float | None]] = []
    for name, column in columns.items():
        parts = [[column[iso] for iso in langs if iso in column] for langs in groups.values()]
        plain = f"{mean(parts[0]) - mean(parts[1]):+.2f}" if all(parts) else None
        rows.append([name, *(spread(part) if part else None for part in parts), str(gaps[name]) if name in gaps else plain])
    if gaps:
        rows.append(["after − before", "", "", str(gaps["after − before"])])
    return markdown_table(["model", *groups, "gap"], rows)


def figure(columns: Mapping[str, Columns], groups: Mapping[str, Sequence[str]]) -> str:
    """A panel a score: for each model two boxes, Latin and other scripts, with a dot a language."""

    def draw(axes: Any) -> None:
        for panel, (score, models) in zip(axes[0], columns.items(), strict=True):
            for number, (group, langs) in enumerate(groups.items()):
                values = [[column[iso] for iso in langs if iso in column] for column in models.values()]
                places = np.arange(len(models)) + 0.36 * number - 0.18
                style = {"color": f"C{number}"}
                panel.boxplot(
                    values, positions=places, widths=0.3, showfliers=False, boxprops=style, whiskerprops=style, capprops=style, medianprops=style
                )
                for place, dots in zip(places, values, strict=True):
                    spread = np.random.default_rng(0).uniform(-0.1, 0.1, len(dots))
                    panel.plot(place + spread, dots, "o", markersize=3, alpha=0.6, **style)
                panel.plot([], [], "o", label=group, **style)
            panel.set_xticks(range(len(models)), [name.replace(" ", "\n") for name in models])
            panel.set(title=score, ylim=(0, 100))
        axes[0][0].set_ylabel("percent")
        axes[0][-1].legend(loc="upper right")

    return svg(draw, 1, len(columns), size=(4.4, 3.2), sharey=True, width_ratios=[len(models) + 1 for models in columns.values()])
