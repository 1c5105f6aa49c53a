from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_scripts.error_rates import edit_distance
from dataset_scripts.errors import ConlipaError, UsageError
from dataset_scripts.g2p import ipa_string, phonemizer
from dataset_scripts.ipa import is_ipa
from dataset_scripts.languages import languages

HELLO = {
    "Latn": "Salam", "Cyrl": "Салам", "Arab": "سلام", "Hani": "中国", "Hang": "한국", "Kana": "カナダ",
    "Geor": "საქართველო", "Syrc": "ܫܠܡܐ", "Ethi": "ሰላም", "Deva": "भारत", "Guru": "ਪੰਜਾਬ", "Orya": "ଓଡ଼ିଶା",
    "Taml": "தமிழ்", "Telu": "తెలుగు", "Mlym": "മലയാളം", "Sinh": "සිංහල", "Thai": "ไทย", "Khmr": "ខ្មែរ",
    "Beng": "বাংলা", "Grek": "Ελλάδα", "Hebr": "ישראל",
}  # fmt: skip


@pytest.mark.parametrize("iso", languages())
def test_every_language_transcribes_its_own_script(iso: str) -> None:
    (phonemes,) = phonemizer(iso)([HELLO[languages()[iso].script]])
    assert len(phonemes) >= 2
    assert all(is_ipa(phoneme) for phoneme in phonemes), phonemes


@pytest.mark.parametrize(
    ("lang", "word", "ipa"),
    [
        ("eng", "Washington", "w ɑ ʃ ɪ ŋ t ə n"),
        ("eng", "world", "w ɜ ɹ l d"),
        ("tur", "müzik", "m y z i k"),
        ("kor", "컴퓨터", "kʰ ʌ m pʰ j u tʰ ʌ"),
        ("sin", "ලංකාව", "l a ŋ k a v a"),
        ("tgk", "Тоҷикистон", "t ɔ dʒ i k i s t ɔ n"),
        ("cmn", "沙发", "ʂ a f a"),
        ("ara", "تلفزيون", "t i l f i z j u n"),
        ("kat", "ტელეფონი", "t e l e pʰ o n i"),
        ("swa", "kompyuta", "k o m p j u t a"),
    ],
)
def test_words_read_by_hand(lang: str, word: str, ipa: str) -> None:
    assert ipa_string(phonemizer(lang)([word])) == ipa


def test_latin_names_in_sinhala_text_are_read_as_english() -> None:
    assert phonemizer("sin")(["London"]) == phonemizer("eng")(["London"])


def test_digits_and_punctuation_keep_their_characters() -> None:
    assert phonemizer("sin")(["1999", "(", "3.5", "٣"]) == [["1", "9", "9", "9"], ["("], ["3", ".", "5"], ["٣"]]


def test_presentation_forms_are_the_same_word() -> None:
    assert phonemizer("uig")(["ﺋﯘﻳﻐﯘﺭ"]) == phonemizer("uig")(["ئۇيغۇر"])


def test_a_word_is_transcribed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataset_scripts import g2p

    asked: list[str] = []
    real = g2p.engine("espeak:fi")

    class Counting:
        def transcribe(self, words: list[str]) -> list[str]:
            asked.extend(words)
            return real.transcribe(words)

    monkeypatch.setattr(g2p, "engine", lambda name: Counting())
    transcribe = g2p.Phonemizer("fin")
    transcribe(["talo", "talo", "auto"])
    transcribe(["auto", "talo"])
    assert sorted(asked) == ["auto", "talo"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=12), max_size=5), st.sampled_from(["eng", "sin", "uig", "cmn", "kir", "khm"]))
def test_any_words_get_phonemes(words: list[str], lang: str) -> None:
    result = phonemizer(lang)(words)
    assert len(result) == len(words)
    for phonemes in result:
        assert phonemes
        for phoneme in phonemes:
            assert phoneme.strip() == phoneme != ""
            assert " " not in phoneme


def test_an_own_letter_table(tmp_path: pytest.TempPathFactory) -> None:
    table = tmp_path / "my.csv"  # type: ignore[operator]
    table.write_text("Orth,Phon\na,a\nsh,ʃ\ns,s\nt,t\n", encoding="utf-8")
    assert phonemizer("zzz", f"map:{table}")(["Shast"]) == [["ʃ", "a", "s", "t"]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("letters,sounds\na,a\n", r"my\.csv:1: expected the header 'Orth,Phon'"),
        ("Orth,Phon\na,a\nb\n", r"my\.csv:3: expected two columns"),
        ("Orth,Phon\na,a\nA,ɑ\n", r"my\.csv:3: 'a' stands in the table twice"),
        ("Orth,Phon\n", r"my\.csv: the letter table is empty"),
    ],
)
def test_mistakes_in_a_letter_table_are_told_by_line(tmp_path: pytest.TempPathFactory, content: str, reason: str) -> None:
    table = tmp_path / "my.csv"  # type: ignore[operator]
    table.write_text(content, encoding="utf-8")
    with pytest.raises(ConlipaError, match=reason):
        phonemizer("zzz", f"map:{table}")(["a"])


def test_engines_that_do_not_exist() -> None:
    with pytest.raises(ConlipaError, match=r"Kinyarwanda \(kin\) has no engine 'espeak' \(it has: epitran:kin-Latn\)"):
        phonemizer("kin", "espeak")
    with pytest.raises(UsageError, match=r"unknown engine 'espaek:tr'; did you mean espeak"):
        phonemizer("tur", "espaek:tr")


def test_a_language_without_any_engine_is_told_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from dataset_scripts import g2p
    from dataset_scripts.languages import language

    monkeypatch.setattr(g2p, "language", lambda code: replace(language("kin"), engines=()))
    with pytest.raises(ConlipaError, match=r"no engine transcribes Kinyarwanda \(kin\); give your own letters with --engine map:FILE.csv"):
        g2p.Phonemizer("kin")


@pytest.mark.parametrize(("a", "b", "distance"), [("", "", 0), ("kat", "kat", 0), ("kat", "kast", 1), ("kitten", "sitting", 3), ("", "abc", 3)])
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(list(a), list(b)) == distance
