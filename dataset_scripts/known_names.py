"""Names that are known before any training: what the Unicode CLDR calls continents, countries and cities in a language."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import islice
from typing import Any

from babel import Locale
from babel.core import get_global
from babel.localedata import locale_identifiers

from conlipa.dataset_scripts.languages import language
from conlipa.dataset_scripts.tables import rows

_TABLES = hashlib.sha256(repr([rows("endings.csv"), rows("ordinary.csv")]).encode()).hexdigest()[:8]
CLDR = f"babel {version('babel')}, {_TABLES}"
"""What carries it, and so which edition, with a digest of the kit's tables beside it: another one may know other names."""
_NO_NAMES = {"001", "EZ", "QO", "XA", "XB", "ZZ"}
"""Territories of CLDR that are the world, a region nobody names, or none."""
_ORGANISATIONS = {"EU", "UN"}
_NO_CITIES = re.compile(
    r"(Antarctica|Etc|America/(Indiana|Kentucky|North_Dakota))/|.*/(Christmas|Easter|Midway|Nome|Oral|Phoenix|Regina|Resolute|Reunion|Stanley|Wake)$"
)
"""Time zones whose city is a station or hardly known, or has a name that is an ordinary word or a person's in many languages."""
_LEAST_LETTERS = 2
_MOST_ENDING, _LEAST_STEM = 3, 5
"""Letters: of an ending that a name may have (Кыргызстанда), and of the name before it. With shorter ones, Romeo would be Rome."""
_APART = re.compile(r"['’ʼ]([^\W\d_]+)$")
"""An ending that is written after an apostrophe, as any name may have it (Nigeria's)."""
_NOT_READ = re.compile(r"[\s\u00ad\u0307\u200b-\u200d'’‘ʼʻ`´ʹ]+")
_ADDED = re.compile(r"\s*[(（]| - ")
"""Before what CLDR adds to tell two apart: Myanmar (Burma), Congo - Kinshasa."""


@dataclass(frozen=True)
class Endings:
    """What a name of one language may end in."""

    other_words: frozenset[str] = frozenset()
    """Endings that make another word of it, of its people or an adjective (Italiener, जापानी); `any`: all do."""
    short_names: frozenset[str] = frozenset()
    """Those that any name may have, however short: the particles of Korean."""

    def are(self, ending: str, stem: str) -> bool:
        """Whether the name `stem` may end so."""
        if ending in self.short_names:
            return len(stem) >= _LEAST_LETTERS
        return len(stem) >= _LEAST_STEM and not self.other_words & {ending, "any"}


