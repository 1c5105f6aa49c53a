"""The papers' figures, typed in: every row is checked by its own AVG and STD, and against the tables that repeat it."""

from __future__ import annotations

from statistics import mean, stdev

import pytest

from conlipa.dataset_scripts.languages import by_case, languages
from conlipa.errors import ConlipaError
from conlipa.modeling.evaluation.papers import BASELINES, TABLES, Row, cases, main_results, published, row, table

ROUNDING = 0.011
"""Figures, AVG and STD are each rounded to 0.01; together they are off by no more."""

MISPRINTS: dict[tuple[str, str, str], tuple[str, float, float]] = {
    ("ipac_5", "1", "Tamil"): ("STD", 12.01, 12.84),
    ("ipac_10", "1", "Tamil"): ("STD", 12.01, 12.84),
}
"""(table, case, model) to (column, the value printed, the value that follows from the row)."""

ILLEGIBLE: dict[tuple[str, str, str], dict[str, float]] = {("zero_shot_4", "3", "XLM-R"): {"uig": 61.79}}
"""Cells that cannot be read and are left out, with the value that both AVG and STD give (to 0.1)."""

NO_AVERAGE = {("ipac_2", "2", model) for model in BASELINES}
"""Rows whose AVG and STD cannot be read; `zero_shot_3` has them."""

ROWS = [(name, found) for name in TABLES for found in table(name)]
PRINTED_ROWS = {
    "zero_shot_2": 3,
    "zero_shot_3": 9,
    "zero_shot_4": 6,
    "ipac_2": 12,
    "ipac_3": 4,
    "ipac_4": 11,
    "ipac_5": 12,
    "ipac_8": 12,
    "ipac_9": 33,
    "ipac_10": 33,
    "ipac_11": 39,
}


def test_every_printed_row_is_there() -> None:
    assert {name: len(table(name)) for name in TABLES} == PRINTED_ROWS


@pytest.mark.parametrize(("name", "found"), ROWS, ids=[f"{name}-{found.case}-{found.model}" for name, found in ROWS])
def test_average_and_deviation_follow_from_the_row(name: str, found: Row) -> None:
    key = (name, found.case, found.model)
    values = list({**found.values, **ILLEGIBLE.get(key, {})}.values())
    expected = {"AVG": mean(values), "STD": stdev(values)}
    printed = {"AVG": found.average, "STD": found.std}
    if key in MISPRINTS:
        column, as_printed, right = MISPRINTS[key]
        assert printed[column] == as_printed
        assert abs(as_printed - right) > ROUNDING
        printed[column] = right
    if key in NO_AVERAGE:
        assert printed == {"AVG": None, "STD": None}
        first = row("zero_shot_3", found.case, found.model)
        printed = {"AVG": first.average, "STD": first.std}
    if name == "ipac_3":
        assert printed.pop("STD") is None
    for column, value in printed.items():
        assert value == pytest.approx(expected[column], abs=ROUNDING), column


def test_every_exception_is_a_row() -> None:
    known = {(name, found.case, found.model) for name, found in ROWS}
    assert known >= {*MISPRINTS, *ILLEGIBLE, *NO_AVERAGE}
    for (name, case, model), cells in ILLEGIBLE.items():
        assert not cells.keys() & row(name, case, model).values.keys()


@pytest.mark.parametrize(("shorter", "longer"), [("ipac_4", "ipac_9"), ("zero_shot_2", "zero_shot_3")])
def test_a_table_that_is_part_of_another_agrees_with_it(shorter: str, longer: str) -> None:
    for found in table(shorter):
        assert found == row(longer, found.case, found.model)


def test_single_languages_agree() -> None:
    for found in table("ipac_5"):
        assert found.values == (row("ipac_2", "1", "CONLIPA") if found.model == "Total" else row("ipac_10", "1", found.model)).values


@pytest.mark.parametrize("case", ["1", "2", "3"])
def test_the_main_model_is_the_same_in_every_table(case: str) -> None:
    best = row("ipac_2", case, "CONLIPA")
    for name, model in (("ipac_9", "Korean-512"), ("ipac_11", "0.1")):
        again = row(name, case, model)
        assert (again.values, again.average, again.std) == (best.values, best.average, best.std)
    for model in BASELINES:
        assert row("zero_shot_3", case, model).values == row("ipac_2", case, model).values
    for name in ("ipac_9", "ipac_10"):
        assert row(name, case, "XPhoneBERT") == row("zero_shot_3", case, "XPhoneBERT")


def test_languages_are_the_kits() -> None:
    assert {case: set(codes) for case, codes in cases().items()} == {case: set(by_case(case)) for case in ("1", "2", "3")}
    assert set(table("ipac_8")[0].values) == {"eng", *by_case("conlipa")}
    for name, found in ROWS:
        if name == "ipac_3":
            assert list(found.values) == [str(number) for number in range(1, 11)]
        else:
            assert set(found.values) <= set(languages())
            assert len(found.values) == {"1": 8, "2": 12, "3": 13, "high": 11}[found.case] or name == "zero_shot_4"


def test_claims_of_the_papers_are_in_their_figures() -> None:
    averages = {(found.case, found.model): found.average for found in main_results()}
    assert len(averages) == 12
    assert averages["1", "CONLIPA"] == 48.22
    assert averages["1", "XPhoneBERT"] == 46.38
    assert max(table("ipac_4"), key=lambda found: found.average or 0).model == "Korean-512"
    assert max((found for found in table("ipac_11") if found.case == "1"), key=lambda found: found.average or 0).model == "0.1"


def test_published_scores_of_a_language() -> None:
    assert published("sin") == {"mBERT": 10.71, "CANINE": 26.31, "XPhoneBERT": 43.61, "CONLIPA": 45.69}
    assert published("tam") == {"XPhoneBERT": 59.39, "CONLIPA": 60.49}
    assert published("jpn") == {}


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(ConlipaError, match="ipac_12: no such table of the papers; did you mean ipac_"):
        table("ipac_12")
    with pytest.raises(ConlipaError, match="ipac_4: has no row of Korean-500 in case 1; did you mean Korean-"):
        row("ipac_4", "1", "Korean-500")
