"""What espeak-ng would spell out is read: letters outside of a language's alphabet, lone letters, Roman numerals."""

from __future__ import annotations

from pathlib import Path

import pytest

from conlipa.dataset_scripts.g2p.engines import engine
from conlipa.dataset_scripts.g2p.phonemizer import Phonemizer
from conlipa.dataset_scripts.g2p.spelling import is_spelled, nearest_spelling
from conlipa.dataset_scripts.g2p.words import SYMBOL, runs
from conlipa.dataset_scripts.wikiann.wikiann import Folder
from tests.conftest import SHARED


@pytest.mark.parametrize(
    ("lang", "word", "phonemes"),
    [
        ("eng", "Trần", "t ɹ æ n"),
        ("eng", "Đặng", "d æ ŋ"),
        ("eng", "Қазақстан", "k a z a k s t a n"),
        ("eng", "Hồ", "h o ʊ"),
        ("eng", "II", "i"),
        ("cmn", "ß", "s"),
        ("eng", "W", "w"),
        ("eng", "ʼ", "ə"),  # espeak-ng says "ejective"
        ("bel", "ʼ", "ə"),
        ("ukr", "пʼять", "p j a t"),
        ("uzb", "sanʼat", "s a n ʔ a t"),
        ("eng", "Łódź", "l ɑ dz"),
        ("bel", "ї", "ɪ"),
        ("bel", "Мінск", "mʲ i n s k"),
        ("urd", "2014ء", "2 0 1 4 ʔ"),
        ("rus", "Ғабит", "a bʲ i t"),
        ("rus", "Москва", "m a s k v a"),
        ("fas", "كتاب", "k e t ɑ b"),
        ("pol", "Trần", "t r a n"),
        ("pol", "Łódź", "w u tɕ"),
        ("hin", "Trần", "t ɹ æ n"),
        ("deu", "Straße", "ʃ t ʁ ɑ s ə"),
        ("eng", "FBI", "ɛ f b i a ɪ"),  # an acronym is read as people read it
    ],
)
def test_hand_checked_words(lang: str, word: str, phonemes: str) -> None:
    assert " ".join(Phonemizer(lang)([word])[0]) == phonemes


def test_a_numeral_behind_a_name_is_not_said_in_words() -> None:
    assert Phonemizer("eng")(["Elizabeth", "II"]) == [["ɪ", "l", "ɪ", "z", "ə", "b", "ə", "θ"], ["i"]]  # espeak-ng says "roman two"


@pytest.mark.parametrize("lang", ["eng", "deu", "fra", "pol", "tur", "fin", "hun", "ita", "nld", "swa"])
def test_vietnamese_names_are_read_in_ten_languages(lang: str) -> None:
    names = ["Trần", "Nguyễn", "Phạm", "Đặng", "Hồ", "Lê", "Võ", "Dương"]
    for name, found in zip(names, Phonemizer(lang)(names), strict=True):
        assert len(found) <= len(name) + 2, (name, found)
        assert found[0][0] not in "əɛ" or name == "Nguyễn", (name, found)  # no name of a letter


def test_a_letter_s_name_is_known_by_its_length() -> None:
    raw = engine("espeak:en-us").transcribe(["Trần", "London"])
    assert len(raw[0]) > 15  # espeak-ng says "t r letter one e a seven n"
    assert is_spelled("Trần", "a b c d e", list("abcdefghij"))
    assert not is_spelled("London", "lʌndən", ["l", "ʌ", "n", "d", "ə", "n"])
    assert not is_spelled("x", "ɛks", ["ɛ", "k", "s"])


def test_nearest_spelling() -> None:
    assert nearest_spelling("Trần") == "tran"
    assert nearest_spelling("Қазақстан") == "казакстан"
    assert nearest_spelling("Łódź") == "lodz"
    assert nearest_spelling("दिल्ली") == "दिल्ली"  # its marks are its vowels


@pytest.mark.parametrize("folder", ["wikiann", "wikiann_sources", "running"])
def test_no_token_of_real_text_is_spelled(folder: str) -> None:
    where = SHARED / "data" / folder
    if not where.is_dir():
        pytest.skip("no corpora beside this checkout")
    spelled = spelled_tokens(where, 200)
    assert not spelled, spelled[:20]


def spelled_tokens(where: Path, sentences: int | None) -> list[tuple[str, str, list[str]]]:
    """Runs of letters in the dev files of a corpus whose phonemes are more than twice their letters and one."""
    corpus = Folder(where)
    found = []
    for lang in corpus.languages("validation"):
        tokens = {token for sentence in corpus.sentences(lang, "validation")[:sentences] for token in sentence.tokens}
        letters = sorted({run for token in tokens for run, script in runs(token) if script not in (SYMBOL, "Hani", "Hang")})
        found += [(lang, word, phonemes) for word, phonemes in zip(letters, Phonemizer(lang)(letters), strict=True) if is_spelled(word, "", phonemes)]
    return found
