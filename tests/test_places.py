"""Folders with names of their own, and of two forms: what `--corpus` reads of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from datasets import Dataset

from conlipa.dataset_scripts.wikiann.places import Place, places
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.dataset_scripts.wikiann.wikiann_ipa import FEATURES
from conlipa.errors import ConlipaError
from conlipa.modeling.data.corpus import Corpus

SEP = os.pathsep


def tsv(folder: Path, city: str, lang: str = "tur") -> Path:
    (folder / lang).mkdir(parents=True)
    (folder / lang / "dev.tsv").write_text(f"{city}\tB-LOC\n", encoding="utf-8")
    return folder


def parquet(folder: Path, *tags: str, name: str = "tur/validation.parquet") -> Path:
    """A file of a release's form, with one sentence."""
    row = {"tokens": ["Van"] * len(tags), "ner_tags": [LABELS.index(tag) for tag in tags], "ipa_tokens": ["v a n"] * len(tags)}
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_list([row], features=FEATURES).to_parquet(folder / name)
    return folder


def cities(corpus: Corpus) -> list[str]:
    return [tokens[0] for tokens in corpus.split("tur", "validation")["tokens"]]


def test_a_separator_in_the_name_of_a_folder_that_exists_ends_no_place(tmp_path: Path) -> None:
    odd, other, plain = (tsv(tmp_path / name, city) for name, city in ((f"10{SEP}00{SEP}00", "Van"), (f"b{SEP}c", "Adana"), ("d", "Bursa")))
    assert places(f"titles={odd}") == (Place(str(odd)),)
    assert places(f"running={odd}") == (Place(str(odd), "running"),)
    said = f"titles={odd}{SEP}{plain}{SEP}running={other}"
    assert places(said) == (Place(str(odd)), Place(str(plain)), Place(str(other), "running"))
    corpus = Corpus(said)
    assert cities(Corpus(str(odd))) == ["Van"]
    assert cities(corpus) == ["Van", "Bursa", "Adana"]
    assert [each.kind for each in corpus.sets(["tur"], "validation")] == ["titles", "titles", "running"]
    assert corpus.fingerprint()


def test_a_release_in_a_folder_with_a_separator_is_joined_by_running_text(tmp_path: Path) -> None:
    released, running = parquet(tmp_path / f"10{SEP}00" / "wikiann-ipa", "B-LOC"), tsv(tmp_path / f"b{SEP}c", "Adana")
    corpus = Corpus(SEP.join([f"titles={released}", *map(str, places(f"running={running}"))]))
    assert cities(corpus) == ["Van", "Adana"]


def test_a_folder_that_has_a_kind_s_name_beside_it_is_the_one_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tsv(tmp_path / "mine", "Van")
    tsv(tmp_path / "titles=mine", "Adana", "tuk")
    assert Corpus("mine").languages("validation") == ["tur"]
    assert cities(Corpus("mine")) == ["Van"]


def test_parquet_that_is_none_of_a_release_hides_no_tsv(tmp_path: Path) -> None:
    tsv(tmp_path, "Adana")
    parquet(tmp_path, "B-LOC", name="raw/train.parquet")
    parquet(tmp_path, "B-LOC", name="tur/dump.parquet")
    corpus = Corpus(str(tmp_path))
    assert corpus.languages("validation") == ["tur"]
    assert cities(corpus) == ["Adana"]


def test_both_forms_in_one_folder_are_refused(tmp_path: Path) -> None:
    parquet(tsv(tmp_path, "Adana", "tuk"), "B-LOC")
    said = rf"holds both {Path('tur/validation.parquet')} of a release and {Path('tuk/dev.tsv')}; expected a folder for each"
    with pytest.raises(ConlipaError, match=said.replace("\\", r"\\")):
        Corpus(str(tmp_path))


@pytest.mark.parametrize("word", ["sample", "hub"])
def test_a_folder_of_a_word_s_name_is_not_what_the_word_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.chdir(tmp_path)
    parquet(tmp_path / word, "B-LOC", name="tur/test.parquet")
    assert len(Corpus(word).languages("validation")) > 10
    assert Corpus(f".{os.sep}{word}").languages("test") == ["tur"]
    assert [place.name for where in (word, f".{os.sep}{word}") for place in places(where)] == [word, f"folder {word}"]  # in cards, with its licence


def test_strict_looks_at_the_parquet_of_a_release_too(tmp_path: Path) -> None:
    file = parquet(tmp_path, "B-LOC", "I-LOC", "I-PER") / "tur" / "validation.parquet"
    assert len(Corpus(str(tmp_path)).split("tur", "validation")) == 1
    with pytest.raises(ConlipaError) as caught:
        Corpus(str(tmp_path), strict=True).split("tur", "validation")
    assert str(caught.value) == f"{file}: row 1: I-PER continues no entity (without --strict such tags are kept and counted)"
