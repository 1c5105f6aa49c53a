"""Table 2 of the second paper, Tables 3 and 4 of the first: Cases 1 to 3 before and after IPAC, beside the papers' models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import stdev
from typing import Any

from conlipa.dataset_scripts.languages import language
from conlipa.errors import ConlipaError
from conlipa.modeling.evaluation.comparison import mean_of
from conlipa.modeling.evaluation.evaluation import SCORES
from conlipa.modeling.evaluation.markdown import Cell, markdown_table, with_interval
from conlipa.modeling.evaluation.papers import Row, cases, main_results, table
from conlipa.modeling.evaluation.significance import difference_over_languages
from conlipa.modeling.report.estimates import Scores, scores_of
from conlipa.modeling.report.measured import counts_of_models
from conlipa.modeling.report.section import Inputs, Section
from conlipa.modeling.studies.runs import Measured

KEY = "main"
TITLE = "Main results: Cases 1 to 3, before and after IPAC"


def section(inputs: Inputs) -> Section:
    """A summary, a table a case, and the papers' table of XLM-R, whose cases are drawn otherwise."""
    before, after = counts_of_models(replace(inputs, sentences=None))
    models = {"before": before, "after": after}
    theirs = {case: [row for row in main_results() if row.case == case] for case in cases()}
    at_hand = {case: [iso for iso in langs if iso in inputs.langs] for case, langs in cases().items()}
    data = {case: compared(models, langs, theirs[case]) for case, langs in at_hand.items() if langs}
    parts = [_introduction(), _summary(data, at_hand)]
    for case in data:
        parts += [f"### Case {case}", language_table(models, at_hand[case], theirs[case], inputs.baselines)]
    return Section(KEY, TITLE, "\n\n".join([*parts, *_xlm_r(inputs, models)]), data={"cases": data})


def _introduction() -> str:
    return (
        "All sentences of the validation split; one stage-1 model and one adapter. In brackets: 95% intervals, bootstrap over the sentences of each"
        " language, 1,000 draws. The papers' figures are `paper_f1`, of models trained on English alone; *same languages* are means of their figures"
        " over the languages that were available, *as printed* is over all of the case. No language that stage 1 was trained on is counted."
    )


def compared(models: Mapping[str, Measured], langs: Sequence[str], theirs: Sequence[Row]) -> dict[str, Any]:
    """Scores before and after, their paired difference, and the papers' means over the same languages."""
    result: dict[str, Any] = {"languages": list(langs)}
    before, after = models.values()
    for score in SCORES:
        own = {name: _plain(scores_of({iso: counts[score][iso] for iso in langs})) for name, counts in models.items()}
        difference = difference_over_languages([{iso: after[score][iso] for iso in langs}], [{iso: before[score][iso] for iso in langs}])
        result[score] = {**own, "difference": difference._asdict()}
    result["papers"] = {row.model: mean_of(row, langs) for row in theirs}
    return result


def _plain(scores: Scores) -> dict[str, Any]:
    return {"languages": {iso: found._asdict() for iso, found in scores.languages.items()}, "average": scores.average._asdict(), "std": scores.std}


def _summary(data: Mapping[str, Any], at_hand: Mapping[str, Sequence[str]]) -> str:
    models = list(next(iter(data.values()))["papers"])
    head = ["case", "languages", "score", "before", "after", "after − before", *(f"papers' {model}, same languages" for model in models)]
    rows: list[list[Cell]] = []
    for case, found in data.items():
        for score in SCORES:
            means = [f"{found[score][when]['average']['value']:.2f}" for when in ("before", "after")]
            papers = [found["papers"][model] if score == "paper_f1" else None for model in models]
            many = f"{len(at_hand[case])} of {len(cases()[case])}"
            rows.append([case, many, score, *means, difference_cell(found[score]["difference"]), *papers])
    missing = [f"Case {case}: {', '.join(iso for iso in langs if iso not in at_hand[case])}" for case, langs in cases().items()]
    absent = "; ".join(part for part in missing if not part.endswith(": "))
    return markdown_table(head, rows) + (f"\n\nNot available: {absent}." if absent else "")


