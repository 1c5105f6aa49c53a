"""The tables that travel with the package."""

from __future__ import annotations

import csv
import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).parent
_ENGINES = ("anyascii", "epitran", "espeakng-loader", "icu4py", "janome", "pypinyin")
"""Distributions that decide of a transcription."""


@cache
def rows(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file of this folder."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def digest() -> str:
    """Of the tables, code and engines that decide what the builders yield: a changed pair or engine must not be answered from an old cache."""
    found = hashlib.sha256(" ".join(version(name) for name in _ENGINES).encode())
    for path in sorted(path for pattern in ("*.csv", "*.py", "*/*.py", "*/*.csv", "pairs/*.tsv") for path in FOLDER.glob(pattern)):
        found.update(path.read_bytes())
    return found.hexdigest()
