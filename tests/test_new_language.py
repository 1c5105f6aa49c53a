"""The tutorial `docs/tutorials/new-language.md`, run as a reader would run it."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conlipa.dataset_scripts.g2p.letter_map import read_letter_map
from conlipa.dataset_scripts.g2p.phonemizer import phonemizer
from conlipa.dataset_scripts.g2p.words import script_of
from conlipa.dataset_scripts.languages import language, languages
from conlipa.dataset_scripts.tables import rows
from conlipa.modeling.inference.packaged import packaged
from tests.conftest import ROOT

TUTORIAL = (ROOT / "docs" / "tutorials" / "new-language.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TUTORIAL, re.MULTILINE | re.DOTALL)


def reader(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, subprocess.CompletedProcess[str]]]:
    """Each block with what it printed, run in order in one folder."""
    packaged("mini")  # raises where this checkout carries no model
    assert shutil.which("conlipa", path=str(Path(sys.executable).parent)), "the console script is not installed"
    folder = tmp_path_factory.mktemp("tutorial")
    shells = {"sh": ["bash", "-c"], "python": [sys.executable, "-c"]}
    return [(text, reader([*shells[kind], text], folder)) for kind, text in BLOCKS if kind in shells]


def test_what_the_tutorial_says_is_printed_is_printed(printed: list[tuple[str, subprocess.CompletedProcess[str]]]) -> None:
    found = dict(printed)
    expected = [(text, answer) for (_, text), (kind, answer) in itertools.pairwise(BLOCKS) if kind == "text"]
    assert len(expected) == 3
    for command, answer in expected:
        assert found[command].stdout + found[command].stderr == answer
        assert found[command].returncode == (1 if "error" in answer else 0)


def test_the_tutorial_s_text_is_tagged(printed: list[tuple[str, subprocess.CompletedProcess[str]]]) -> None:
    (tagged,) = (done for text, done in printed if "conlipa tag" in text)
    (row,) = map(json.loads, tagged.stdout.splitlines())
    assert row["text"] == "Ua hele ʻo Keōua i Honolulu ."
    assert all(row["text"][entity["start"] : entity["end"]] == entity["text"] for entity in row["entities"])
    (python,) = (done for text, done in printed if text.startswith("import conlipa"))
    assert python.returncode == 0, python.stderr
    assert python.stdout.splitlines() == [f"{e['label']} {e['text']} {e['start']} {e['end']}" for e in row["entities"]]


def test_the_row_that_it_shows_fits_the_table() -> None:
    (row,) = (text.strip().split(",") for kind, text in BLOCKS if kind == "csv")
    header = list(rows("languages.csv")[0])
    assert len(row) == len(header)
    assert row[0] not in languages()
    assert dict(zip(header, row, strict=True))["case"] in {language.case for language in languages().values()}


READ_BY_TABLE = [(row["iso"], engine) for row in rows("languages.csv") for engine in row["engines"].split()[:1] if engine.startswith("letters:")]


@pytest.mark.parametrize(("lang", "engine"), READ_BY_TABLE)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_table_reads_the_same_in_the_kit_and_beside_it(lang: str, engine: str, data: st.DataObject) -> None:
    """A user's table (`map:FILE`) gives what it will give once it is part of the kit (`letters:NAME`), also where a word begins with ʻ or ʼ."""
    path = ROOT / "dataset_scripts" / "letters" / f"{engine.partition(':')[2]}.csv"
    letters = [letter for letter in read_letter_map(path) if script_of(letter[0]) == language(lang).script]
    begins = data.draw(st.sampled_from(["", "ʻ", "ʼ"]))
    word = begins + "".join(data.draw(st.lists(st.sampled_from(letters), min_size=1, max_size=8)))
    assert phonemizer(lang, engine)([word]) == phonemizer(lang, f"map:{path}")([word])
