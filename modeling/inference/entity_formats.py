"""Entities in the forms that annotation tools and other taggers read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from conlipa.atomic_files import atomic_folder
from conlipa.dataset_scripts.g2p.words import words
from conlipa.errors import UsageError
from conlipa.modeling.inference.entities import Entity

Tagged = tuple[str, Sequence[Entity]]
"""A text and its entities."""


def json_line(text: str, entities: Sequence[Entity]) -> str:
    """`{"text": …, "entities": [{"start": …, "end": …, "text": …, "label": …, "score": …}]}`."""
    return json.dumps({"text": text, "entities": [entity.as_dict() for entity in entities]}, ensure_ascii=False)


def conll(text: str, entities: Sequence[Entity]) -> str:
    """`token<TAB>tag` in IOB2, a line each, and an empty line after the text."""
    lines = []
    coming = list(reversed(entities))
    for word in words(text):
        if coming and coming[-1].end <= word.start:
            coming.pop()
        inside = bool(coming) and coming[-1].start <= word.start
        lines.append(f"{word.text}\t{('B-' if word.start == coming[-1].start else 'I-') + coming[-1].label if inside else 'O'}\n")
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
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: is not empty; --out takes a new folder")
    with atomic_folder(folder) as new:
        for name, lines in documents:
            if (new / f"{name}.txt").exists():
                raise UsageError(f"two files are named {name}; brat knows a document by its name")
            _write_document(new / name, lines)


def _write_document(stem: Path, lines: Iterable[Tagged]) -> None:
    offset = number = 0
    # Not `with_suffix`: a document may be called `a.b`.
    with Path(f"{stem}.txt").open("w", encoding="utf-8", newline="") as text, Path(f"{stem}.ann").open("w", encoding="utf-8", newline="") as ann:
        for line, entities in lines:
            text.write(line + "\n")
            for entity in entities:
                number += 1
                ann.write(f"T{number}\t{entity.label} {offset + entity.start} {offset + entity.end}\t{entity.text}\n")
            offset += len(line) + 1
