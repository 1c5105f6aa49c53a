"""The measured quality of the transcription: whole, pure, and no chain worse than one of its engines alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conlipa.dataset_scripts.languages import by_case, languages
from conlipa.dataset_scripts.quality.quality import QUALITY, of_dictionary, of_sentences
from tests.conftest import SHARED, run

FIGURES = json.loads(QUALITY.read_text(encoding="utf-8"))
ROUNDING = 0.1


def test_the_figures_are_of_languages_that_the_kit_has() -> None:
    assert set(FIGURES) <= set(languages())
    assert {iso for iso, row in FIGURES.items() if "error_rate" in row} >= {"eng", "khm", "san", "uig", "sin"}


@pytest.mark.parametrize("lang", [lang for lang, row in FIGURES.items() if "error_rate" in row])
def test_no_chain_is_worse_than_an_engine_alone(lang: str) -> None:
    row = FIGURES[lang]
    assert row["error_rate"] <= min(row.get("epitran", 100.0), row.get("espeak", 100.0)) + ROUNDING


@pytest.mark.parametrize("lang", [lang for lang, row in FIGURES.items() if "tokens" in row])
def test_every_phoneme_from_a_letter_is_ipa(lang: str) -> None:
    assert FIGURES[lang]["phonemes"] > 0
    assert FIGURES[lang]["impure"] == 0


@pytest.mark.parametrize("lang", ["khm", "grn", "tgk"])
def test_the_figures_can_be_measured_again(lang: str) -> None:
    if not SHARED.is_dir():
        pytest.skip("no dictionaries and no WikiANN beside this checkout")
    again = of_dictionary(lang, SHARED / "data" / "wikipron" / f"{lang}.tsv") | of_sentences(lang, str(SHARED / "data" / "wikiann"))
    assert again == {name: value for name, value in FIGURES[lang].items() if name != "agreement"}


def test_a_corpus_that_is_none_is_one_line(tmp_path: Path) -> None:
    options = ("--dictionaries", tmp_path, "--papers", tmp_path, "--corpus", tmp_path / "none")
    done = run("-m", "conlipa.dataset_scripts.quality.quality", *options, code=1, fresh=True)
    assert done.stderr.startswith("conlipa: error: ")
    assert done.stderr.count("\n") == 1


def test_all_44_languages_have_a_chain() -> None:
    assert sum(bool(languages()[iso].engines) for iso in by_case("source", "1", "2", "3", "conlipa")) == 44
