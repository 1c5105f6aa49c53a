"""A user's own table of letters in epitran's form: CSV with the header `Orth,Phon`, longest match first."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import regex
from anyascii import anyascii

from conlipa.dataset_scripts.g2p.ipa import CONSONANTS, KEPT_MODIFIERS, VOWELS, rewritten
from conlipa.dataset_scripts.g2p.stamps import split_stamp
from conlipa.dataset_scripts.g2p.words import normalised, runs
from conlipa.errors import ConlipaError

_LETTERS = VOWELS + CONSONANTS + KEPT_MODIFIERS
_NO_IPA = regex.compile(rf"[^{_LETTERS}\p{{Mn}}\p{{Lm}}\p{{Sk}}.ː ]")
"""Stress, length, tone, ties and fine diacritics are IPA, though the normal form drops them."""


class LetterMap:
    """The engine that reads by such a table."""

    def __init__(self, path: str) -> None:
        """`path`: of the table, with a stamp or without (`stamps.py`)."""
        self._map = read_letter_map(Path(split_stamp(path)[0]))
        self._longest = max(map(len, self._map))

    def transcribe(self, words: Sequence[str]) -> list[str]:
        return ["".join(self._phonemes(unicodedata.normalize("NFC", word.lower()))) for word in words]

    def _phonemes(self, word: str) -> Iterator[str]:
        at = 0
        while at < len(word):
            for size in range(min(self._longest, len(word) - at), 0, -1):
                if word[at : at + size] in self._map:
                    yield self._map[word[at : at + size]]
                    at += size
                    break
            else:  # a letter that the table lacks is left for the last resort (`Phonemizer`)
                yield word[at]
                at += 1


def read_letter_map(path: Path) -> dict[str, str]:
    """Letters to IPA; an empty `Phon` is a letter that is not heard.

    Raises:
        ConlipaError: no such file, no UTF-8, a wrong header or row, letters that no word has, what is not valid IPA; with file and line.
    """
    if not path.is_file():
        raise ConlipaError(f"{path}: no such letter table")
    table: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        try:
            if next(rows, None) != ["Orth", "Phon"]:
                raise ConlipaError(f"{path}:1: expected the header 'Orth,Phon'")
            for row in rows:
                if row:
                    letters, phonemes = _checked(row, f"{path}:{rows.line_num}")
                    if letters in table:
                        raise ConlipaError(f"{path}:{rows.line_num}: '{letters}' stands in the table twice")
                    table[letters] = phonemes
        except UnicodeDecodeError as error:
            raise ConlipaError(f"{path}: not UTF-8 ({error.reason} at byte {error.start})") from error
        except csv.Error as error:
            raise ConlipaError(f"{path}:{rows.line_num}: no CSV ({error})") from error
    if not table:
        raise ConlipaError(f"{path}: the letter table is empty")
    return table


def _checked(row: list[str], place: str) -> tuple[str, str]:
    """Letters, as words have them (NFKC, lower case), and their IPA."""
    if len(row) != 2 or not row[0].strip():
        raise ConlipaError(f"{place}: expected two columns, letters and IPA, got {len(row)}: {','.join(row)!r}")
    letters, phonemes = unicodedata.normalize("NFC", normalised(row[0].strip()).lower()), row[1].strip()
    if len(list(runs(f"a{letters}a", by_script=False))) != 1:  # among letters: an apostrophe, mark or joiner is read beside one alone
        expected = "letters, marks and single apostrophes; ʼ, ʔ and ː are letters"
        raise ConlipaError(f"{place}: '{letters}' never stands among the letters of a word (expected {expected})")
    if wrong := _NO_IPA.search(rewritten(phonemes)):
        sounds = anyascii(wrong[0]).lower()
        near = [letter for letter in _LETTERS + "ː" if sounds and anyascii(letter).lower() == sounds][:3]
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise ConlipaError(f"{place}: '{wrong[0]}' in '{phonemes}' is no letter of the IPA{hint}")
    return letters, phonemes
