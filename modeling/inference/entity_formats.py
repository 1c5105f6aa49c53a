"""Entities in the forms that annotation tools and other taggers read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from conlipa.atomic_files import atomic_folder
from conlipa.dataset_scripts.g2p.words import words
from conlipa.errors import UsageError
from conlipa.modeling.inference.entities import Entity
from conlipa.modeling.inference.windows import LINE_BREAKS

_PIECE = re.compile(rf"[^\t{LINE_BREAKS}]+")
Tagged = tuple[str, Sequence[Entity]]
"""A text and its entities."""


def json_line(text: str, entities: Sequence[Entity], error: str = "") -> str:
    """`{"text": …, "entities": [{"start": …, "end": …, "text": …, "label": …, "score": …}]}`, and `"error": …` where it could not be tagged."""
    found = {"text": text, "entities": [entity.as_dict() for entity in entities]}
    return json.dumps(found | ({"error": error} if error else {}), ensure_ascii=False)


def conll(text: str, entities: Sequence[Entity]) -> str:
    """`token<TAB>tag` in IOB2, a line each, and an empty line after the text."""
    lines = []
    coming, begun = list(reversed(entities)), False
    for word in words(text):
        while coming and coming[-1].end <= word.start:
            coming.pop()
            begun = False
        inside = bool(coming) and coming[-1].start < word.end  # a name that a visitor marked within a word is that word
        lines.append(f"{word.text}\t{('I-' if begun else 'B-') + coming[-1].label if inside else 'O'}\n")
        begun = inside
    return "".join(lines)


def doccano(text: str, entities: Sequence[Entity]) -> str:
    """`{"text": …, "label": [[start, end, "LOC"]]}`: what doccano imports for sequence labelling."""
    return json.dumps({"text": text, "label": [[entity.start, entity.end, entity.label] for entity in entities]}, ensure_ascii=False)


LINE_FORMATS: dict[str, Callable[[str, Sequence[Entity]], str]] = {"json": json_line, "conll": conll, "doccano": doccano}


def write_brat(folder: Path, documents: Iterable[tuple[str, Iterable[Tagged]]]) -> None:
    """`NAME.txt` and `NAME.ann` (standoff) of each document; a document is its lines with their entities.

    Raises:
        UsageError: the folder holds something already, or two documents have one name.
    """
    if folder.resolve() == Path.cwd():  # a folder is written beside its place, and this one is in use
        raise UsageError(f"{folder}: is the working folder; --out takes a new folder")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: is not empty; --out takes a new folder")
    given = list(documents)
    names = [name for name, _ in given]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"two files are named {twice[0]}; brat knows a document by its name")
    with atomic_folder(folder) as new:
        for name, lines in given:
            _write_document(new / name, lines)


def _write_document(stem: Path, lines: Iterable[Tagged]) -> None:
    offset = number = 0
    # Not `with_suffix`: a document may be called `a.b`.
    with Path(f"{stem}.txt").open("w", encoding="utf-8", newline="") as text, Path(f"{stem}.ann").open("w", encoding="utf-8", newline="") as ann:
        for line, entities in lines:
            text.write(line + "\n")
            for entity in entities:
                number += 1
                where, surface = _fragments(entity, offset)
                ann.write(f"T{number}\t{entity.label} {where}\t{surface}\n")
            offset += len(line) + 1


def _fragments(entity: Entity, offset: int) -> tuple[str, str]:
    """Offsets and text of an entity: brat has no tab or line break in an annotation, but pieces (`0 5;6 11`), joined by a space in the text."""
    pieces = [match.span() for match in _PIECE.finditer(entity.text)]
    start = offset + entity.start
    return ";".join(f"{start + first} {start + stop}" for first, stop in pieces), " ".join(entity.text[first:stop] for first, stop in pieces)
