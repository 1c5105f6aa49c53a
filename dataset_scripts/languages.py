"""The table of languages: one row each, in `languages.csv`.

`case` says what the papers use a language for: 1, 2 and 3 are their test languages,
`source` is English, `conlipa` the ten of the loanword pairs, `extra` the pairs beyond the paper.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from dataset_scripts.errors import UsageError, nearest


@dataclass(frozen=True)
class Language:
    """One row of the table; `engines` is tried from left to right."""

    iso: str
    name: str
    wikiann: str
    script: str
    family: str
    case: str
    engines: tuple[str, ...]


@cache
def languages() -> dict[str, Language]:
    """All languages by ISO 639-3 code, in the order of the table."""
    with (files("dataset_scripts") / "languages.csv").open(encoding="utf-8", newline="") as lines:
        rows = [Language(**{**row, "engines": tuple(row["engines"].split())}) for row in csv.DictReader(lines)]
    return {row.iso: row for row in rows}


def language(code: str) -> Language:
    """The row of an ISO 639-3 code; a name or a WikiANN code finds it too.

    Raises:
        UsageError: nothing by that code; the nearest codes and names are offered.
    """
    table = languages()
    if code in table:
        return table[code]
    other = {name: row for row in table.values() for name in (row.name.lower(), row.wikiann)}
    if code.lower() in other:
        return other[code.lower()]
    names = {row.name.lower(): f"{row.iso} ({row.name})" for row in table.values()}
    names |= {row.iso: f"{row.iso} ({row.name})" for row in table.values()}
    hint = nearest(code.lower(), names)
    for name, label in names.items():
        hint = hint.replace(f" {name}", f" {label}") if f" {name}" in hint and label not in hint else hint
    raise UsageError(f"unknown language '{code}'{hint or '; `conlipa languages` lists them'}")


def by_case(*cases: str) -> list[str]:
    """ISO codes of the given cases, in the order of the table."""
    return [row.iso for row in languages().values() if row.case in cases]
