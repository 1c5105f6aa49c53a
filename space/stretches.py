"""A text as the stretches that `gr.HighlightedText` shows to be corrected, names with their labels and each word between them; and back."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from conlipa.dataset_scripts.g2p.segmenters import segmenters
from conlipa.dataset_scripts.g2p.words import script_of, words
from conlipa.errors import ConlipaError
from conlipa.modeling.inference.entities import Entity
from conlipa.modeling.inference.entity_formats import Tagged
from conlipa.space import rendering

Stretch = tuple[str, str | None]
Given = Sequence[dict[str, Any]]
"""Stretches as Gradio gives them: each a `token` with its `class_or_confidence`."""
Marked = list[tuple[int, int, str]]
"""Begin, end and label of each name, the label as it was typed."""


def laid_out(text: str, marked: Iterable[tuple[int, int, str]]) -> list[Stretch]:
    """The stretches of a text with these names, which do not overlap."""
    made: list[Stretch] = []
    at = 0
    for start, end, label in sorted(marked):
        made += [*_unmarked(text[at:start]), (text[start:end], label)]
        at = end
    return [*made, *_unmarked(text[at:])]


def _unmarked(text: str) -> Iterator[Stretch]:
    at = 0
    for word in words(text):
        if word.start > at:
            yield text[at : word.start], None
        yield word.text, None
        at = word.end
    if at < len(text):
        yield text[at:], None


def _taken(given: Given) -> tuple[str, Marked]:
    """The text of stretches, and its names."""
    text, marked = "", []
    for stretch in given:
        piece, label = stretch["token"], stretch["class_or_confidence"]
        if label is not None:
            marked.append((len(text), len(text) + len(piece), label))
        text += piece
    return text, marked


def with_name(given: Given, name: str, label: str) -> list[Stretch]:
    """The stretches with a label for a name, wherever it stands without one as whole words: in a script without spaces also within them.

    Raises:
        ConlipaError: it stands nowhere so.
    """
    text, marked = _taken(given)
    name = name.strip()
    if not name:
        raise ConlipaError("Type a name of the text first.")
    places = [(match.start(), match.end()) for match in re.finditer(re.escape(name), text)]
    begins, stops = [begin for begin, _, _ in marked], [stop for _, stop, _ in marked]  # in order, as the stretches are
    free = [(start, end) for start, end in places if (at := bisect_right(stops, start)) == len(marked) or begins[at] >= end]
    there = words(text)
    starts, ends = {word.start for word in there}, {word.end for word in there}
    whole = [(start, end) for start, end in free if start in starts and end in ends]
    found = whole or [(start, end) for start, end in free if script_of(text[start]) in segmenters()]
    if not found:
        raise ConlipaError(f"'{name[:40]}' does not stand in the text without a label.")
    return laid_out(text, [*marked, *((start, end, label) for start, end in found)])


def sentences(given: Given) -> list[Tagged]:
    """The lines of a corrected text, each with its names.

    Raises:
        ConlipaError: what was typed is no label.
    """
    lines: list[tuple[str, list[Entity]]] = [("", [])]
    for stretch in given:
        piece, label = stretch["token"], _label(stretch["class_or_confidence"])
        text, entities = lines[-1]
        if label and (name := piece.strip()):  # who selects a word by hand may have a space with it
            start = len(text) + piece.index(name)
            entities.append(Entity(start, start + len(name), name, label, 1.0))
        first, *more = [piece] if label else piece.split("\n")
        lines[-1] = (text + first, entities)
        lines += [(line, []) for line in more]
    return [(text, entities) for text, entities in lines if text.strip()]


def _label(typed: Any) -> str | None:
    """The label that a visitor means, by its code or its name; None for none."""
    wanted = str(typed or "").removeprefix("label").strip()  # the word "label" stands in Gradio's field, and what is typed comes after it
    if not wanted:
        return None
    known = {name: label for label, word in rendering.KINDS.items() for name in (label.casefold(), word)}
    found = known.get(wanted.casefold())
    if found is None:
        raise ConlipaError(f"'{wanted[:40]}' is no label: type PER (person), ORG (organisation) or LOC (place).")
    return found
