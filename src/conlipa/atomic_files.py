"""Atomic file writes: beside the place, then renamed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from conlipa.errors import ConlipaError


@contextmanager
def atomic_folder(place: Path) -> Iterator[Path]:
    """A new folder beside `place` that takes its name once the block is through, and goes away if it is not.

    Raises:
        ConlipaError: it could not be written (a full disk, no permission, `.`), naming `place`.
    """
    if not place.name:
        raise ConlipaError(f"{place}: is in use, and cannot be written as a whole; name a new folder")
    beside = place.with_name(place.name + ".partial")
    shutil.rmtree(beside, ignore_errors=True)
    with write_errors(place):
        try:
            beside.mkdir(parents=True)
            yield beside
            shutil.rmtree(place, ignore_errors=True)
            os.replace(beside, place)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise


def check_place(place: Path, finished: str) -> None:
    """Refuse, before the work begins, a place that `atomic_folder` would put its folder in, though something else is there.

    Args:
        finished: the file that only a folder of the same kind has.

    Raises:
        ConlipaError: it holds something else, or is `.` or `..`.
    """
    if place.name in ("", ".."):
        raise ConlipaError(f"{place}: is in use, and cannot be written as a whole; name a new folder")
    if place.exists() and (not place.is_dir() or any(place.iterdir())) and not (place / finished).is_file():
        raise ConlipaError(f"{place}: holds something else (no {finished}); name a new folder")


@contextmanager
def write_errors(place: Path) -> Iterator[None]:
    """What fails while writing, as one line that names the place: torch and safetensors have errors of their own for a full disk."""
    try:
        yield
    except ConlipaError:
        raise
    except OSError as error:
        raise ConlipaError(f"{place}: could not be written ({error.strerror or error})") from error
    except (RuntimeError, SafetensorError) as error:  # what torch and safetensors make of a full disk
        raise ConlipaError(f"{place}: could not be written ({str(error).splitlines()[0]}; is the disk full?)") from error


def write_text(text: str, path: Path) -> None:
    """Write a file beside, then rename."""
    beside = path.with_name(path.name + ".partial")
    with write_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(text, encoding="utf-8", newline="\n")
            os.replace(beside, path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def write_json(data: Any, path: Path) -> None:
    """`write_text` of indented JSON."""
    write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", path)
