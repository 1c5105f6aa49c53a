"""Words in scripts that are written without spaces, cut by the segmenter that `scripts.csv` names for the script.

This is for raw text alone: the tokens of WikiANN stay as they are, Chinese ones single characters. A word of raw Chinese
is read as a word, by its phrase's pinyin, and is as long as the words of other languages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import regex

from conlipa.dataset_scripts.tables import rows


def dictionary(run: str) -> Iterator[str]:
    """Words by the dictionaries of ICU (Thai, Lao, Khmer, Burmese, hiragana, Han), which come inside the wheel."""
    from icu4py.breakers import WordBreaker

    yield from WordBreaker(run, "und")


def character(run: str) -> Iterator[str]:
    """Each character, with its variation selector, as a word: for a tagger that shall see Chinese as WikiANN's tokens are."""
    yield from regex.findall(r".\p{M}*", run, regex.DOTALL)


def whole(run: str) -> Iterator[str]:
    """The run itself: katakana writes names and loanwords, which ICU cuts into syllables."""
    yield run


_KINDS: dict[str, Callable[[str], Iterator[str]]] = {"dictionary": dictionary, "character": character, "whole": whole}


@cache
def segmenters() -> dict[str, Callable[[str], Iterator[str]]]:
    """Script to segmenter, for the scripts that have one; the pieces of a run, joined, are the run."""
    return {row["script"]: _KINDS[row["segmenter"]] for row in rows("scripts.csv") if row["segmenter"]}
