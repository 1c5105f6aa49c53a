"""Files of others as objects of a library: the one call of `from_pretrained`. None of their code runs, each fault is one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conlipa.errors import ConlipaError

MOST_BYTES = 64_000_000
"""Of a JSON file: the tokenizers of large vocabularies have 20 MB."""


def from_folder(kind: Any, folder: Path | str, what: str, *base: Any, **more: Any) -> Any:
    """What a class of transformers or peft makes of a folder (or of a repo at a fixed revision).

    Args:
        what: the name of it in an error.
        base: the model that an adapter is for.

    Raises:
        ConlipaError: it cannot be loaded, or names code of its own.
    """
    if Path(folder).is_dir():
        refuse_code(Path(folder))
    safe = {} if base else {"trust_remote_code": False}  # peft's adapters have no code of their own
    with one_line(what):
        return kind.from_pretrained(*base, folder, **safe, **more)


def refuse_code(folder: Path) -> None:
    """No JSON of a folder may name code to run.

    Raises:
        ConlipaError: one does.
    """
    for path in sorted(folder.glob("*.json")):
        if path.stat().st_size > MOST_BYTES or path.name == "tokenizer.json":
            continue
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue  # said by whoever needs the file
        for key in ("auto_map", "custom_pipelines"):
            if isinstance(raw, dict) and key in raw:
                raise ConlipaError(f"{path}: has {key}, code of its own, which this kit does not run")


@contextmanager
def one_line(what: str) -> Iterator[None]:
    """Whatever a library raises over a foreign file, as one line: they raise of many kinds."""
    try:
        yield
    except ConlipaError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # Rust's, of tokenizers, which is no `Exception`
            raise
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ConlipaError(f"{what}: cannot be loaded ({reason})") from error
