"""Lines tagged one after the other; one that cannot be tagged does not end the job."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from conlipa.dataset_scripts.g2p.language_guess import guess_language
from conlipa.dataset_scripts.g2p.phonemizer import NotReadError, phonemizer
from conlipa.errors import UsageError
from conlipa.modeling.inference.entities import Entity
from conlipa.modeling.inference.tagger import BATCH_SIZE, Tagger


class TaggedLine(NamedTuple):
    """A line with its entities; `error` says why it has none where its language cannot be told, or the tagger's engine does not read it."""

    text: str
    entities: Sequence[Entity]
    error: str


def tagged_lines(tagger: Tagger, lines: Iterable[str], batch_size: int = BATCH_SIZE) -> Iterator[TaggedLine]:
    """Each line with its entities, in bounded memory."""
    read, given = itertools.tee((line, _why_not(tagger, line)) for line in lines)
    found = tagger(("" if error else line for line, error in given), batch_size=batch_size)
    for (line, error), entities in zip(read, found, strict=False):
        yield TaggedLine(line, entities, error)


def _why_not(tagger: Tagger, line: str) -> str:
    if line.strip() and tagger.lang is None and not tagger.engine.startswith("map:"):
        try:
            lang = guess_language(line)
        except UsageError as error:
            return str(error)
        try:
            phonemizer(lang, tagger.engine)
        except NotReadError as error:  # what is wrong with the engine itself is so of all lines
            return str(error)
    return ""
