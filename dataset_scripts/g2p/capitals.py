"""Which words begin with an uppercase letter: the strongest sign of a name in a cased script, and one that IPA loses."""

from __future__ import annotations

from collections.abc import Sequence

CASE_MARK = "^"
"""Stands as a position of its own before the first phoneme of a capitalised word, where an encoder reads case marks."""


def capitals(words: Sequence[str]) -> list[bool]:
    """For each word of a sentence, whether its first letter is uppercase.

    Where every letter is uppercase (a headline), capitals tell nothing: such a sentence of two or more cased words is read as one without.
    """
    found = [next((c.isupper() or c.istitle() for c in word if c.isalpha()), False) for word in words]
    headline = sum(found) > 1 and not any(c.islower() for word in words for c in word)
    return [False] * len(found) if headline else found


def with_case_marks(words: Sequence[str], phonemes: Sequence[Sequence[str]]) -> list[list[str]]:
    """The phonemes of each word of a sentence, with a case mark before those of a capitalised one."""
    return [[CASE_MARK, *each] if capital else list(each) for capital, each in zip(capitals(words), phonemes, strict=True)]
