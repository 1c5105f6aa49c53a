from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from conlipa.dataset_scripts.g2p.segmenters import character, segmenters
from conlipa.dataset_scripts.g2p.words import SCRIPTS, SYMBOL, normalised, runs, words

ANY_TEXT = st.text(st.characters(exclude_categories=()))
UNSPACED = st.text(st.sampled_from("ชาวไทยกำลังไปๆភ្នំពេញជាວຽງຈັນမြန်မာ北京中国は東京コンピューター \u200b\u200da1.'\U000e0100"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello world", ["Hello", "world"]),
        ("Душанбе, пойтахт.", ["Душанбе", ",", "пойтахт", "."]),
        ("O'zbekiston don't", ["O'zbekiston", "don't"]),
        ("«Amir» (1999)", ["«", "Amir", "»", "(", "1999", ")"]),
        ("far-away 3.14 D.C.", ["far-away", "3.14", "D.C", "."]),
        ("北京是中国的首都。", ["北京", "是", "中国", "的", "首都", "。"]),
        ("東京はコンピュータ", ["東京", "は", "コンピュータ"]),
        ("ชาวไทยไป 3วัน facebookไทย", ["ชาว", "ไทย", "ไป", "3", "วัน", "facebook", "ไทย"]),
        ("ភ្នំពេញជារាជធានី២០០", ["ភ្នំពេញ", "ជា", "រាជធានី", "២០០"]),
        ("ວຽງຈັນເປັນນະຄອນ", ["ວຽງຈັນ", "ເປັນ", "ນະຄອນ"]),
        ("မြန်မာနိုင်ငံ၏မြို့တော်", ["မြန်မာနိုင်ငံ", "၏", "မြို့တော်"]),
        ("葛\U000e0100城", ["葛\U000e0100", "城"]),
        ("ʻOkina O‘zbek don’t 'tis'", ["ʻOkina", "O‘zbek", "don’t", "'", "tis", "'"]),
        ("Wasch\u00adington", ["Wasch\u00adington"]),
        ("👩\u200d👩 ☺\ufe0f\u2067ab\u2069", ["👩", "👩", "☺\ufe0f", "ab"]),
        ("a\x00b\ud800c", ["a", "b", "c"]),
        ("ශ්\u200dරී ලංකාව", ["ශ්\u200dරී", "ලංකාව"]),
        ("\u200fلاہور۔", ["لاہور", "۔"]),
        ("", []),
        ("   ", []),
    ],
)
def test_words_of(text: str, expected: list[str]) -> None:
    assert [word.text for word in words(text)] == expected


@given(ANY_TEXT | UNSPACED)
def test_spans_point_at_themselves(text: str) -> None:
    end = 0
    for word in words(text):
        assert text[word.start : word.end] == word.text
        assert word.start >= end
        assert not word.text.isspace()
        end = word.end


@given(ANY_TEXT | UNSPACED)
def test_no_letter_or_digit_is_lost(text: str) -> None:
    kept = "".join(word.text for word in words(text))
    assert [c for c in kept if c.isalnum()] == [c for c in text if c.isalnum()]


@given(ANY_TEXT)
def test_words_of_the_words_are_the_words(text: str) -> None:
    found = [word.text for word in words(text) if not any(script in segmenters() for _, script in runs(word.text))]
    assert [word.text for word in words(" ".join(found))] == found


@given(UNSPACED)
def test_a_segmenter_keeps_every_character(run: str) -> None:
    for segmenter in segmenters().values():
        assert "".join(segmenter(run)) == run


def test_han_by_characters_as_wikiann_has_it() -> None:
    assert list(character("葛\U000e0100城")) == ["葛\U000e0100", "城"]


def test_scripts_are_those_of_the_table() -> None:
    assert len(SCRIPTS) == len(set(SCRIPTS)) >= 27
    assert set(segmenters()) == {"Thai", "Laoo", "Khmr", "Mymr", "Kana", "Hira", "Hani"}


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
