from __future__ import annotations

import itertools
import json
import random
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from conlipa import Tagger
from conlipa.dataset_scripts.g2p.words import words
from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.wikiann.wikiann import LABELS, Folder, source
from conlipa.errors import ConlipaError, UsageError
from conlipa.modeling.data.fingerprint import of_folder
from conlipa.modeling.inference.entities import LabelledText
from conlipa.modeling.inference.onnx_backend import OnnxBackend
from conlipa.modeling.inference.packaged import packaged
from tests.conftest import complaint, conlipa, run

SPACES = [" ", "  ", "\t", "\u00a0", "\u3000", " \u200b "]
MARKS = [",", ".", "«", "»", "—", "(", ")", "۔", "·", "1999", "👩\u200d🔬", "\u202e"]
SAMPLE = [(iso, sentence.tokens) for iso in ("sin", "tgk", "eng") for sentence in source("sample").sentences(iso, "validation")]
LINES = [" ".join(tokens) for iso, tokens in SAMPLE if iso == "tgk"]


@pytest.fixture(scope="module")
def tagger(tiny_release: Path) -> Tagger:
    return Tagger.from_pretrained(str(tiny_release / "tiny-ner"), str(tiny_release / "tiny-ipac"))


@pytest.fixture(scope="module")
def mini() -> Tagger:
    return Tagger.from_pretrained()


def labelled(text: str, labels: str) -> LabelledText:
    made = LabelledText(text)
    for word, label in zip(words(text), labels.split(), strict=True):
        made.add(word, LABELS.index(label), 0.94)
    return made


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
    found = labelled(text, labels).entities()
    assert [(entity.text, entity.label) for entity in found] == expected
    assert all(text[entity.start : entity.end] == entity.text and entity.score == 0.94 for entity in found)


