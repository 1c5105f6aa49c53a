"""A packed corpus: the same batches as from the corpus itself, and nothing else is taken for one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from conlipa.errors import ConlipaError
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.fingerprint import of_sentences, of_sets
from conlipa.modeling.data.packed_corpus import PackedCorpus
from conlipa.modeling.data.packing import packed_corpus
from conlipa.modeling.data.sentences import Sentences, source_languages
from conlipa.modeling.recipe import PHONEMES, Ner
from conlipa.modeling.tokenizer import phoneme_tokenizer
from tests.conftest import run

TOKENIZER = phoneme_tokenizer()
SETTINGS = Ner(batch_positions=2048, join=0.2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    packed_corpus(Corpus("sample"), ["eng"], (), TOKENIZER, 128, PHONEMES, False).save(tmp_path / "packed")
    return tmp_path / "packed"


def test_its_batches_and_its_digest_are_those_of_the_corpus(folder: Path) -> None:
    corpus, packed = Corpus("sample"), PackedCorpus.load(folder)
    assert source_languages(packed, ["eng"]) == ["eng"]
    assert packed.fingerprint(["eng"]) == of_sentences(corpus, ["eng"], "train")
    ours, theirs = (Sentences(each, ["eng"], SETTINGS, TOKENIZER, 128) for each in (packed, corpus))
    for a, b in zip(ours.epoch(0, 8, 0), theirs.epoch(0, 8, 0), strict=True):
        assert np.array_equal(a, b)
        first, second = ours.batch(a), theirs.batch(b)
        assert all(torch.equal(first[name], second[name]) for name in first)


def test_it_knows_how_its_sentences_were_divided(folder: Path, tmp_path: Path) -> None:
    corpus, packed = Corpus("sample"), PackedCorpus.load(folder)
    assert packed.division_of(["eng"]) == of_sets(corpus, corpus.sets(["eng"], "train"))
    assert packed.division_of(["eng", "deu"]) == ""
    cuts = []
    for number, parts in enumerate(((["Oslo", "Rome", "Oslo"], ["Rome"]), (["Oslo", "Rome"], ["Oslo", "Rome"]))):
        for name, words in zip("ab", parts, strict=True):
            file = tmp_path / f"{name}{number}" / "eng" / "train.tsv"
            file.parent.mkdir(parents=True)
            file.write_text("".join(f"{word}\tB-LOC\n\n" for word in words), encoding="utf-8")
        where = os.pathsep.join(str(tmp_path / f"{name}{number}") for name in "ab")
        cuts.append(packed_corpus(Corpus(where), ["eng"], (), TOKENIZER, 128, PHONEMES, False).packed.set_starts[1])
    assert cuts == [3, 2]


def test_sentences_of_one_word_are_joined_with_the_separator(tmp_path: Path) -> None:
    (tmp_path / "eng").mkdir()
    (tmp_path / "eng" / "train.tsv").write_text("Oslo\tB-LOC\n\nParis\tB-LOC\n\n", encoding="utf-8")
    made = Sentences(Corpus(str(tmp_path)), ["eng"], Ner(join=1.0, exclude=("redirects/*",)), TOKENIZER, 128)
    ((row,),) = made.epoch(0, 8, 0)
    assert made.batch([row])["input_ids"][0].tolist().count(TOKENIZER.convert_tokens_to_ids("▁")) == 1


def test_sets_are_left_out_by_name_or_pattern(folder: Path) -> None:
    packed = PackedCorpus.load(folder)
    assert packed.chosen(["eng"], ()).tolist() == [0]
    for pattern in ("titles/eng", "titles/*", "*/eng"):
        assert not packed.chosen(["eng"], (pattern,)).size
    assert packed.chosen(["eng"], ("running/*", "titles/deu")).tolist() == [0]


def test_another_encoders_is_refused(folder: Path) -> None:
    with pytest.raises(ConlipaError, match="packed for another encoder"):
        Sentences(PackedCorpus.load(folder), ["eng"], SETTINGS, TOKENIZER, 64)


def test_a_damaged_folder_is_refused_in_one_line(folder: Path) -> None:
    def refused() -> None:
        with pytest.raises(ConlipaError, match="not a packed corpus") as error:
            PackedCorpus.load(folder)
        assert len(str(error.value).splitlines()) == 1

    place = folder / "arrays" / "labels.npy"
    whole = place.read_bytes()
    labels = np.load(place)
    np.save(place, labels[:-1])
    refused()
    np.save(place, np.full_like(labels, 9))
    refused()
    place.write_bytes(whole[:50])
    refused()
    place.write_bytes(whole)
    PackedCorpus.load(folder)
    (folder / "sets.json").write_text(json.dumps([1]), encoding="utf-8")
    refused()
    (folder / "sets.json").unlink()
    refused()


@pytest.mark.slow
def test_the_command_packs_and_stage_one_takes_it(tmp_path: Path) -> None:
    out = tmp_path / "packed"
    common = ["--profile", "mini-en", "--set", "ner.sentences_per_language=64", "--set", "ner.epochs=1"]
    said = run("-m", "conlipa.modeling.data.packing", *common, "--corpus", "sample", "--out", str(out))
    assert "sentences of 1 languages" in said.stdout
    training = ["-m", "conlipa.modeling.train", "ner", *common, "--packed", str(out), "--out", str(tmp_path / "ner")]
    run(*training)
    record = json.loads((tmp_path / "ner" / "training.json").read_text(encoding="utf-8"))
    assert record["data"] == of_sentences(Corpus("sample"), ["eng"], "train")
    refused = run(*training[:-1], str(tmp_path / "other"), "--set", "ner.validate_every=1", code=1)
    assert "has training sentences alone" in refused.stderr
