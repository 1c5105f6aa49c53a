from __future__ import annotations

from collections import Counter

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from conlipa.dataset_scripts.g2p.abugida import Abugida
from conlipa.dataset_scripts.g2p.engines import engine
from conlipa.dataset_scripts.g2p.ipa import foreign_letters, is_ipa, rewritten, segment
from conlipa.dataset_scripts.g2p.phonemizer import phonemizer
from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.tables import rows
from conlipa.errors import ConlipaError

CODES = sorted({name.partition(":")[2] for row in languages().values() for name in row.engines if name.startswith("abugida:")})
ROLES = {"consonant", "sonorant", "vowel", "sign", "independent", "virama", "shifter", "closer", "silencer", "shortened", "rule"}


@pytest.mark.parametrize("code", CODES)
def test_a_table_is_sound(code: str) -> None:
    table = rows(f"letters/{code}.csv")
    assert {row["role"] for row in table} <= ROLES
    twice = [key for key, count in Counter((row["letter"], row["role"]) for row in table).items() if count > 1]
    assert not twice
    for row in table:
        if row["role"] == "rule":
            regex.compile(row["letter"])


@pytest.mark.parametrize("code", CODES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_letters_in_any_order_are_read(code: str, data: st.DataObject) -> None:
    letters = [row["letter"] for row in rows(f"letters/{code}.csv") if row["role"] != "rule" and not row["letter"].isascii()]
    word = "".join(data.draw(st.lists(st.sampled_from(letters), max_size=12)))
    (raw,) = Abugida(code).transcribe([word])
    assert not foreign_letters(rewritten(raw)), (word, raw)
    assert all(is_ipa(phoneme) for phoneme in segment(raw)), (word, raw)


@pytest.mark.parametrize(
    ("word", "reading"),
    [
        ("កត", "k ɑ t"),  # the second consonant closes the syllable
        ("គត", "k ɔ t"),  # the same vowel after the other series
        ("កង់", "k ɑ ŋ"),
        ("ស្រី", "s r ə j"),  # r takes the series of s
        ("ស៊ី", "s i"),  # the shifter changes it
        ("គមន៍", "k ɔ m"),  # the silenced letter is not heard
        ("ខ្មែរ", "kʰ m a e"),
    ],
)
def test_khmer_syllables(word: str, reading: str) -> None:
    assert " ".join(phonemizer("khm", "abugida:khm")([word])[0]) == reading


@pytest.mark.parametrize(
    ("lang", "word", "reading"),
    [
        ("san", "अंग", "ɐ ŋ ɡ ɐ"),  # the nasal mark before k, t, p …
        ("san", "अंत", "ɐ n t ɐ"),
        ("san", "अंबा", "ɐ m b ɑ"),
        ("san", "वाक्", "ʋ ɑ k"),
        ("mal", "അവന്\u200d", "ɐ ʋ ɐ n"),  # chillu as virama and joiner, as older texts write it
        ("mal", "അവൻ", "ɐ ʋ ɐ n"),
        ("mar", "सडक", "s ə ɖ ə k"),  # no vowel at a word's end
        ("mar", "कमळ", "k ə m ə ɭ"),
        ("pan", "ਭਾਰਤ", "p a ɾ ə t"),  # voiced aspirates are voiceless at a word's start
        ("aii", "ܫܠܵܡܵܐ", "ʃ l ɑ m ɑ"),  # with vowel points
        ("aii", "ܡܠܟܐ", "m a l k ɑ"),  # without
    ],
)
def test_other_scripts(lang: str, word: str, reading: str) -> None:
    assert " ".join(phonemizer(lang, f"abugida:{lang}")([word])[0]) == reading


def test_a_letter_that_the_table_lacks_is_left_for_the_next_engine() -> None:
    (raw,) = Abugida("san").transcribe(["नਕ"])
    assert foreign_letters(raw) == ["ਕ"]


def test_a_table_that_does_not_exist() -> None:
    with pytest.raises(ConlipaError, match=r"no table of letters 'kmh'; did you mean khm"):
        engine("abugida:kmh")
    with pytest.raises(ConlipaError, match=r"no such letter table"):
        engine("letters:zzz")
