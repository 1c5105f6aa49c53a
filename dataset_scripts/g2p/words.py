"""Raw text to words with their spans, and a word to its runs of letters and symbols."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import regex

from conlipa.dataset_scripts.g2p.segmenters import segmenters
from conlipa.dataset_scripts.tables import rows

SYMBOL = "symbol"
SCRIPTS = tuple(row["script"] for row in rows("scripts.csv"))
_OTHER = "Zzzz"
"""A script that the kit does not list, in ISO 15924."""
_APOSTROPHES = "'’‘ʼʻ`´ʹ"
_MODIFIERS = "ʻʼʹʾʿ"
"""Letters of no script: each belongs to the run of the letters that it stands before or among (ʻokina in Hawaiian)."""
_JOINERS = "\u200c\u200d"
_SOFT_HYPHEN = "\u00ad"
_LONGEST_RUN = 200
"""Letters that an engine gets at once; more are no word of any language, and some engines take quadratic time."""


class Word(NamedTuple):
    """`text[start:end]`, in code points of the text as given."""

    text: str
    start: int
    end: int


@cache
def _word() -> regex.Pattern[str]:
    """A run of a script without spaces, named by its script; any other word; or one mark.

    A word ends at white space, punctuation or a run of a script without spaces, but an apostrophe, hyphen, dot or
    comma between two letters or digits belongs to its word.
    """
    extended = rf"[\p{{M}}{_JOINERS}]*"
    unspaced = [rf"(?P<{script}>(?:[\p{{L}}\p{{Nl}}&&\p{{scx={script}}}]{extended})+)" for script in segmenters()]
    scripts = "".join(rf"\p{{scx={script}}}" for script in segmenters())
    letter = rf"[[\p{{L}}\p{{N}}]--[[\p{{L}}\p{{Nl}}]&&[{scripts}]]]"
    inside = rf"{letter}|[\p{{M}}{_JOINERS}]|[{_APOSTROPHES}.,\-{_SOFT_HYPHEN}](?={letter})"
    return regex.compile("|".join([*unspaced, rf"{letter}(?:{inside})*", r"[^\s\p{Cc}\p{Cf}\p{Cs}]\p{M}*"]), regex.V1)


def words(text: str) -> list[Word]:
    """The words and punctuation marks of a text, in order; white space and control characters belong to none."""
    found = []
    for match in _word().finditer(text):
        start = match.start()
        for piece in segmenters()[match.lastgroup](match[0]) if match.lastgroup else [match[0]]:
            found.append(Word(piece, start, start + len(piece)))
            start += len(piece)
    return found


@cache
def _run(by_script: bool = True) -> regex.Pattern[str]:
    """A run of letters, named by its script, or one symbol."""
    more = _LONGEST_RUN - 1
    runs = []
    for script in SCRIPTS if by_script else ():
        letter = rf"[[\p{{L}}&&\p{{scx={script}}}]--[{_MODIFIERS}]]"  # which count as letters of several scripts each
        inside = rf"[[\p{{L}}\p{{M}}]&&\p{{scx={script}}}]|[\p{{M}}{_MODIFIERS}{_JOINERS}]|[{_APOSTROPHES}](?={letter})"
        runs.append(rf"(?P<{script}>[{_MODIFIERS}]{{0,3}}{letter}(?:{inside}){{0,{more}}})")
    other = r"\p{L}" if by_script else rf"\p{{L}}(?:[\p{{L}}\p{{M}}{_JOINERS}]|[{_APOSTROPHES}](?=\p{{L}})){{0,{more}}}"
    return regex.compile("|".join([*runs, rf"(?P<{_OTHER}>{other})", rf"(?P<{SYMBOL}>[^\s\p{{C}}\p{{M}}])"]), regex.V1)


@cache
def script_of(letter: str) -> str:
    """The ISO 15924 code of a letter's script, `Zzzz` for one that the kit does not list."""
    match = _run().match(letter)
    return match.lastgroup if match and match.lastgroup != SYMBOL else _OTHER


def normalised(word: str) -> str:
    """NFKC: presentation forms, full-width letters and composed marks in one form (the papers' Uyghur lacks it)."""
    return unicodedata.normalize("NFKC", word)


def runs(word: str, by_script: bool = True) -> Iterator[tuple[str, str]]:
    """`(run, script)` for each stretch of letters in one script, or of any letters; `(character, "symbol")` for the rest.

    White space, control characters and marks without a letter are left out. A run has at most `_LONGEST_RUN` letters.
    """
    return ((match[0], str(match.lastgroup)) for match in _run(by_script).finditer(normalised(word)))
