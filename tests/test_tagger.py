from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from conlipa import Tagger
from dataset_scripts.errors import ConlipaError, UsageError
from dataset_scripts.wikiann import LABELS
from dataset_scripts.words import words
from modeling.fingerprint import of_folder
from modeling.tagger import entities, packaged, windows

SIZES = st.lists(st.integers(1, 40), max_size=60)


@pytest.fixture(scope="module")
def tagger(tiny_release: Path) -> Tagger:
    return Tagger.from_pretrained(str(tiny_release / "tiny-ner"), str(tiny_release / "tiny-ipac"))


def one_hot(labels: str) -> torch.Tensor:
    probabilities = torch.full((len(labels.split()), 7), 0.01)
    for row, label in enumerate(labels.split()):
        probabilities[row, LABELS.index(label)] = 0.94
    return probabilities


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("Marie Curie , Paris", "B-PER I-PER O B-LOC", [("Marie Curie", "PER"), ("Paris", "LOC")]),
        ("Paris London", "B-LOC B-LOC", [("Paris", "LOC"), ("London", "LOC")]),
        ("in Paris", "O I-LOC", [("Paris", "LOC")]),
        ("Bank Paris", "B-ORG I-LOC", [("Bank", "ORG"), ("Paris", "LOC")]),
        ("Marie\n\tCurie", "B-PER I-PER", [("Marie\n\tCurie", "PER")]),
        ("no one", "O O", []),
    ],
)
def test_labels_to_spans(text: str, labels: str, expected: list[tuple[str, str]]) -> None:
    found = entities(text, words(text), one_hot(labels))
    assert [(entity.text, entity.label) for entity in found] == expected
    assert all(text[entity.start : entity.end] == entity.text for entity in found)


@given(SIZES, st.integers(20, 128))
def test_every_word_is_one_windows_own_and_windows_fit(sizes: list[int], limit: int) -> None:
    cuts = windows(sizes, limit)
    owned = [word for cut in cuts for word in range(cut.own_start, cut.own_stop)]
    assert owned == list(range(len(sizes)))
    for cut in cuts:
        assert cut.start <= cut.own_start < cut.own_stop <= cut.stop
        used = 2 + sum(sizes[cut.start : cut.stop]) + cut.stop - cut.start - 1
        assert used <= limit or cut.stop - cut.start == 1


@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(exclude_categories=()), max_size=60), lang=st.sampled_from(["sin", "eng", "cmn", "urd"]))
def test_spans_of_any_text_point_at_themselves(tagger: Any, text: str, lang: str) -> None:
    end = 0
    for entity in tagger(text, lang=lang):
        assert text[entity.start : entity.end] == entity.text
        assert entity.start >= end
        end = entity.end


def test_results_do_not_depend_on_the_batch(tagger: Any) -> None:
    texts = ["ලන්ඩන් නුවර", "", "මාර්ටින් වික්‍රමසිංහ , කොළඹ ( ශ්‍රී ලංකාව )", "a " * 400, "කොළඹ"]
    together = tagger(texts, lang="sin")
    assert together == [tagger(text, lang="sin") for text in texts]
    assert together[::-1] == tagger(texts[::-1], lang="sin")


def test_a_long_text_is_tagged_to_its_end(tagger: Any) -> None:
    sentence = "Marie Curie , physicist from Poland . "
    found = tagger(sentence * 60, lang="eng")
    assert max(entity.end for entity in found) > len(sentence) * 58


def test_a_language_is_needed_and_must_be_known(tagger: Any) -> None:
    with pytest.raises(UsageError, match="unknown language"):
        tagger("hello")
    with pytest.raises(UsageError, match="unknown language 'sim'"):
        tagger("hello", lang="sim")


def test_a_missing_model_or_adapter(tiny_release: Path, tmp_path: Path) -> None:
    with pytest.raises(ConlipaError, match="no such model folder"):
        Tagger.from_pretrained(str(tmp_path / "no"))
    with pytest.raises(ConlipaError, match=r"no adapter folder \(adapter_config.json"):
        Tagger.from_pretrained(str(tiny_release / "tiny-ner"), str(tmp_path))
    assert packaged("somewhere", None) == ("somewhere", None)


def test_the_packaged_model_answers_and_its_parts_belong_together() -> None:
    where, adapter = packaged("mini")
    assert adapter is not None
    record = json.loads((Path(adapter) / "training.json").read_text(encoding="utf-8"))
    assert record["data"].split()[0] == of_folder(where)  # the adapter was trained on these very weights
    assert sum(path.stat().st_size for path in Path(where).parent.rglob("*") if path.is_file()) < 40_000_000
    text = "Marie Curie was born in Warsaw , Poland ."
    found = Tagger.from_pretrained()(text, lang="eng")
    assert found
    assert all(text[entity.start : entity.end] == entity.text for entity in found)
