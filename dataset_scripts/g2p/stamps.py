"""What an engine reads of the user's own files: once they have changed it is another engine, and no cache may answer for it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_STAMP = "\0"
_OF_A_MODEL = ("*config.json", "*.safetensors")


def own_digest(engine: str) -> str:
    """Of the content of a table (`map:FILE`) or of a model's folder (`charsiu:CODE@FOLDER`); empty for other engines, and where there is none."""
    kind, _, name = engine.partition(":")
    if kind == "map":
        return hashlib.sha256(Path(name).read_bytes()).hexdigest() if Path(name).is_file() else ""
    folder = name.partition("@")[2]
    if kind != "charsiu" or not folder:
        return ""
    files = sorted(path for pattern in _OF_A_MODEL for path in Path(folder).glob(pattern))
    return hashlib.sha256("".join(f"{path.name} {_of_file(path)}\n" for path in files).encode()).hexdigest() if files else ""


def _of_file(path: Path) -> str:
    now = path.stat()
    return _of_content(path.resolve(), now.st_size, now.st_mtime_ns)


@cache
def _of_content(path: Path, size: int, changed: int) -> str:
    """A gigabyte of weights is read once a process, not for each file that is transcribed; `size` and `changed` tell new ones."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def lasting(engine: str) -> str:
    """The name of an engine from any working folder: own files by their whole path."""
    kind, _, name = engine.partition(":")
    if kind == "map":
        return f"map:{Path(name).absolute()}"
    code, _, folder = name.partition("@")
    return f"{kind}:{code}@{Path(folder).absolute()}" if kind == "charsiu" and folder else engine


def stamped(engine: str) -> str:
    """The name of an engine; of one that reads own files, with their digest."""
    digest = own_digest(engine)
    return f"{engine}{_STAMP}{digest}" if digest else engine


def split_stamp(name: str) -> tuple[str, str]:
    """A name without its stamp, and the stamp, which may be empty."""
    own, _, stamp = name.partition(_STAMP)
    return own, stamp
