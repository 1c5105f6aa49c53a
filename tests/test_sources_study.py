"""The study of what case marks and running text each bring, as a user runs it."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from pathlib import Path

import pytest

from conlipa.errors import UsageError
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.studies.sources import ARMS, LEFT_OUT, arm
from conlipa.modeling.studies.sources import run as run_study
from tests.conftest import TINY, run

SENTENCES = {"eng/train": "Maria\tB-PER\nlives\tO\nin\tO\nBerlin\tB-LOC\n\nIt\tO\nrains\tO\n\n" * 20, "jpn/test": "東京\tB-LOC\nです\tO\n\n" * 5}
SENTENCES["tgk/test"] = "Душанбе\tB-LOC\nпойтахти\tO\nТоҷикистон\tB-LOC\nаст\tO\n\n" * 5


def test_no_arm_has_heard_a_language_left_out() -> None:
    recipe = read_recipe("mini")
    arms = {name: arm(recipe, *trained_with, minutes=1, left_out=LEFT_OUT).ner for name, trained_with in ARMS.items()}
    for ner in arms.values():
        assert ner.start is None
        assert not set(LEFT_OUT) & set(ner.languages)
        assert {f"redirects/{lang}" for lang in LEFT_OUT} <= set(ner.exclude)
    assert [name for name, ner in arms.items() if ner.mark_share] == ["case marks", "both"]
    assert [name for name, ner in arms.items() if ner.running_share and "running/*" not in ner.exclude] == ["running text", "both"]


@pytest.mark.slow
def test_four_arms_are_trained_and_measured_once(tmp_path: Path) -> None:
    for place, content in SENTENCES.items():
        path = tmp_path / "running" / f"{place}.tsv"
        path.parent.mkdir(parents=True)
        path.write_text(content, encoding="utf-8")
    recipe, out = tmp_path / "tiny.yaml", tmp_path / "out"
    recipe.write_text(TINY.replace("}\nner: {", ", case_marks: true, max_positions: 194}\nner: {running_share: 0.5,"), encoding="utf-8")
    corpus = f"titles=sample{os.pathsep}running={tmp_path / 'running'}"
    command = ["-m", "conlipa.modeling.studies.sources", "--profile", str(recipe), "--corpus", corpus, "--out", str(out), "--minutes", "0.05"]
    said = run(*command, "--leave-out", "tgk,jpn").stdout
    assert "(cased: tgk; uncased: jpn)" in said
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.splitlines() if line.startswith("|")][2:]
    assert [row[:2] for row in rows] == [["neither", "no"], ["case marks", "yes"], ["", "no"], ["running text", "no"], ["both", "yes"], ["", "no"]]
    scores = json.loads((out / "sources.json").read_text(encoding="utf-8"))["scores"]
    assert rows[4][2:4] == [f"{scores['both']['marked']['running'][lang]:.1f}" for lang in ("tgk", "jpn")]
    weights = {path: path.stat().st_mtime_ns for path in out.glob("*/model.safetensors")}
    assert len(weights) == len(ARMS)
    assert run(*command, "--leave-out", "tgk,jpn").stdout == said
    assert all(path.stat().st_mtime_ns == before for path, before in weights.items())
    assert "--leave-out names no language" in run(*command, "--leave-out", "", code=2).stderr
    assert "has no test or validation split of lit" in run(*command, "--leave-out", "lit", code=1).stderr


@pytest.mark.parametrize(
    ("minutes", "settings", "complaint"),
    [
        (0.0, [], "--minutes is 0; expected more than 0"),
        (-1.0, ["ner.minutes=5"], "--minutes is -1; expected more than 0"),
        (float("nan"), ["ner.minutes=5"], "--minutes is nan; expected more than 0"),
        (float("inf"), ["ner.minutes=5"], "--minutes is inf; expected more than 0"),
        (10.0, ["ner.minutes=5"], "--set ner.minutes: the time of each of the four is --minutes"),
    ],
)
def test_a_time_that_cannot_be_is_an_error_before_any_work(tmp_path: Path, minutes: float, settings: list[str], complaint: str) -> None:
    given = Namespace(sentences=1, profile="mini", settings=settings, corpus="sample", leave_out="por", minutes=minutes, out=tmp_path)
    with pytest.raises(UsageError, match=complaint):
        run_study(given)


def test_a_number_of_sentences_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    given = Namespace(sentences=-1, profile="mini", settings=[], corpus="sample", leave_out="por", minutes=1, out=tmp_path)
    with pytest.raises(UsageError, match="--sentences is -1; at least 0"):
        run_study(given)
