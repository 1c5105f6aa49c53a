"""Raw text to words with their spans, and a word to its runs of letters and symbols."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import regex

SYMBOL = "symbol"
_APOSTROPHES = "'’‘ʼʻ`´ʹ"
_JOINERS = "\u200c\u200d"
# One Han character is one word, as in WikiANN; other words end at white space or punctuation,
# but an apostrophe, hyphen, dot or comma between two letters or digits belongs to its word.
_WORD = regex.compile(
    rf"\p{{Han}}|(?:[\p{{L}}\p{{N}}][\p{{M}}{_JOINERS}]*)(?:(?!\p{{Han}})[\p{{L}}\p{{M}}\p{{N}}{_JOINERS}]|[{_APOSTROPHES}.,-](?=(?!\p{{Han}})[\p{{L}}\p{{N}}]))*"
    r"|[^\s\p{Cc}\p{Cf}\p{Cs}]\p{M}*"
)
SCRIPTS = (
    "Latn", "Cyrl", "Grek", "Arab", "Hebr", "Syrc", "Ethi", "Deva", "Beng", "Guru", "Gujr", "Orya", "Taml", "Telu", "Knda", "Mlym",
    "Sinh", "Thai", "Laoo", "Khmr", "Mymr", "Geor", "Armn", "Hang", "Kana", "Hira", "Hani",
)  # fmt: skip


@dataclass(frozen=True)
class Word:
    """`text[start:end]`, in code points of the text as given."""

    text: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    """The words and punctuation marks of a text, in order; white space and control characters belong to none."""
    return [Word(match[0], match.start(), match.end()) for match in _WORD.finditer(text)]


@cache
def _runs_of(script: str) -> regex.Pattern[str]:
    letter = rf"[\p{{L}}&&\p{{scx={script}}}]"
    return regex.compile(rf"{letter}(?:[[\p{{L}}\p{{M}}]&&\p{{scx={script}}}]|[\p{{M}}ʻʼʹ{_JOINERS}]|[{_APOSTROPHES}](?={letter}))*", regex.V1)


@cache
def script_of(letter: str) -> str:
    """The ISO 15924 code of a letter's script, `Zzzz` for one that the kit does not list."""
    return next((script for script in SCRIPTS if _runs_of(script).match(letter)), "Zzzz")


def normalised(word: str) -> str:
    """NFKC: presentation forms, full-width letters and composed marks in one form (the papers' Uyghur lacks it)."""
    return unicodedata.normalize("NFKC", word)


def runs(word: str) -> Iterator[tuple[str, str]]:
    """`(run, script)` for each stretch of letters in one script, `(character, "symbol")` for the rest.

    White space, control characters and marks without a letter are left out.
    """
    word, at = normalised(word), 0
    while at < len(word):
        character = word[at]
        if regex.match(r"\p{L}", character):
            script = script_of(character)
            match = _runs_of(script).match(word, at) if script in SCRIPTS else None
            run = match[0] if match else character
            yield run, script
            at += len(run)
        else:
            if not regex.match(r"[\s\p{C}\p{M}]", character):
                yield character, SYMBOL
            at += 1
