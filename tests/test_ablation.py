"""A study as a user runs it: arms and seeds on one stage-1 model, resumed, compared."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from conlipa.atomic_files import write_json
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.evaluation.evaluation import Tagged
from conlipa.modeling.evaluation.papers import cases, row
from conlipa.modeling.evaluation.significance import difference_over_languages
from conlipa.modeling.inference.packaged import packaged
from conlipa.modeling.recipe_file import read_recipe, with_ipac
from conlipa.modeling.studies import runs
from conlipa.modeling.studies.ablation import STUDIES, command_of, main, read_study
from tests.conftest import TINY, run


@pytest.mark.parametrize("name", sorted(path.stem for path in STUDIES.glob("*.yaml")))
def test_the_kits_studies_are_whole(name: str) -> None:
    study = read_study(name)
    assert study.reference in study.arms
    for settings in study.arms.values():
        if settings is not None:
            with_ipac(read_recipe("mini"), settings, study.path)


@pytest.mark.parametrize("name", sorted(path.stem for path in STUDIES.glob("*.yaml")))
def test_the_papers_have_the_rows_that_a_study_names(name: str) -> None:
    study = read_study(name)
    for table, model in study.papers.values():
        assert set(row(table, "1", model).values) == set(cases()["1"])
    if study.papers:
        assert study.papers.keys() == study.arms.keys()


@pytest.mark.slow
def test_a_study_is_trained_measured_and_not_done_twice(tiny_release: Path, tmp_path: Path) -> None:
    recipe, study, other, out = tmp_path / "tiny.yaml", tmp_path / "two.yaml", tmp_path / "other.yaml", tmp_path / "out"
    recipe.write_text(TINY, encoding="utf-8")
    study.write_text("title: Two arms\nreference: none\narms: {none: , plain: {replay_weight: 0.0}}\n", encoding="utf-8")
    other.write_text("title: The same\nreference: none\narms: {none: , another name: {replay_weight: 0.0, korean_pairs: 64}}\n", encoding="utf-8")
    options = ["--profile", str(recipe), "--ner", str(tiny_release / "tiny-ner"), "--langs", "sin,tgk", "--out", str(out)]
    command = ["-m", "conlipa.modeling.studies.ablation", str(study), *options, "--seeds", "2", "--sentences", "20"]
    first = run(*command)
    assert "| plain |" in first.stdout
    report = json.loads((out / "two.json").read_text(encoding="utf-8"))
    found = report["arms"]["plain"]["paper_f1"]
    assert len(found["seeds"]) == 2
    assert found["seeds"][0] != report["arms"]["none"]["paper_f1"]["seeds"][0]
    assert found["seeds"] == [pytest.approx((sin + tgk) / 2) for sin, tgk in zip(found["languages"]["sin"], found["languages"]["tgk"], strict=True)]
    found = report["arms"]["plain"]["entity_f1"]["difference"]
    assert found["low"] <= found["difference"] <= found["high"]
    files = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*") if path.is_file()}
    assert len(list((out / "runs").glob("*/training.json"))) == 2
    again = run(*command)
    assert again.stdout == first.stdout
    run("-m", "conlipa.modeling.studies.ablation", str(other), *options, "--seeds", "2", "--sentences", "10")
    same = json.loads((out / "other.json").read_text(encoding="utf-8"))
    assert len(same["arms"]["another name"]["paper_f1"]["seeds"]) == 2
    assert {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*") if path.is_file()} == files


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("5\n", "expected a mapping of title, reference, arms, and papers or not"),
        ("title: x\nreference: a\narms: [a]\n", "arms is ['a'], expected a mapping"),
        ("title: x\nreference: a\narms: {a: {1: 2}}\n", "study.yaml: "),
        ("title: x\narms: {}\n", "expected a mapping of title, reference, arms, and papers or not"),
        ("title: x\nreference: plian\narms: {plain: {}}\n", "'plian' is none of the arms; did you mean plain?"),
        (
            "title: x\nreference: plain\narms: {plain: {}}\npapers: {plan: [ipac_9, x]}\n",
            "row of the papers 'plan' is none of the arms; did you mean plain?",
        ),
        ("title: x\nreference: plain\narms: {plain: {}}\npapers: 9\n", "papers is 9, expected a mapping"),
        ('title: x\nreference: "16"\narms: {16: {korean_pairs: 16}}\n', "study.yaml: the arm 16 has a name that is no text: put it in quotes"),
        ("title: x\nreference: 16\narms: {a: {}}\n", "study.yaml: reference is 16, expected text: put it in quotes"),
        ("title: 2025-03-10\nreference: a\narms: {a: {}}\n", "expected text: put it in quotes"),
        (
            "title: x\nreference: a\narms: {a: 16}\n",
            "study.yaml: the arm 'a' is 16, expected settings of ipac (a mapping), or nothing for stage 1 alone",
        ),
        ("title: x\nreference: a\narms: {a: [korean_pairs]}\n", "the arm 'a' is ['korean_pairs'], expected settings of ipac"),
        ("title: x\nreference: a\narms: {a: ''}\n", "the arm 'a' is '', expected settings of ipac"),
        ("title: x\nreference: plain\narms: {plain: {temprature: 1}}\n", "unknown key 'ipac.temprature'; did you mean temperature?"),
    ],
)
def test_a_mistake_in_a_study_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, complaint: str
) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["ablation", str(path), "--ner", str(tmp_path), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        main()
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 1
    assert line.startswith("conlipa: error: ")
    assert complaint in line


@pytest.mark.parametrize(
    ("recorded", "options", "complaint"),
    [
        ({"languages": ["sin", "tgk"]}, [], "sample: has a validation split of no language that {ner} was not trained on"),
        ({}, ["--langs", "sin,tgk,lit,nob"], "sample: has no validation split of lit, nob, which --langs names"),
        (
            {"recipe": {"name": "conlipa-xphonebert"}},
            [],
            "is conlipa-xphonebert, and with --profile mini it is conlipa-mini; name its own (--profile paper, ",
        ),
        (
            {"recipe": {"name": "conlipa-mini", "encoder": {"layers": 8}}},
            [],
            "whose encoder.case_marks is False, and with --profile mini it is True; name its own (--profile FILE.yaml, ",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_before_any_arm_is_trained(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    recorded: dict[str, object],
    options: list[str],
    complaint: str,
) -> None:
    ner, out = tmp_path / "ner", tmp_path / "out"
    write_json(recorded, ner / "training.json")
    monkeypatch.setattr(Corpus, "languages", lambda *_: ["sin", "tgk"])
    monkeypatch.setattr(sys, "argv", ["ablation", "korean", "--ner", str(ner), "--corpus", "sample", "--out", str(out), *options])
    with pytest.raises(SystemExit) as ended:
        main()
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 1
    assert complaint.format(ner=ner) in line
    assert not out.exists()


def test_a_difference_over_languages_is_found_where_it_is_and_not_where_it_is_not() -> None:
    rng = np.random.default_rng(0)

    def counts(right: float) -> np.ndarray:
        """(100, 3, 3) counts of sentences with one entity each, found with a chance."""
        hits = (rng.random(100) < right).astype(np.int64)
        return np.stack([np.stack([hits, np.ones_like(hits), np.ones_like(hits)])] * 3).transpose(2, 0, 1)

    better, worse, same = ([{"sin": counts(p), "tgk": counts(p)} for _ in range(3)] for p in (0.8, 0.4, 0.4))
    found = difference_over_languages(better, worse)
    assert found.low > 20
    assert found.low < found.difference < found.high
    nothing = difference_over_languages(worse, same)
    assert nothing.low < 0 < nothing.high
    with pytest.raises(ValueError, match="the same languages"):
        difference_over_languages([{"sin": counts(0.5)}], [{"tgk": counts(0.5)}])
    with pytest.raises(ValueError, match="not of the same sentences"):
        difference_over_languages([{"sin": counts(0.5)}], [{"sin": counts(0.5)[:50]}])


@pytest.mark.parametrize(("option", "least"), [("seeds", 1), ("sentences", 0), ("jobs", 1)])
def test_a_number_that_cannot_be_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str, least: int
) -> None:
    command = ["ablation", "korean", "--ner", str(tmp_path), "--out", str(tmp_path / "out"), f"--{option}", str(least - 1)]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert f"--{option} is {least - 1}; at least {least}" in capsys.readouterr().err


def test_no_limit_is_kept_as_all_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ner, corpus = packaged("mini")[0], Corpus("sample")
    whole = Tagged([[0]] * 3, [[0]] * 3, [[0]] * 3, [[0]] * 3)
    monkeypatch.setattr(runs, "load_adapted", lambda *_: (None, None))
    monkeypatch.setattr(runs, "tagged", lambda *given: whole if given[5] is None else whole.chosen(range(given[5])))
    for limit in (0, None):
        assert len(runs.measure(ner, None, corpus, ["tgk"], limit, tmp_path / "kept.npz")["paper_f1"]["tgk"]) == 3


def test_the_command_of_a_study_is_the_one_that_was_given() -> None:
    given = Namespace(study="korean", profile="mini", settings=["ipac.epochs=1"], langs="sin,som", seeds=2, sentences=0)
    assert command_of(given).endswith(" korean --profile mini --set ipac.epochs=1 --ner DIR --corpus DIR --langs sin,som --seeds 2 --out DIR")
