from __future__ import annotations

import itertools
import unicodedata
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from segments import Tokenizer

from conlipa.dataset_scripts.g2p.ipa import AFFRICATES, CONSONANTS, KEPT_MODIFIERS, VOWELS, is_ipa, rewritten, segment
from conlipa.dataset_scripts.g2p.letter_map import read_letter_map
from conlipa.dataset_scripts.g2p.phonemizer import ipa_string, phonemizer
from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.quality.error_rates import edit_distance
from conlipa.dataset_scripts.tables import FOLDER
from conlipa.errors import ConlipaError, UsageError
from tests.conftest import ROOT, run

HELLO = {
    "Latn": "Salam", "Cyrl": "Салам", "Arab": "سلام", "Hani": "中国", "Hang": "한국", "Kana": "カナダ",
    "Geor": "საქართველო", "Syrc": "ܫܠܡܐ", "Ethi": "ሰላም", "Deva": "भारत", "Guru": "ਪੰਜਾਬ", "Orya": "ଓଡ଼ିଶା",
    "Taml": "தமிழ்", "Telu": "తెలుగు", "Mlym": "മലയാളം", "Sinh": "සිංහල", "Thai": "ไทย", "Khmr": "ខ្មែរ",
    "Armn": "Հայաստան", "Beng": "বাংলা", "Grek": "Ελλάδα", "Hebr": "ישראל",
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
        ("sin", "ලංකාව", "l a ŋ k a ʋ a"),
        ("tgk", "Тоҷикистон", "t ɔ dʒ i k i s t ɔ n"),
        ("cmn", "沙发", "ʂ a f a"),
        ("ara", "تلفزيون", "t i l f i z j u n"),
        ("kat", "ტელეფონი", "t e l e pʰ o n i"),
        ("swa", "kompyuta", "k o m p j u t a"),
    ],
)
def test_words_read_by_hand(lang: str, word: str, ipa: str) -> None:
    assert ipa_string(phonemizer(lang)([word])) == ipa


def test_a_turkish_capital_i_has_no_dot_and_thai_sara_am_its_m() -> None:
    for lang in ("tur", "aze"):
        assert phonemizer(lang)(["Isparta", "ısparta"])[0] == phonemizer(lang)(["ısparta"])[0]
        assert phonemizer(lang)(["İzmir"]) != phonemizer(lang)(["Izmir"])
    assert phonemizer("tha")(["คำ"])[0][-1] == "m"


def test_latin_names_in_sinhala_text_are_read_as_english() -> None:
    assert phonemizer("sin")(["London"]) == phonemizer("eng")(["London"])


def test_digits_and_punctuation_keep_their_characters() -> None:
    assert phonemizer("sin")(["1999", "(", "3.5", "٣"]) == [["1", "9", "9", "9"], ["("], ["3", ".", "5"], ["٣"]]


def test_presentation_forms_are_the_same_word() -> None:
    assert phonemizer("uig")(["ﺋﯘﻳﻐﯘﺭ"]) == phonemizer("uig")(["ئۇيغۇر"])


def test_a_word_is_transcribed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from conlipa.dataset_scripts.g2p import phonemizer as g2p

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


NEVER_READ = ("7", ":", "꞉", "a-b", "a b", "k7", "''", "!")


@pytest.mark.parametrize("row", ["ʼ", "ʔ", "ː", "’", "n'", "'n", "\u0301", "\u200d", "k\u200dʂ", "ᏣᎳ"])
def test_whatever_stands_in_a_word_may_be_read(tmp_path: Path, row: str) -> None:
    table = tmp_path / "my.csv"
    table.write_text(f"Orth,Phon\nb,b\n{row},ʘ\n", encoding="utf-8")
    assert "ʘ" in phonemizer("zzz", f"map:{table}")([f"b{row}b"])[0]


@pytest.mark.parametrize("path", [*(FOLDER / "letters").glob("*.csv"), ROOT / "space" / "georgian.csv"], ids=lambda path: path.stem)
def test_a_table_of_the_kit_has_no_row_that_is_never_read(path: Path) -> None:
    if path.read_text(encoding="utf-8").startswith("Orth,Phon"):  # the others are of abugidas
        assert read_letter_map(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("letters,sounds\na,a\n", r"my\.csv:1: expected the header 'Orth,Phon'"),
        ("Orth,Phon\na,a\nb\n", r"my\.csv:3: expected two columns"),
        ("Orth,Phon\na,a\nA,ɑ\n", r"my\.csv:3: 'a' stands in the table twice"),
        ("Orth,Phon\n", r"my\.csv: the letter table is empty"),
        *((f"Orth,Phon\na,a\n{row},ʔ\n", rf"my\.csv:3: '{row}' never stands among the letters .*ʼ, ʔ and ː are letters") for row in NEVER_READ),
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

    from conlipa.dataset_scripts.g2p import phonemizer as g2p
    from conlipa.dataset_scripts.languages import language

    monkeypatch.setattr(g2p, "language", lambda code: replace(language("kin"), engines=()))
    with pytest.raises(ConlipaError, match=r"no engine transcribes Kinyarwanda \(kin\); give your own letters with --engine map:FILE.csv"):
        g2p.Phonemizer("kin")


@pytest.mark.parametrize(("a", "b", "distance"), [("", "", 0), ("kat", "kat", 0), ("kat", "kast", 1), ("kitten", "sitting", 3), ("", "abc", 3)])
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(list(a), list(b)) == distance


@pytest.mark.parametrize(
    ("rows", "word", "ipa"),
    [
        ("Ꮳ,tsa\nᎳ,la\nᎩ,ɡi\nᎳᎩ,laɡ", "ᏣᎳᎩ", "ts a l a ɡ"),  # a script that the kit does not list, two letters together
        ("ད,d\nདེ,de", "དེད", "d e d"),  # its marks
        ("к,k\nкӀ,kʼ\nа,a", "КӀа", "kʼ a"),
        ("k,k\nа,o", "kаk", "k o k"),  # letters of two scripts in one word
        ("k,k\n',ʔ\na,a", "ka'a1", "k a ʔ a 1"),
    ],
)
def test_an_own_table_reads_every_script(tmp_path: pytest.TempPathFactory, rows: str, word: str, ipa: str) -> None:
    table = tmp_path / "my.csv"  # type: ignore[operator]
    table.write_text(f"Orth,Phon\n{rows}\n", encoding="utf-8")
    assert ipa_string(phonemizer("zzz", f"map:{table}")([word])) == ipa


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("Ш", "'Ш' in 'Ш' is no letter of the IPA; did you mean ʃ"),
        ("aː:", "':' in 'aː:' is no letter of the IPA; did you mean ː"),
        ("N", "did you mean n, ɳ, ɲ"),
        ("a1", "'1' in 'a1' is no letter of the IPA"),
    ],
)
def test_what_is_no_ipa_is_told_by_line(tmp_path: pytest.TempPathFactory, value: str, reason: str) -> None:
    table = tmp_path / "my.csv"  # type: ignore[operator]
    table.write_text(f"Orth,Phon\na,a\nb,{value}\n", encoding="utf-8")
    with pytest.raises(ConlipaError, match=rf"my\.csv:3: .*{reason}"):
        phonemizer("zzz", f"map:{table}")


