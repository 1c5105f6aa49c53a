"""A model's scores beside the papers' own, on the very same languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from conlipa.modeling.evaluation.evaluation import SCORES, without_redirects
from conlipa.modeling.evaluation.papers import Row, cases, published

PAPERS = {"XPhoneBERT": "XPhoneBERT", "IPAC": "CONLIPA", "mBERT": "mBERT", "CANINE": "CANINE"}
"""Heading → the name of the papers' table row."""


def case_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """A Markdown table, a row a case of the papers: means over the languages that were evaluated and not trained on.

    Args:
        results: heading → report of an evaluation (`evaluation.report`); the papers' `paper_f1` of the same languages stands beside.
    """
    head = " | ".join(f"{name} {score}" for name in results for score in SCORES)
    lines = [f"| case | languages | {head} | " + " | ".join(f"papers' {name}" for name in PAPERS) + " |"]
    lines.append("|---|---|" + "---:|" * (len(results) * len(SCORES) + len(PAPERS)))
    for case, shared in evaluated(next(iter(results.values()))).items():
        ours = [mean(report["languages"][iso][score] for iso in shared) for report in results.values() for score in SCORES]
        theirs = [mean(published(iso)[name] for iso in shared) for name in PAPERS.values()]
        figures = " | ".join(f"{value:.2f}" for value in [*ours, *theirs])
        lines.append(f"| {case} | {len(shared)} of {len(cases()[case])}: {' '.join(shared)} | {figures} |")
    return "\n".join(lines)


def evaluated(report: Mapping[str, Any]) -> dict[str, list[str]]:
    """The papers' cases, as far as a report has languages of them that were not trained on."""
    there = set(report["languages"]) - set(report.get("sources", []))
    shared = {case: [iso for iso in langs if iso in there] for case, langs in cases().items()}
    return {case: langs for case, langs in shared.items() if langs}


def change(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What stage 2 changes, in one sentence."""
    differences = {
        case: mean(after["languages"][iso]["entity_f1"] - before["languages"][iso]["entity_f1"] for iso in langs)
        for case, langs in evaluated(before).items()
    }
    if not differences:
        return ""
    return "IPAC changes the `entity_f1` of " + ", of ".join(f"Case {case} by {by:+.2f}" for case, by in differences.items()) + "."


def before_and_after(scores: Mapping[str, Any]) -> str:
    """`case_table` of a release: before and after IPAC, and after it without the titles that redirect."""
    return case_table({"before": scores["before"], "IPAC": scores["after"], "IPAC without redirects": without_redirects(scores["after"])})


def mean_of(row: Row, langs: Sequence[str]) -> float | None:
    """The mean of a printed row over these languages; None where it lacks one of them (or there is none)."""
    return mean(row.values[iso] for iso in langs) if langs and all(iso in row.values for iso in langs) else None
