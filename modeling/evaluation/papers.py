"""The figures that the two papers print, so that every result can stand beside them.

`zero_shot` is Sohn et al. 2024 (arXiv 2406.16030), `ipac` is Sohn and Mortensen 2025 (arXiv 2503.07214). Each table is one CSV file of
`papers/`, a row a figure, as printed but for decoration (daggers, "(ours)"). The F1 scores are `paper_f1`, in percent.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conlipa.errors import ConlipaError, nearest

FOLDER = Path(__file__).parent / "tables"
AVERAGE, DEVIATION = "AVG", "STD"

TABLES = {
    "zero_shot_2": "Sohn et al. 2024, Table 2: Case 1, by model",
    "zero_shot_3": "Sohn et al. 2024, Table 3: Cases 1 to 3, by model",
    "zero_shot_4": "Sohn et al. 2024, Table 4: XLM-R and XPhoneBERT; its cases are drawn by what XLM-R has seen",
    "ipac_2": "Sohn and Mortensen 2025, Table 2: Cases 1 to 3, by model",
    "ipac_3": "Sohn and Mortensen 2025, Table 3: cosine similarity of 10 + 10 pairs",
    "ipac_4": "Sohn and Mortensen 2025, Table 4: number of Korean pairs, Case 1",
    "ipac_5": "Sohn and Mortensen 2025, Table 5: pairs of one language alone, Case 1",
    "ipac_8": "Sohn and Mortensen 2025, Table 8: the ten languages of the pairs and English, by language of the pairs",
    "ipac_9": "Sohn and Mortensen 2025, Table 9: number of Korean pairs, Cases 1 to 3",
    "ipac_10": "Sohn and Mortensen 2025, Table 10: pairs of one language alone, Cases 1 to 3",
    "ipac_11": "Sohn and Mortensen 2025, Table 11: temperature, Cases 1 to 3",
}
BASELINES = ("mBERT", "CANINE", "XPhoneBERT")


@dataclass(frozen=True)
class Row:
    """One printed row: a model's figures, in percent."""

    case: str
    """`1`, `2`, `3`; `high` in `ipac_8`; `eng-ori` or `eng-khm` in `ipac_3`."""
    model: str
    """As printed: a baseline, `CONLIPA` (the IPAC model), `Korean-512`, a language, or a temperature such as `0.1`."""
    values: dict[str, float]
    """By ISO 639-3 code, in printed order; by sample number (`1` to `10`) in `ipac_3`."""
    average: float | None
    """AVG as printed, not recomputed; None where it cannot be read."""
    std: float | None
    """STD as printed (sample standard deviation); None where there is none or it cannot be read."""


@cache
def table(name: str) -> tuple[Row, ...]:
    """All rows of a table, in printed order; `name` is a key of `TABLES`.

    Raises:
        ConlipaError: there is no such table.
    """
    if name not in TABLES:
        raise ConlipaError(f"{name}: no such table of the papers{nearest(name, TABLES)}")
    gathered: dict[tuple[str, str], dict[str, float]] = {}
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        next(reader)
        for _, case, model, column, value in reader:
            gathered.setdefault((case, model), {})[column] = float(value)
    return tuple(
        Row(case, model, values=figures, average=figures.pop(AVERAGE, None), std=figures.pop(DEVIATION, None))
        for (case, model), figures in gathered.items()
    )


def row(name: str, case: str, model: str) -> Row:
    """One row of a table.

    Raises:
        ConlipaError: there is no such table, or no such row in it.
    """
    rows = {(found.case, found.model): found for found in table(name)}
    if (case, model) not in rows:
        raise ConlipaError(f"{name}: has no row of {model} in case {case}{nearest(model, {known for _, known in rows})}")
    return rows[case, model]


def cases() -> dict[str, tuple[str, ...]]:
    """ISO 639-3 codes of Cases 1, 2 and 3, in the papers' order."""
    return {found.case: tuple(found.values) for found in table("ipac_2")}


def main_results() -> tuple[Row, ...]:
    """Cases 1 to 3 of the three baselines (Table 3 of the first paper) and of IPAC (Table 2 of the second): 12 rows, case by case.

    The two tables agree wherever both can be read; AVG and STD of the baselines in Case 2 stand in the first alone.
    """
    return tuple(found for case in cases() for found in (*(row("zero_shot_3", case, model) for model in BASELINES), row("ipac_2", case, "CONLIPA")))


def published(language: str) -> dict[str, float]:
    """`paper_f1` of one language by model, over the main results and Table 8; empty where the papers do not test it.

    Table 8's row of all ten languages is `CONLIPA`, as in Table 2.
    """
    scores = {found.model: found.values[language] for found in main_results() if language in found.values}
    if not scores:
        high = {"XPhoneBERT": row("ipac_8", "high", "XPhoneBERT"), "CONLIPA": row("ipac_8", "high", "total")}
        scores = {model: found.values[language] for model, found in high.items() if language in found.values}
    return scores
