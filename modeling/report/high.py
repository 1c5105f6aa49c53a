"""Table 8 of the second paper: English and the ten languages of the pairs, by the language of the pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Any

from conlipa.errors import ConlipaError
from conlipa.modeling.evaluation.comparison import mean_of
from conlipa.modeling.evaluation.evaluation import SCORES
from conlipa.modeling.evaluation.markdown import Cell, markdown_table, spread
from conlipa.modeling.evaluation.papers import Row, row
from conlipa.modeling.records import trained_on
from conlipa.modeling.report.main_results import difference_cell, language_table
from conlipa.modeling.report.measured import counts_of_models, counts_of_study
from conlipa.modeling.report.section import Inputs, Section
from conlipa.modeling.report.studies import about, amount
from conlipa.modeling.studies.ablation import compared, read_study

KEY = "high"
TITLE = "High-resource languages of the pairs (Table 8 of the second paper)"
MODELS = {"none": "XPhoneBERT", "all": "total"}
"""Arm of the study `languages` → row of Table 8, where the names differ."""


def section(inputs: Inputs) -> Section:
    """Before and after IPAC with intervals, then by language of the pairs."""
    langs = [iso for iso in row("ipac_8", "high", "total").values if iso in inputs.corpus.languages("validation", inputs.corpus.kinds[0])]
    if not langs:
        raise ConlipaError(f"{inputs.corpus.where or 'sample'}: has a validation split of none of the languages of Table 8")
    sources = [iso for iso in langs if iso in trained_on(inputs.ner)]
    before, after = counts_of_models(replace(inputs, langs=tuple(langs)))
    study = read_study("languages")
    data = compared(study, counts_of_study(inputs, study.path.stem, langs), inputs.seeds, inputs.sentences)
    printed = {arm: row("ipac_8", "high", MODELS.get(arm, arm)) for arm in data["arms"]}
    parts = [
        _sources(langs, sources),
        "### Before and after IPAC",
        f"{amount(inputs)}; the report's adapter. In brackets: 95% intervals, bootstrap over sentences.",
        language_table({"before": before, "after": after}, langs, [printed["none"], replace(printed["all"], model="CONLIPA")], {}, mark=sources),
        "### By language of the pairs",
        about(inputs, study),
        *(f"`{score}`\n\n{_table(data, langs, sources, score)}" for score in SCORES),
        f"The papers' `paper_f1`\n\n{_papers(printed, langs)}",
    ]
    return Section(KEY, TITLE, "\n\n".join(parts), data={**data, "sources": sources})


def _sources(langs: Sequence[str], sources: Sequence[str]) -> str:
    if not sources:
        return "Stage 1 was trained on none of these languages."
    unseen = [iso for iso in langs if iso not in sources]
    rest = f"Only {', '.join(unseen)} {'is' if len(unseen) == 1 else 'are'} zero-shot here" if unseen else "None of them is zero-shot here"
    return f"Stage 1 was trained on {', '.join(sources)} (marked as source). {rest}; the papers' models were trained on English alone."


def _table(data: Mapping[str, Any], langs: Sequence[str], sources: Sequence[str], score: str) -> str:
    head = ["pairs", *(f"{iso} (source)" if iso in sources else iso for iso in langs), "AVG", "difference"]
    rows: list[list[Cell]] = []
    for arm, scores in data["arms"].items():
        found = scores[score]
        difference = difference_cell(found["difference"]) if "difference" in found else None
        rows.append([arm, *(mean(found["languages"][iso]) for iso in langs), spread(found["seeds"]), difference])
    return markdown_table(head, rows)


def _papers(printed: Mapping[str, Row], langs: Sequence[str]) -> str:
    """The same rows of Table 8."""
    rows: list[list[Cell]] = [[arm, *(row.values[iso] for iso in langs), mean_of(row, langs), row.average] for arm, row in printed.items()]
    return markdown_table(["pairs", *langs, "AVG, same languages", "AVG as printed"], rows)
