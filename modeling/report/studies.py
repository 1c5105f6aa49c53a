"""The studies of stage 2 (`modeling/studies/`) case by case, beside the papers' own figures where they have any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import mean, stdev
from typing import Any

from conlipa.modeling.evaluation import papers
from conlipa.modeling.evaluation.comparison import mean_of
from conlipa.modeling.evaluation.evaluation import SCORES
from conlipa.modeling.evaluation.markdown import Cell, markdown_table, spread
from conlipa.modeling.evaluation.papers import cases
from conlipa.modeling.report.drawing import svg
from conlipa.modeling.report.main_results import difference_cell
from conlipa.modeling.report.measured import counts_of_study
from conlipa.modeling.report.section import Inputs, Maker, Section
from conlipa.modeling.studies.ablation import Study, compared, read_study

NONE = "none"
"""The arm of stage 1 alone."""
STUDIES = {
    "korean": "How many Korean pairs (Tables 4 and 9 of the second paper)",
    "languages": "Pairs of one language alone (Tables 5 and 10 of the second paper)",
    "temperature": "Temperature of the contrastive loss (Table 11 of the second paper)",
    "options": "The options of stage 2",
    "control": "Control: true pairs against shuffled ones",
}
DRAWN = {"korean": "Korean pairs", "temperature": "temperature", "languages": "pairs of"}
"""Studies with a figure: what is varied."""


def makers() -> dict[str, Maker]:
    """A section a study."""
    return {name: partial(_section, name=name) for name in STUDIES}


def _section(inputs: Inputs, name: str) -> Section:
    study = read_study(name)
    data = compared(study, counts_of_study(inputs, name), inputs.seeds, inputs.sentences)
    parts = [about(inputs, study), *(f"`{score}`\n\n{_table(study, data, score)}" for score in SCORES)]
    figures = {}
    if name in DRAWN:
        figures[f"{name}.svg"] = _figure(study, data, DRAWN[name])
        parts.append(f"![{STUDIES[name]}: change of F1 from stage 1 alone, mean over the languages of each case]({name}.svg)")
    return Section(name, STUDIES[name], "\n\n".join(parts), figures, data)


def about(inputs: Inputs, study: Study) -> str:
    """What the numbers of a study are."""
    return (
        f"{amount(inputs)}, one stage-1 model, {_seeds(inputs)} of stage 2 (mean ± standard deviation over seeds). `{NONE}`: stage 1 alone."
        f" *Difference*: to `{study.reference}`, mean over all languages, with its 95% interval (paired bootstrap over sentences and seeds)."
        + (" The papers' figures are `paper_f1`, means over the same languages, or as printed." if study.papers else "")
    )


def amount(inputs: Inputs) -> str:
    """Which sentences are counted."""
    return f"The first {inputs.sentences} sentences of the validation split of each language" if inputs.sentences else "The whole validation split"


def _seeds(inputs: Inputs) -> str:
    return f"{inputs.seeds} seeds" if inputs.seeds > 1 else "one seed"


def cases_at_hand(langs: Sequence[str]) -> dict[str, list[str]]:
    """Case → those of its languages that were measured."""
    found = {case: [iso for iso in own if iso in langs] for case, own in cases().items()}
    return {case: own for case, own in found.items() if own}


def papers_mean(study: Study, arm: str, case: str, langs: Sequence[str]) -> float | None:
    """The papers' `paper_f1` of an arm, mean over these languages of a case; None where they do not have it."""
    return mean_of(papers.row(study.papers[arm][0], case, study.papers[arm][1]), langs) if arm in study.papers else None


def per_seed(row: Mapping[str, Any], langs: Sequence[str]) -> list[float]:
    """The mean over these languages, a number a seed; `row` is one score of an arm in `ablation.compared`."""
    return [mean(scores) for scores in zip(*(row["languages"][iso] for iso in langs), strict=True)]


def _table(study: Study, data: Mapping[str, Any], score: str) -> str:
    at_hand = cases_at_hand(data["languages"])
    printed = study.papers and score == "paper_f1"
    head = [DRAWN.get(study.path.stem, "setting")]
    for case, langs in at_hand.items():
        head += [
            f"Case {case}, {len(langs)} of {len(cases()[case])} languages",
            *([f"papers' Case {case}", f"papers' Case {case}, as printed"] if printed else []),
        ]
    rows: list[list[Cell]] = []
    for arm, scores in data["arms"].items():
        row: list[Cell] = [arm]
        for case, langs in at_hand.items():
            row.append(spread(per_seed(scores[score], langs)))
            if printed:
                row += [papers_mean(study, arm, case, langs), _as_printed(study, arm, case)]
        row += [spread(scores[score]["seeds"]), difference_cell(scores[score]["difference"]) if "difference" in scores[score] else None]
        rows.append([*row, data["outside"][arm]] if score == "paper_f1" else row)
    prior = [f"predicted O, % (true: {data['outside_true']:.1f})"] if score == "paper_f1" else []
    return markdown_table([*head, f"all {len(data['languages'])} languages", "difference", *prior], rows)


def _as_printed(study: Study, arm: str, case: str) -> float | None:
    return papers.row(study.papers[arm][0], case, study.papers[arm][1]).average if arm in study.papers else None


def _figure(study: Study, data: Mapping[str, Any], label: str) -> str:
    """A panel a case: how far each arm is from stage 1 alone, here and in the papers."""
    at_hand = cases_at_hand(data["languages"])
    arms = [arm for arm in data["arms"] if arm != NONE]
    joined = "o-" if all(arm.replace(".", "").isdigit() for arm in arms) else "o"

    def draw(axes: Any) -> None:
        for panel, (case, langs) in zip(axes[0], at_hand.items(), strict=True):
            panel.axhline(0, color="grey", linewidth=0.8)
            for number, score in enumerate(SCORES):
                start = mean(per_seed(data["arms"][NONE][score], langs))
                runs = [per_seed(data["arms"][arm][score], langs) for arm in arms]
                errors = [stdev(run) if len(run) > 1 else 0.0 for run in runs]
                places = [place + 0.08 * number for place in range(len(arms))]
                panel.errorbar(
                    places, [mean(run) - start for run in runs], errors, fmt=joined, color=f"C{number}", markersize=4, capsize=2, label=score
                )
            theirs = [papers_mean(study, arm, case, langs) for arm in (NONE, *arms)]
            if all(value is not None for value in theirs):
                panel.plot(
                    [(value or 0) - (theirs[0] or 0) for value in theirs[1:]],
                    joined.replace("o", "s"),
                    color="C2",
                    markersize=4,
                    label="papers' paper_f1",
                )
            panel.set_xticks(range(len(arms)), arms)
            panel.set(title=f"Case {case}, {len(langs)} languages", xlabel=label)
        axes[0][0].set_ylabel("change of F1, points")
        axes[0][0].legend(fontsize="small")

    return svg(draw, 1, len(at_hand), size=(3.9, 3.0), sharey=True)
