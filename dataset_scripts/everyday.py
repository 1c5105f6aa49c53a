"""Everyday sentences: five in each language of the papers and of CONLIPA, written for the kit, with their names marked.

They are what the Space offers as examples, and what a tagger is measured on outside of titles (`conlipa.modeling.evaluation.everyday`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import regex

from conlipa.dataset_scripts.tables import FOLDER

KINDS = ("news", "encyclopaedia", "chat")
_NAME = regex.compile(r"\[([^\[\]|]+)\|(PER|ORG|LOC)\]")


@dataclass(frozen=True)
class Everyday:
    """A sentence; `spans` are (start, end, label) in code points of `text`."""

    language: str
    kind: str
    text: str
    spans: tuple[tuple[int, int, str], ...]


@cache
def everyday() -> tuple[Everyday, ...]:
    """All sentences, in the order of the file."""
    with (FOLDER / "everyday.tsv").open(encoding="utf-8", newline="") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines][1:]
    return tuple(Everyday(language, kind, *unmarked(marked)) for language, kind, marked in rows)


def unmarked(marked: str) -> tuple[str, tuple[tuple[int, int, str], ...]]:
    """The text without its marks `[name|LABEL]`, and where the names stand."""
    text, spans, at = "", [], 0
    for match in _NAME.finditer(marked):
        text += marked[at : match.start()]
        spans.append((len(text), len(text) + len(match[1]), match[2]))
        text += match[1]
        at = match.end()
    return text + marked[at:], tuple(spans)