@pytest.mark.parametrize("value", ["t͡ʃʰ", "ˈa˥", "aː", "k͈", "ä", "k'", "g", "", "ɚ", "n̩", "ⁿd"])
def test_whatever_is_ipa_may_stand_in_a_table(tmp_path: pytest.TempPathFactory, value: str) -> None:
    table = tmp_path / "my.csv"  # type: ignore[operator]
    table.write_text(f"Orth,Phon\nb,{value}\nc,k\n", encoding="utf-8")
    (phonemes,) = phonemizer("zzz", f"map:{table}")(["bc"])
    assert phonemes[-1] == "k"
    assert all(is_ipa(phoneme) for phoneme in phonemes)


def test_a_table_that_is_no_text(tmp_path: pytest.TempPathFactory) -> None:
    table = tmp_path / "my.csv"  # type: ignore[operator]
    table.write_bytes(b"Orth,Phon\n\xff,a\n")
    with pytest.raises(ConlipaError, match=r"my\.csv: not UTF-8"):
        phonemizer("zzz", f"map:{table}")


LETTERS = st.sampled_from([*VOWELS, *CONSONANTS, *AFFRICATES])
MODIFIERS = st.sampled_from(["", *KEPT_MODIFIERS])


@given(st.lists(st.tuples(LETTERS, MODIFIERS)))
def test_raw_ipa_is_cut_as_the_library_segments_cuts_it(letters: list[tuple[str, str]]) -> None:
    """XPhoneBERT's vocabulary comes from `segments`; the kit cuts many words at once, which the library cannot."""
    raw = "".join(letter + modifier for letter, modifier in letters)
    tied = regex.sub("|".join(f"{a[0]}(?={a[1]})" for a in AFFRICATES), lambda match: match[0] + "\u0361", rewritten(raw))
    cut = unicodedata.normalize("NFC", Tokenizer()(tied, ipa=True).replace("\u0361", "")).split()
    assert [unicodedata.normalize("NFC", phoneme) for phoneme in segment(raw)] == [phoneme for phoneme, _ in itertools.groupby(cut)]


def test_an_edited_letter_table_is_read_anew(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("Orth,Phon\na,a\nﬁ,fi\n", encoding="utf-8")
    first = phonemizer("und", f"map:{table}")
    assert first(["a", "ﬁ"]) == [["a"], ["f", "i"]]
    assert phonemizer("und", f"map:{table}") is first
    table.write_text("Orth,Phon\na,o\n", encoding="utf-8")
    assert phonemizer("und", f"map:{table}")(["a"]) == [["o"]]
    assert first(["a"]) == [["a"]]


def test_a_kanji_that_the_dictionary_lacks_takes_no_other_with_it() -> None:
    """janome gives no reading of 﨑, and none of the two characters after it."""
    first_name, whole, other = phonemizer("jpn")(["賢人", "山﨑賢人", "髙橋"])
    assert whole[:4] == ["j", "a", "m", "a"]
    assert len(whole) > 4 + len(first_name)
    assert whole[-len(first_name) :] == first_name
    assert other[-4:] == ["h", "a", "ɕ", "i"]
    assert all(is_ipa(phoneme) for phoneme in whole + other)


@pytest.mark.parametrize(
    ("parent", "reason"),
    [("gone", "its data is missing"), ("no such folder", "its data is missing"), ("long" * 60, "takes a data path of fewer than")],
)
def test_espeak_without_its_data_is_one_line(parent: str, reason: str) -> None:
    """By its own choice espeak-ng ends the whole process, or reads from a path that it has cut off."""
    script = """
import sys, espeakng_loader
from conlipa.dataset_scripts.g2p.engines import Espeak
from conlipa.errors import ConlipaError
def get_data_path():
    if sys.argv[1] == "gone":
        raise RuntimeError("data path not exists")
    return "/" + sys.argv[1] + "/espeak-ng-data"
espeakng_loader.get_data_path = get_data_path
try:
    Espeak("tr")
except ConlipaError as error:
    print(error)
"""
    assert reason in run("-c", script, parent).stdout
