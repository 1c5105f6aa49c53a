"""The table of languages: one row each, in `languages.csv`.

`case` says what the papers use a language for: 1, 2 and 3 are their test languages,
`source` is English, `conlipa` the ten of the loanword pairs, `extra` the pairs beyond the paper,
`more` further languages that WikiANN has and a model may be trained on, `running` those that it lacks, of which there is running text.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache

from conlipa.dataset_scripts.tables import rows
from conlipa.errors import UsageError


@dataclass(frozen=True)
class Language:
    """One row of the table; `engines` is tried from left to right."""

    iso: str
    name: str
    own_name: str
    """What its speakers call it (CLDR's autonym, where CLDR has the language); may be empty."""
    wikiann: str
    """Its code in WikiANN, which is that of ISO 639-1 where there is one; may be empty."""
    script: str
    family: str
    """At the top level of a genealogy: Indo-European, Turkic."""
    branch: str
    """The subgroup, where the family's languages parted long ago (Indo-European, Afro-Asiatic, Atlantic-Congo, Austroasiatic, Uralic): Indo-Aryan,
    Semitic, Bantu. In any other family the family itself."""
    case: str
    engines: tuple[str, ...]
    kin: tuple[str, ...] = ()
    """Codes of languages that are near enough to be named where a model was trained on them."""

    @property
    def in_wikiann(self) -> bool:
        """Whether WikiANN has the language."""
        return bool(self.wikiann) and self.case != "running"

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, as its script is written."""
        return next((row["direction"] for row in rows("scripts.csv") if row["script"] == self.script), "ltr")


@cache
def languages() -> dict[str, Language]:
    """All languages by ISO 639-3 code, in the order of the table."""
    return {row["iso"]: _made(row) for row in rows("languages.csv")}


def _made(row: dict[str, str]) -> Language:
    return Language(
        iso=row["iso"],
        name=row["name"],
        own_name=row["own_name"],
        wikiann=row["wikiann"],
        script=row["script"],
        family=row["family"],
        branch=row["branch"],
        case=row["case"],
        engines=tuple(row["engines"].split()),
        kin=tuple(row["kin"].split()),
    )


def language(code: str) -> Language:
    """The row of an ISO 639-3 code; a name or a WikiANN code finds it too.

    Raises:
        UsageError: nothing by that code; the nearest codes and names are offered.
    """
    table = languages()
    if code in table:
        return table[code]
    other = {name: row for row in table.values() for name in (row.name.lower(), row.wikiann) if name}
    if code.lower() in other:
        return other[code.lower()]
    labels = {name: f"{row.iso} ({row.name})" for row in table.values() for name in (row.iso, row.name.lower())}
    close = dict.fromkeys(labels[name] for name in difflib.get_close_matches(code.lower(), labels, n=4, cutoff=0.5))
    hint = f"; did you mean {', '.join(close)}?" if close else "; `conlipa languages` lists them"
    raise UsageError(f"unknown language '{code}'{hint}")


def iso_of(lang: str) -> str:
    """The ISO 639-3 code of a language, or what it is called where the table lacks it: a letter table reads it all the same."""
    try:
        return language(lang).iso
    except UsageError:
        return lang


def listed(codes: str) -> list[str]:
    """The languages of a comma-separated option, each by any of its codes; none of an empty one.

    Raises:
        UsageError: as `language`.
    """
    return [language(code).iso for code in codes.split(",") if code]


def by_case(*cases: str) -> list[str]:
    """ISO codes of the given cases, in the order of the table."""
    return [row.iso for row in languages().values() if row.case in cases]
