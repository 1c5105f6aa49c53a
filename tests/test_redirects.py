"""Titles that redirect: their words are known, transcribed as the kit transcribes, packed beside the corpus, and left out where a score says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conlipa.dataset_scripts.languages import by_case
from conlipa.modeling.data import redirects as module
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.packed_corpus import REDIRECTS, PackedCorpus
from conlipa.modeling.data.packing import packed_corpus
from conlipa.modeling.data.redirects import is_redirect, read, redirects, transcribed
from conlipa.modeling.recipe import PHONEMES
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.tokenizer import phoneme_tokenizer
from tests.conftest import conlipa

TITLE = "کراچی\tB-LOC\n(\tO\nپاکستان\tB-LOC\n)\tO\n"


def test_the_words_are_transcribed_as_the_kit_transcribes() -> None:
    rows = read()
    assert len(rows) > 50
    assert [row["ipa"] for row in rows] == [transcribed(row["iso"], row["word"]) for row in rows]


def test_help_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["redirects", "--help"])
    monkeypatch.setattr(module, "read", lambda: [])
    monkeypatch.setattr(module, "FILE", tmp_path / "redirects.csv")
    with pytest.raises(SystemExit):
        module.main()
    assert "transcribes the words" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_the_first_case_has_heard_no_word() -> None:
    assert not set(by_case("1")) & set(redirects())


@pytest.mark.parametrize(
    ("tokens", "iso", "expected"),
    [
        (["رجوع_مکرر", "کراچی"], "urd", True),
        (["#", "alih", "Jakarta"], "ind", True),
        (["#REDIRECT", "Kigali"], "kin", True),
        (["ALIH", "Berlin"], "deu", False),
        (["#", "#"], "deu", False),
        (["Karachi", "ALIH"], "ind", False),
    ],
)
def test_a_redirect_is_known_by_its_first_word(tokens: list[str], iso: str, expected: bool) -> None:
    assert is_redirect(tokens, iso) is expected


def test_a_packed_corpus_has_the_words_and_trains_on_none_of_them() -> None:
    packed: PackedCorpus = packed_corpus(Corpus("sample"), ["eng"], ("redirects/urd",), phoneme_tokenizer(), 128, PHONEMES, False)
    assert packed.languages() == ["eng"]
    assert packed.chosen(["eng", "deu"], ()).tolist() == [0]
    assert "urd" not in {each.lang for each in packed.sets if each.kind == REDIRECTS}
    assert len(packed.redirects(())) == len([row for row in read() if row["iso"] != "urd"])
    assert len(packed.redirects(("redirects/*",))) == 0


def test_mini_and_no_other_recipe_hears_them() -> None:
    heard = {name: read_recipe(name).ner.augmentation.redirect for name in ("mini", "mini-third", "mini-second", "mini-first", "mini-en", "paper")}
    assert [name for name, share in heard.items() if share] == ["mini"]


def test_scores_without_redirects_are_those_of_the_other_titles(tmp_path: Path) -> None:
    scores = {}
    for name, text in {"both": f"رجوع_مکرر\tO\nلاہور\tB-LOC\n\n{TITLE}\n", "other": f"{TITLE}\n"}.items():
        (tmp_path / name / "urd").mkdir(parents=True)
        (tmp_path / name / "urd" / "dev.tsv").write_text(text, encoding="utf-8")
        out = tmp_path / f"{name}.json"
        conlipa("evaluate", "--corpus", str(tmp_path / name), "--langs", "urd", "--split", "validation", "--json", str(out))
        scores[name] = json.loads(out.read_text(encoding="utf-8"))["languages"]["urd"]
    assert scores["both"]["without_redirects"] == scores["other"]
    assert scores["both"]["n"] == 2
