"""Text as it comes: whatever the bytes, a line out for a line in, and every phoneme with its word."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conlipa.dataset_scripts.g2p.ipa import rewritten, segments
from conlipa.dataset_scripts.g2p.phonemizer import Phonemizer, ipa_string, phonemizer
from conlipa.dataset_scripts.g2p.words import words
from tests.conftest import ROOT

LANGS = ["eng", "sin", "tha", "kor", "cmn", "ara", "khm"]
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
MEGABYTE = 1_000_000

HOSTILE = [
    b"",
    b"   \t ",
    b"a\x00b \x00",
    b"\xff\xfe not UTF-8 \xed\xa0\x80 \xf0\x9f",
    "\u202eabc\u2067 שלום مرحبا \u2069\u200f".encode(),
    "👩\u200d👩\u200d👧 🇰🇷 ☺\ufe0f 1\ufe0f\u20e3".encode(),
    "a\u2028b\u0085c\x0b\x0c\x1c".encode(),
    "\u0301\u0302 \u200d\u200c".encode(),
    b"carriage\r",
    b"x" * MEGABYTE,
    b"12" * (MEGABYTE // 2),
    "ก".encode() * (MEGABYTE // 3),
    b"e" + "\u0301".encode() * (MEGABYTE // 2),
    b"'" * MEGABYTE,
]


@pytest.mark.parametrize(("lang", "end"), [("eng", b""), ("tha", b"\n")])
def test_a_line_out_for_a_line_in(lang: str, end: bytes) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "conlipa", "phonemize", "--lang", lang], input=b"\n".join(HOSTILE) + end, capture_output=True, timeout=300, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.endswith(b"\n")
    lines = done.stdout.decode("utf-8").removesuffix("\n").split("\n")
    assert len(lines) == len(HOSTILE)
    assert [not line for line in lines] == [not line.strip() for line in HOSTILE]


@settings(max_examples=150, deadline=None)
@given(ANY_TEXT, st.sampled_from(LANGS))
def test_a_text_is_transcribed_as_its_words_are(text: str, lang: str) -> None:
    found = [word.text for word in words(text)]
    together = Phonemizer(lang)(found)
    assert together == [phonemizer(lang)([word])[0] for word in found]
    assert ipa_string(together).split(" ▁ ") == ([" ".join(phonemes) for phonemes in together] or [""])


@settings(deadline=None)
@given(st.lists(ANY_TEXT.map(lambda raw: raw.replace("\n", ""))))
def test_many_lines_of_raw_ipa_are_cut_as_each_alone(raws: list[str]) -> None:
    assert segments(rewritten("\n".join(raws))) == ([segments(rewritten(raw))[0] for raw in raws] or [()])


@pytest.mark.parametrize(
    ("lang", "letters"),
    [("tur", "abcçdefgğhıijklmnoöprsştuüvyz"), ("tha", "กขคงจชดตทนบปพมยรลวสหอาเแ"), ("tam", "கசடதபறஞணநமனயரலவ"), ("cmn", "北京是中国的首都")],
)
def test_a_word_of_a_megabyte_takes_seconds(lang: str, letters: str) -> None:
    transcribe = phonemizer(lang)
    transcribe([letters, "a"])
    generator = random.Random(0)
    text = "".join(generator.choices(letters, k=MEGABYTE // len(letters[0].encode())))
    started = time.process_time()
    found = transcribe([word.text for word in words(text)])
    assert time.process_time() - started < 30
    assert sum(map(len, found)) > len(text) // 4


def test_a_memory_that_is_full_is_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conlipa.dataset_scripts.g2p.phonemizer._REMEMBERED", 2)
    transcribe = Phonemizer("fin")
    for word in ["talo", "auto", "yö", "maa", "talo"]:
        assert transcribe([word, "ja"]) == phonemizer("fin")([word, "ja"])
    assert len(transcribe._words) <= 4
