"""Words that an engine spelled out instead of reading them, and the nearest word that it may be able to read.

espeak-ng says the name of a letter that its language lacks: `Trần` in English text becomes "t-r letter one e a seven en", `II` "roman two".
Such a word has more phonemes than its letters can account for. It is asked for once more with letters that the language is likelier to have,
and, where that is spelled too, read letter by letter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache

from anyascii import anyascii

from conlipa.dataset_scripts.tables import rows

_A_LETTER = 2
"""Phonemes that a letter may stand for: x is k s, a letter of an abugida has its vowel."""
_DOUBLE_U = 3
"""Letters more that a W is in an acronym: its name (double u) has up to seven phonemes, and BMW is read as its letters' names."""
_MARKED_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK")
"""Scripts whose letters may lose their marks and still be letters of the word."""


def is_spelled(word: str, line: str, phonemes: Sequence[str]) -> bool:
    """Whether `phonemes` are more than the letters of `word` account for; `line` is what the engine gave, with its spaces between words.

    An engine gives one word for one; several are names of letters, if they are longer than the word.
    """
    letters = sum(unicodedata.category(character)[0] in "LNM" for character in word)  # the marks of an abugida are vowels
    if word.isupper() and len(word) > 1:
        letters += _DOUBLE_U * word.count("W")
    several = len(line.split()) > 1
    return len(phonemes) > _A_LETTER * letters + 1 or (several and len(phonemes) > letters + 2)


def nearest_spelling(word: str) -> str:
    """A word in lower case and in the plain letters of its script: without marks, then by `foldings.csv`, Latin letters by their ASCII form."""
    return "".join(_nearest(character) for character in word.lower())


@cache
def _nearest(letter: str) -> str:
    if unicodedata.name(letter, "").startswith("LATIN"):
        return str(anyascii(letter)).lower()
    folded = _foldings().get(letter)
    if folded is None and unicodedata.name(letter, "").startswith(_MARKED_SCRIPTS):
        bare = "".join(c for c in unicodedata.normalize("NFD", letter) if not unicodedata.combining(c))
        folded = _foldings().get(bare, bare)
    return letter if folded is None else folded


@cache
def _foldings() -> dict[str, str]:
    return {row["letter"]: row["nearest"] for row in rows("foldings.csv")}