class KnownNames:
    """Names of one language, each with its type (PER, ORG or LOC), and words that are part of none."""

    def __init__(self, names: Mapping[str, str], others: Iterable[str] = (), exact: Iterable[str] = (), endings: Endings | None = None) -> None:
        """`exact`: those of the names that take no ending but one after an apostrophe."""
        self.endings = endings or Endings()
        self.names = {folded: kind for name, kind in names.items() if len(folded := _folded(name)) >= _LEAST_LETTERS}
        self.others = {_folded(word) for word in others}
        self._exact = {_folded(name) for name in exact}
        self._small = {_folded(name) for name in names if _is_small((name.split() or [""])[0])} & self.names.keys()
        self._beginnings = {name[:length] for name in self.names for length in range(1, len(name) + 1)}

    def with_more(self, names: Mapping[str, str], others: Iterable[str]) -> KnownNames:
        """These, and some more: what is said later counts, also that a word is part of no name."""
        more = KnownNames(names, others)
        kept = {name: kind for name, kind in self.names.items() if name not in more.others}
        both = KnownNames(kept | more.names, self.others | more.others, endings=self.endings)
        both._small, both._exact = (self._small & both.names.keys()) | more._small, self._exact - more.names.keys()
        return both

    def find(self, text: str, words: Sequence[tuple[int, int]]) -> Iterator[tuple[range, str]]:
        """The numbers of the words that together are a name, and its type, or O: from left to right, the longest name first.

        Neither spaces nor capitals need be those of the list, and the last word may have a short ending; but in a script that has both, a name
        does not begin with a word in small letters unless it does so in the list.

        Args:
            words: start and end of each in `text`.
        """
        number = 0
        while number < len(words):
            length, kind = self._longest(text, words, number)
            if length:
                yield range(number, number + length), kind
            elif self.others and _folded(text[slice(*words[number])]) in self.others:
                yield range(number, number + 1), "O"
            number += max(1, length)

    def _longest(self, text: str, words: Sequence[tuple[int, int]], first: int) -> tuple[int, str]:
        start, found = words[first][0], (0, "")
        names = self._small if _is_small(text[slice(*words[first])]) else self.names
        for many, (last, end) in enumerate(islice(words, first, None), 1):
            written = _folded(text[start:end])
            if stem := self._stem(written, text[last:end], names):
                found = many, self.names[stem]
            if written not in self._beginnings:
                break
        return found

    def _stem(self, written: str, last: str, names: Container[str]) -> str:
        """The name, of which the `last` word may have an ending; nothing where it is none."""
        if written in names or written in self.others:
            return written if written in names else ""
        apart = _APART.search(last)
        for ending in range(1, min(len(_folded(last)) - 1, _MOST_ENDING) + 1):
            stem, end = written[: len(written) - ending], written[len(written) - ending :]
            after_apostrophe = apart is not None and len(apart[1]) == ending and len(stem) >= _LEAST_STEM
            if stem in names and (after_apostrophe or (stem not in self._exact and self.endings.are(end, stem))):
                return stem
        return ""


def _is_small(word: str) -> bool:
    return word == word.lower() != word.title()


@cache
def known_names(lang: str) -> KnownNames:
    """The names of a language, in all scripts that CLDR has it in; in the Latin one also as English has them, without endings: no Frances-co.

    Raises:
        UsageError: an unknown language.
    """
    row = language(lang)
    code = get_global("language_aliases").get(row.iso, row.iso)
    locales = [Locale.parse(name) for name in locale_identifiers() if re.fullmatch(rf"{code}(_[A-Z][a-z]{{3}})?", name)]
    own, english = dict[str, str](), dict[str, str]()
    if row.script == "Latn":
        english = {zone.rpartition("/")[2].replace("_", " "): "LOC" for zone in _zones()} | _territories(Locale("en"))
    for locale in locales:
        (english if locale.language == "en" else own).update(_cities(locale) | _territories(locale))
    ordinary = {_folded(each["name"]) for each in rows("ordinary.csv") if each["language"] == row.iso}
    names = {part: kind for name, kind in (english | own).items() for part in _parts(name) if _folded(part) not in ordinary}
    exact = {_folded(name) for name in names} - {_folded(part) for name in own for part in _parts(name)}
    return KnownNames(names, exact=exact, endings=_endings(row.iso))


def _endings(iso: str) -> Endings:
    said = next((row for row in rows("endings.csv") if row["language"] == iso), None)
    return Endings(*(frozenset(map(_folded, said[column].split())) for column in ("other_words", "short_names"))) if said else Endings()


def _parts(name: str) -> tuple[str, str]:
    """A name as CLDR has it, and without what is added there."""
    return name, _ADDED.split(name)[0]


def _territories(locale: Any) -> dict[str, str]:
    return {name: "ORG" if code in _ORGANISATIONS else "LOC" for code, name in locale.territories.items() if code not in _NO_NAMES}


def _cities(locale: Any) -> dict[str, str]:
    return {names["city"]: "LOC" for zone, names in locale.time_zones.items() if "city" in names and not _NO_CITIES.match(zone)}


def _zones() -> list[str]:
    aliases = get_global("zone_aliases")
    return [zone for zone in get_global("zone_territories") if "/" in zone and zone not in aliases and not _NO_CITIES.match(zone)]


def _folded(name: str) -> str:
    """Without what people write in more than one way: spaces, capitals, apostrophes, the dot of a Turkish capital I."""
    return _NOT_READ.sub("", unicodedata.normalize("NFKC", name).casefold())
