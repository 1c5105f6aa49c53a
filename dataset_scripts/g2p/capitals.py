"""Which words begin with an uppercase letter: the strongest sign of a name in a cased script, and one that IPA loses."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

CASE_MARK = "^"
"""Stands as a position of its own before the first phoneme of a capitalised word, where an encoder reads case marks."""


def capitals(words: Sequence[str]) -> list[bool]:
    """For each word of a sentence, whether its first letter is uppercase.

    Where every letter is uppercase (a headline), capitals tell nothing: such a sentence of two or more cased words is read as one without.
    """
    letters = [_letters(word) for word in words]
    found = [bool(each) and _is_upper(each[0]) for each in letters]
    headline = sum(found) > 1 and all(_is_upper(letter) for each in letters for letter in each)
    return [False] * len(found) if headline else found


def _letters(word: str) -> str:
    """Those of a word, without modifier letters: an ʻokina has no case, and stands before the capital in ʻOumuamua."""
    return "".join(c for c in word if c.isalpha() and unicodedata.category(c) != "Lm")


def _is_upper(letter: str) -> bool:
    return letter.isupper() or letter.istitle()


def with_case_marks(words: Sequence[str], phonemes: Sequence[Sequence[str]]) -> list[list[str]]:
    """The phonemes of each word of a sentence, with a case mark before those of a capitalised one."""
    return [[CASE_MARK, *each] if capital else list(each) for capital, each in zip(capitals(words), phonemes, strict=True)]