def difference_cell(difference: Mapping[str, float]) -> str:
    """A difference as `significance.Difference` has it."""
    return with_interval(difference["difference"], difference["low"], difference["high"])


def language_table(
    models: Mapping[str, Measured], langs: Sequence[str], theirs: Sequence[Row], baselines: Mapping[str, Mapping[str, Any]], mark: Sequence[str] = ()
) -> str:
    """A row a language, then AVG, STD and the papers' printed AVG; a column a model and score, baselines, and the papers' models.

    Args:
        mark: languages that stage 1 was trained on.
    """
    own = {f"{name} {score}": scores_of({iso: counts[score][iso] for iso in langs}) for score in SCORES for name, counts in models.items()}
    sizes = {iso: len(next(iter(models.values()))["paper_f1"][iso]) for iso in langs}
    others = {f"{name} {score}": _of_baseline(name, report, score, sizes) for name, report in baselines.items() for score in SCORES}
    head = ["language", "sentences", *own, *others, *(f"papers' {row.model}" for row in theirs)]
    rows: list[list[Cell]] = []
    for iso in langs:
        figures: list[Cell] = [*(str(scores.languages[iso]) for scores in own.values()), *(column.get(iso) for column in others.values())]
        label = f"{language(iso).name} ({iso})" + (" (source)" if iso in mark else "")
        rows.append([label, str(sizes[iso]), *figures, *(row.values.get(iso) for row in theirs)])
    averages: list[Cell] = [*(str(scores.average) for scores in own.values()), *(_average(column, langs) for column in others.values())]
    rows.append(["**AVG**, same languages", "", *averages, *(mean_of(row, langs) for row in theirs)])
    spread = [_std(list(column.values()), len(langs)) for column in others.values()]
    theirs_spread = [_std([row.values[iso] for iso in langs if iso in row.values], len(langs)) for row in theirs]
    rows.append(["**STD**, same languages", "", *(scores.std for scores in own.values()), *spread, *theirs_spread])
    blank = [""] * (len(own) + len(others))
    rows.append(["**AVG** as printed", "", *blank, *(row.average for row in theirs)])
    rows.append(["**STD** as printed", "", *blank, *(row.std for row in theirs)])
    return markdown_table(head, rows)


def _of_baseline(name: str, report: Mapping[str, Any], score: str, sizes: Mapping[str, int]) -> dict[str, float]:
    """A baseline's figures of the languages that it was evaluated on.

    Raises:
        ConlipaError: on another number of sentences: it is not the same split.
    """
    rows = {iso: report["languages"][iso] for iso in sizes if iso in report["languages"]}
    for iso, row in rows.items():
        if row["n"] != sizes[iso]:
            raise ConlipaError(
                f"baseline {name}: {row['n']} sentences of {iso} were evaluated, this corpus has {sizes[iso]}; evaluate it on the same split"
            )
    return {iso: float(row[score]) for iso, row in rows.items()}


def _average(column: Mapping[str, float], langs: Sequence[str]) -> float | None:
    return sum(column[iso] for iso in langs) / len(langs) if all(iso in column for iso in langs) else None


def _std(values: Sequence[float], many: int) -> float | None:
    """Sample standard deviation of figures for all of so many languages, at least two."""
    return stdev(values) if len(values) == many > 1 else None


def _xlm_r(inputs: Inputs, models: Mapping[str, Measured]) -> list[str]:
    parts = [
        "### XLM-R (Table 4 of the first paper)",
        "Its cases are drawn otherwise: languages that neither XLM-R nor XPhoneBERT was pretrained on (1), XPhoneBERT alone (2), XLM-R alone (3).",
    ]
    for case in dict.fromkeys(row.case for row in table("zero_shot_4")):
        theirs = [row for row in table("zero_shot_4") if row.case == case]
        every = dict.fromkeys(iso for row in theirs for iso in row.values)
        langs = [iso for iso in every if iso in inputs.langs]
        if langs:
            parts += [f"Case {case} of that table, {len(langs)} of {len(every)} languages:", language_table(models, langs, theirs, {})]
    return parts
