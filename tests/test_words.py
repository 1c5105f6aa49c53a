from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from dataset_scripts.words import SYMBOL, normalised, runs, words

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello world", ["Hello", "world"]),
        ("Душанбе, пойтахт.", ["Душанбе", ",", "пойтахт", "."]),
        ("O'zbekiston don't", ["O'zbekiston", "don't"]),
        ("«Amir» (1999)", ["«", "Amir", "»", "(", "1999", ")"]),
        ("far-away 3.14 D.C.", ["far-away", "3.14", "D.C", "."]),
        ("中国北京", ["中", "国", "北", "京"]),
        ("ශ්\u200dරී ලංකාව", ["ශ්\u200dරී", "ලංකාව"]),
        ("\u200fلاہور۔", ["لاہور", "۔"]),
        ("", []),
        ("   ", []),
    ],
)
def test_words_of(text: str, expected: list[str]) -> None:
    assert [word.text for word in words(text)] == expected


@given(ANY_TEXT)
def test_spans_point_at_themselves(text: str) -> None:
    end = 0
    for word in words(text):
        assert text[word.start : word.end] == word.text
        assert word.start >= end
        assert not word.text.isspace()
        end = word.end


@given(ANY_TEXT)
def test_no_letter_or_digit_is_lost(text: str) -> None:
    kept = "".join(word.text for word in words(text))
    assert [c for c in kept if c.isalnum()] == [c for c in text if c.isalnum()]


@given(ANY_TEXT)
def test_runs_are_in_order_and_of_the_normalised_word(word: str) -> None:
    at = 0
    text = normalised(word)
    for run, script in runs(word):
        found = text.index(run, at)
        at = found + len(run)
        assert run
        assert script == SYMBOL or regex.search(r"\p{L}", run)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Trans7", [("Trans", "Latn"), ("7", SYMBOL)]),
        ("A.Эйнштейн", [("A", "Latn"), (".", SYMBOL), ("Эйнштейн", "Cyrl")]),
        ("컴퓨터", [("컴퓨터", "Hang")]),
        ("ﺋﯘ", [("ئۇ", "Arab")]),
        ("ﬁne", [("fine", "Latn")]),
    ],
)
def test_runs_of_a_mixed_word(word: str, expected: list[tuple[str, str]]) -> None:
    assert list(runs(word)) == expected
