"""The verdict on a claim: where the intervals of its effects lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.evaluation.papers import cases, row
from conlipa.modeling.inference.packaged import packaged
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.report import claims
from conlipa.modeling.report.__main__ import command_of, parser
from conlipa.modeling.report.claims import Effect, cosine_effect, deciding, effects_of, keep_cosines, kept_cosines, verdict
from conlipa.modeling.report.section import Inputs
from conlipa.modeling.studies.ablation import read_study


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ([Effect(1.0, 0.2, 1.8, "none")], "holds"),
        ([Effect(-1.0, -1.8, -0.2, "none")], "fails"),
        ([Effect(1.0, -0.2, 2.2, "none")], "undecided"),
        ([Effect(0.5, 0.1, 0.9, "0.2"), Effect(1.0, 0.2, 1.8, "0.5")], "holds"),
        ([Effect(0.5, -0.1, 0.9, "0.2"), Effect(1.0, 0.2, 1.8, "0.5")], "undecided"),
        ([Effect(-0.5, -0.9, -0.1, "0.2"), Effect(1.0, 0.2, 1.8, "0.5")], "fails"),
    ],
)
def test_a_verdict_is_where_the_intervals_lie(effects: list[Effect], expected: str) -> None:
    assert verdict(effects) == expected


def runs_with(right: float, seed: int) -> list[dict[str, dict[str, np.ndarray]]]:
    """Three runs on two languages of 200 sentences with one entity each, which is found with a chance."""
    rng = np.random.default_rng(seed)

    def counts() -> np.ndarray:
        found = np.zeros((200, 3, 3), dtype=np.int64)
        found[:, 0] = 1
        found[:, 0, 0] = rng.random(200) < right
        return found

    return [{"entity_f1": {"sin": counts(), "tgk": counts()}} for _ in range(3)]


def test_the_best_of_several_is_better_than_each() -> None:
    best, good, bad = runs_with(0.8, 0), runs_with(0.79, 1), runs_with(0.3, 2)
    assert verdict(effects_of(best, {"bad": bad}, "entity_f1")) == "holds"
    assert verdict(effects_of(bad, {"best": best}, "entity_f1")) == "fails"
    effects = effects_of(best, {"bad": bad, "good": good}, "entity_f1")
    assert verdict(effects) == "undecided"
    nearest = deciding(effects)
    assert nearest.to == "good"
    (alone,) = effects_of(best, {"good": good}, "entity_f1")
    assert nearest.low < alone.low < alone.difference < alone.high < nearest.high
    assert deciding(effects_of(bad, {"best": best, "bad": bad}, "entity_f1")).to == "best"


def test_a_rise_of_cosine_is_found_where_it_is() -> None:
    rng = np.random.default_rng(0)
    before = rng.uniform(0.5, 0.9, 10)
    risen = {"eng-ori": {"before": before.tolist(), "after": [(before + rng.normal(0.05, 0.01, 10)).tolist() for _ in range(3)]}}
    effect = cosine_effect(risen)
    assert 4 < effect.low < effect.difference < effect.high < 6
    assert effect.difference == pytest.approx(100 * (np.mean(risen["eng-ori"]["after"]) - before.mean()))
    same = {"eng-ori": {"before": before.tolist(), "after": [(before + rng.normal(0, 0.05, 10)).tolist() for _ in range(3)]}}
    assert verdict([cosine_effect(same)]) == "undecided"


def test_cosines_of_another_model_are_no_cosines_of_this_one(tmp_path: Path) -> None:
    ner, adapter = packaged("mini")
    inputs = Inputs(ner, str(adapter), read_recipe("mini"), Corpus("sample"), (), tmp_path)
    assert kept_cosines(inputs) is None
    found = {"eng-ori": {"before": [0.5], "after": [[0.6]]}}
    keep_cosines(inputs, found)
    assert kept_cosines(inputs) == found
    for other in (replace(inputs, adapter=ner), replace(inputs, seeds=1), replace(inputs, recipe=read_recipe("mini", ["ipac.epochs=1"]))):
        assert kept_cosines(other) is None


@pytest.mark.parametrize("rival", ["0.05", "0.5"])
def test_the_papers_effect_is_a_difference_to_the_rival_that_the_line_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rival: str) -> None:
    (claim,) = (claim for claim in claims.CLAIMS if claim.study == "temperature")
    monkeypatch.setattr(claims, "CLAIMS", (claim,))
    monkeypatch.setattr(claims, "counts_of_study", lambda *_: {arm: [] for arm in read_study("temperature").arms})
    monkeypatch.setattr(claims, "effects_of", lambda _, others, score: [Effect(0.1, -0.5 - (name == rival), 0.7, name) for name in others])
    ner, adapter = packaged("mini")
    langs = tuple(iso for own in cases().values() for iso in own)
    body = claims.section(Inputs(ner, str(adapter), read_recipe("mini"), Corpus("sample"), langs, tmp_path)).body
    (line,) = (line for line in body.splitlines() if line.startswith("| Temperature 0.1 is best | paper_f1"))
    theirs = [row("ipac_11", case, "0.1").values[iso] - row("ipac_11", case, rival).values[iso] for case, own in cases().items() for iso in own]
    assert f"{rival} (of 4 others) | {np.mean(theirs):+.2f} |" in line


def test_the_command_of_a_section_is_the_one_that_was_given() -> None:
    options = ["--set", "ipac.epochs=1", "--adapter", "mine", "--corpus", "sample", "--out", "report"]
    given = command_of(parser().parse_args(options), "claims")
    assert given.startswith("python -m conlipa.modeling.report --profile mini --set ipac.epochs=1 --adapter DIR --corpus sample ")
