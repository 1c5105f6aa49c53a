"""Where sentences come from: what `--corpus` names.

    --corpus DIR                            titles: WikiANN, or another folder of that form
    --corpus titles=DIR:running=DIR2        titles and running text side by side
    --corpus hub | sample                   WikiANN from the Hub; the built-in sample

Folders are joined as in PATH (`:`, on Windows `;`); all that have a language count. The name of an existing folder may have that sign itself.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conlipa.errors import UsageError, nearest

TITLES, RUNNING = "titles", "running"
KINDS = (TITLES, RUNNING)
"""What sentences may be: titles and lists, as WikiANN's are; sentences of running text."""
HUB, SAMPLE = "hub", "sample"


@dataclass(frozen=True)
class Place:
    """A folder, `hub` or `sample`, and the kind of its sentences."""

    where: str
    kind: str = TITLES

    @property
    def path(self) -> Path:
        return Path(self.where)

    @property
    def name(self) -> str:
        """A name that says nothing of the machine."""
        own = self.where if self.where in (HUB, SAMPLE) else self.path.resolve().name
        if self.where != own and own in (HUB, SAMPLE):
            own = f"folder {own}"  # somebody's own, and neither WikiANN nor the kit's
        return own if self.kind == TITLES else f"{self.kind}={own}"

    def __str__(self) -> str:
        return f"{self.kind}={self.where}"


def places(where: str | Path | None) -> tuple[Place, ...]:
    """The places that a `--corpus` or `data_dir` names, in the order given; None and an empty text are the built-in sample.

    Raises:
        UsageError: a kind that there is none of, or one folder named twice.
    """
    text = str(where or SAMPLE)
    found = tuple(map(_place, _parts(text)))
    resolved = [place.path.resolve() for place in found]
    for place in found:
        if resolved.count(place.path.resolve()) > 1:
            raise UsageError(f"{place.where}: is named twice")
    return found


def _parts(text: str) -> Iterator[str]:
    """What names one place each: what stands between two separators, unless a folder that exists has a longer name from there."""
    parts = text.split(os.pathsep)
    while parts:
        many = next((many for many in range(len(parts), 1, -1) if _is_folder(os.pathsep.join(parts[:many]))), 1)
        yield os.pathsep.join(parts[:many])
        parts = parts[many:]


def _is_folder(part: str) -> bool:
    kind, _, rest = part.partition("=")
    return os.path.isdir(part) or (kind in KINDS and os.path.isdir(rest))  # of a longer text than a path may be, `Path` raises


def _place(part: str) -> Place:
    kind, equals, rest = part.partition("=")
    exists = Path(part).exists()  # a folder's own name may have an equals sign
    if equals and kind in KINDS and (rest in (HUB, SAMPLE) or Path(rest).is_dir() or not exists):
        return Place(rest, kind)  # so that a place, written out, is read as that place
    if equals and not exists:
        raise UsageError(f"{part}: no such folder, nor kind of sentences '{kind}'{nearest(kind, KINDS)} (kinds: {', '.join(KINDS)})")
    return Place(part)


def corpus_option(parser: argparse.ArgumentParser, required: bool = False) -> None:
    """`--corpus`, also by its old name, `--wikiann`; it is `arguments.corpus`."""
    parser.add_argument(
        "--corpus",
        "--wikiann",
        default=None if required else SAMPLE,
        required=required,
        metavar=f"DIR|titles=DIR{os.pathsep}running=DIR|hub|sample",
        help="where the sentences come from: a folder with ISO639-3/{train,dev,test}.tsv, several joined, each with the kind of its sentences, "
        f"WikiANN from the Hub{'' if required else ', or the built-in sample (default: sample)'}",
    )
