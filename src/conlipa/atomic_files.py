"""Atomic file writes: beside the place, then renamed."""

from __future__ import annotations

import json
import os
import shutil
import sys
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
        ConlipaError: it could not be written (a full disk, no permission, `.`), naming `place`; what could not be renamed stays beside it.
    """
    target = _resolved(place)
    beside = target.with_name(target.name + ".partial")
    shutil.rmtree(beside, ignore_errors=True)
    with write_errors(place):
        try:
            beside.mkdir(parents=True)
            yield beside
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        shutil.rmtree(target, ignore_errors=True)
        try:
            os.replace(beside, target)
        except OSError as error:
            raise ConlipaError(f"{place}: could not be written ({error.strerror or error}); all that belongs there is in {beside}") from error


def check_place(place: Path, finished: str) -> None:
    """Refuse, before the work begins, a place that `atomic_folder` would put its folder in, though something else is there.

    Args:
        finished: the file that only a folder of the same kind has.

    Raises:
        ConlipaError: it holds something else, cannot be replaced, or is `.` or `..`.
    """
    _resolved(place)
    if place.exists() and (not place.is_dir() or any(place.iterdir())) and not (place / finished).is_file():
        raise ConlipaError(f"{place}: holds something else (no {finished}); name a new folder")


def _resolved(place: Path) -> Path:
    """Where a folder lies behind all links, which a rename would not follow.

    Raises:
        ConlipaError: nothing can take its name.
    """
    if place.name in ("", ".."):
        raise ConlipaError(f"{place}: is in use, and cannot be written as a whole; name a new folder")
    with write_errors(place):
        target = place.resolve()
    if os.path.ismount(target):
        raise ConlipaError(f"{place}: is a mount point, and cannot be written as a whole; name a folder inside it")
    return target


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


def _output(path: Path) -> int:
    """Which of the process's outputs, 1 or 2, a path (`/dev/stdout`) is; 0: none."""
    for number in (1, 2):
        try:
            if os.path.samestat(path.stat(), os.fstat(number)):
                return number
        except OSError:  # it is closed
            continue
    return 0


def write_text(text: str, path: Path) -> None:
    """Write a file beside, then rename; a link's target is written, and what is no file, or is this process's output, straight away."""
    with write_errors(path):
        if path.exists() and (number := _output(path)):
            sys.stdout.flush()
            os.write(number, text.encode())
            return
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        path = path.resolve()
        beside = path.with_name(path.name + ".partial")
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