def check_spans(text: str, found: list[Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Each span begins and ends with a word, and overlaps no other. Gives type and words of each entity."""
    starts, ends = {word.start for word in words(text)}, {word.end for word in words(text)}
    end = 0
    for entity in found:
        assert text[entity.start : entity.end] == entity.text
        assert entity.start in starts
        assert entity.end in ends
        assert entity.start >= end
        assert entity.label in ("PER", "ORG", "LOC")
        assert 0 < entity.score <= 1
        end = entity.end
    return [(entity.label, tuple(word.text for word in words(entity.text))) for entity in found]


@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(exclude_categories=()), max_size=60), lang=st.sampled_from(["sin", "eng", "cmn", "urd"]))
def test_spans_of_any_text_point_at_themselves(tagger: Any, text: str, lang: str) -> None:
    check_spans(text, tagger(text, lang=lang))


@settings(max_examples=60, deadline=None)
@given(sentence=st.sampled_from(SAMPLE), seed=st.integers(0, 2**32))
def test_spaces_between_words_change_nothing_but_the_offsets(mini: Any, sentence: tuple[str, list[str]], seed: int) -> None:
    iso, tokens = sentence
    draw = random.Random(seed)
    plain, spaced = " ".join(tokens), draw.choice(SPACES) + "".join(token + draw.choice(SPACES) for token in tokens)
    assert check_spans(spaced, mini(spaced, lang=iso)) == check_spans(plain, mini(plain, lang=iso))


@settings(max_examples=60, deadline=None)
@given(sentence=st.sampled_from(SAMPLE), seed=st.integers(0, 2**32))
def test_marks_between_words_keep_the_spans_right(mini: Any, sentence: tuple[str, list[str]], seed: int) -> None:
    iso, tokens = sentence
    check_spans(text := scattered(tokens, random.Random(seed)), mini(text, lang=iso))


def scattered(tokens: list[str], draw: random.Random) -> str:
    """The tokens with spaces, line breaks and marks between them."""
    between = [*SPACES, "\n", "\r\n", "\n\n", *(f" {mark} " for mark in MARKS), *MARKS]
    return "".join(token + (draw.choice(SPACES) if draw.random() < 0.5 else draw.choice(between)) for token in tokens)


@pytest.mark.slow
def test_spans_on_the_shared_validation_sets(mini: Any, wikiann_folder: Path) -> None:
    folder, draw = Folder(wikiann_folder), random.Random(0)
    for iso in set(folder.languages("validation")) & set(languages()):
        sentences = list(folder.sentences(iso, "validation"))[:200]
        texts = [scattered(sentence.tokens, draw) for sentence in sentences]
        for text, found in zip(texts, mini(texts, lang=iso), strict=True):
            check_spans(text, found)


MIXED = [*LINES[:40], "", "Душанбе " * 300, "\n".join(LINES[:10])]


@cache
def _alone(backend: str) -> tuple[Any, list[Any]]:
    """A tagger, and what it says of each of the texts by itself."""
    tagger: Any = Tagger.from_pretrained(backend=backend, lang="tgk")
    return tagger, [tagger(text) for text in MIXED]


@pytest.mark.parametrize("backend", ["torch", "onnx"])
@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_results_do_not_depend_on_batch_or_order(backend: str, batch_size: int) -> None:
    (tagger, alone), texts = _alone(backend), MIXED
    assert tagger(texts, batch_size=batch_size) == alone
    assert tagger(texts[::-1], batch_size=batch_size) == alone[::-1]
    mixed = list(enumerate(texts))
    random.Random(batch_size).shuffle(mixed)
    assert tagger([text for _, text in mixed], batch_size=batch_size) == [alone[number] for number, _ in mixed]


def test_a_list_gives_a_list_and_an_iterator_a_generator_that_reads_little_ahead(mini: Any) -> None:
    texts = LINES[:12]
    expected = mini(texts, lang="tgk")
    assert isinstance(expected, list)
    assert mini(tuple(texts), lang="tgk") == expected
    assert list(mini(iter(texts), lang="tgk")) == expected
    assert mini(Dataset.from_dict({"text": texts})["text"], lang="tgk") == expected
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        for text in itertools.cycle(texts):
            taken += 1
            yield text

    found = mini(endless(), lang="tgk", batch_size=4)
    assert [next(found) for _ in range(20)] == list(itertools.islice(itertools.cycle(expected), 20))
    assert taken <= 24
    assert mini([], lang="tgk") == []


def test_a_long_sentence_is_tagged_to_its_end_and_no_word_twice(tagger: Any) -> None:
    sentence = "Marie Curie , physicist from Poland ; "
    text = sentence * 60
    found = tagger(text, lang="eng")
    check_spans(text, found)
    assert max(entity.end for entity in found) > len(sentence) * 58


def test_a_document_has_the_entities_of_its_lines(mini: Any) -> None:
    document = "\n".join(LINES)
    expected, at = [], 0
    for text, found in zip(LINES, mini(LINES, lang="tgk"), strict=True):
        expected += [(at + entity.start, at + entity.end, entity.label, entity.score) for entity in found]
        at += len(text) + 1
    assert [(entity.start, entity.end, entity.label, entity.score) for entity in mini(document, lang="tgk")] == expected
    assert len(expected) > 50


class Inside:
    """A backend that takes every position for the inside of a place."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def __call__(self, examples: list[dict[str, list[int]]]) -> list[NDArray[np.float32]]:
        return [np.eye(len(LABELS), dtype=np.float32)[[LABELS.index("I-LOC")] * len(example["input_ids"])] for example in examples]


def test_no_name_goes_on_into_the_next_sentence_or_line(tiny_release: Path) -> None:
    tagger = Tagger.from_pretrained(str(tiny_release / "tiny-ner"), lang="eng")
    tagger.backend = Inside(tagger.backend)
    text = "Oslo calling. Bergen too\nTromsø as well"
    assert [entity.text for entity in tagger(text)] == ["Oslo calling.", "Bergen too", "Tromsø as well"]
    long = "Oslo " * 200
    assert [entity.text for entity in tagger(long)] == [long.strip()]  # which windows cut, and no sentence


MEMORY = """
import resource
from conlipa import Tagger
from conlipa.dataset_scripts.wikiann.wikiann import source
texts = [" ".join(sentence.tokens) for sentence in source("sample").sentences("tgk", "validation")]
from conlipa.modeling.inference.packaged import packaged
model = packaged("mini" if "{backend}" == "onnx" else "mini-en")  # the smaller one has no ONNX file
tagger, part = Tagger.from_pretrained(*model, lang="tgk", backend="{backend}"), "{between}".join(texts)
few = tagger("{between}".join([part] * 3))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
times = {characters} // len(part) + 1
document = "{between}".join([part] * times)
many = tagger(document)
assert len(document) >= {characters}
assert all(document[e.start:e.end] == e.text for e in many[:: 100])
assert many[:len(few) * 2 // 3] == few[:len(few) * 2 // 3]
assert abs(len(many) * 3 / len(few) / times - 1) < 0.1, (len(many), len(few), times)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the module resource is a matter of POSIX")
@pytest.mark.parametrize(("backend", "between", "characters"), [("torch", r"\n", 50_000), ("onnx", " ", 100_000)])
def test_a_long_document_takes_little_memory(backend: str, between: str, characters: int) -> None:
    """The memory beyond that of a short document, in MiB: words and entities, and no more logits than a batch's."""
    grown = float(run("-c", MEMORY.format(backend=backend, between=between, characters=characters)).stdout)
    assert grown < 100


@pytest.mark.parametrize("text", ["ශ්\u200dරී ලංකාව ඉන්දියාවේ අසල්වැසියෙකි ."])
def test_the_language_is_guessed_where_the_script_tells_it(mini: Any, text: str) -> None:
    assert mini([text, "", "ଭୁବନେଶ୍ୱର"]) == [mini(text, lang="sin"), [], mini("ଭୁବନେଶ୍ୱର", lang="ori")]
    assert json.loads(conlipa("tag", stdin=text).stdout)["entities"] == [entity.as_dict() for entity in mini(text, lang="sin")]


def test_a_language_is_needed_and_must_be_known(tagger: Any) -> None:
    with pytest.raises(UsageError, match="'hello' cannot be derived from its script: Latn is the script of eng, som"):
        tagger("hello")
    with pytest.raises(UsageError, match="unknown language 'sim'"):
        tagger(iter(["hello"]), lang="sim")  # at once, not with the first result
    assert "name it with lang= or --lang" in complaint("tag", stdin="Paris\n", code=1)


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
    assert isinstance(Tagger.from_pretrained().backend, OnnxBackend)  # its model.onnx was made from them, too
    text = "Marie Curie was born in Warsaw , Poland ."
    found = Tagger.from_pretrained()(text, lang="eng")
    assert found
    assert all(text[entity.start : entity.end] == entity.text for entity in found)
