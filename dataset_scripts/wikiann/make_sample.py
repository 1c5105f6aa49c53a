"""The built-in sample of WikiANN-like sentences, for machines that have neither WikiANN nor the Hub. It is no benchmark.

    python -m conlipa.dataset_scripts.wikiann.make_sample          # writes dataset_scripts/sample/ISO/{train,dev}.tsv

Patterns, organisations and people are the project's own (`sample/patterns.yaml`); countries, cities and languages are
the native-script names of the Unicode CLDR, as Babel carries them. The same names and the same seed give the same files.
"""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass
from typing import Any

import regex
import yaml

from conlipa.dataset_scripts.languages import language
from conlipa.dataset_scripts.tables import FOLDER

SIZES = {"eng": {"train": 2400, "dev": 400}}
"""Sentences a language and file; languages not named here have validation sentences only."""
OTHER = {"dev": 80}
_LOCALES = {"uzb": "uz_Latn", "pan": "pa_Guru"}
_SLOT = regex.compile(r"\{(\w+)\}")
_TYPES = {"country": "LOC", "city": "LOC", "person": "PER", "org": "ORG"}

Tagged = list[tuple[str, str]]


@dataclass
class Names:
    """What fills the slots of one language's patterns."""

    country: list[str]
    city: list[str]
    language: list[str]
    person: list[str]
    org: list[str]


def names(lang: str, patterns: dict[str, Any]) -> Names:
    """Names from CLDR and from the patterns, in one order everywhere."""
    from babel import Locale

    locale = Locale.parse(_LOCALES.get(lang, language(lang).wikiann))
    countries = [name for code, name in locale.territories.items() if len(code) == 2 and code.isalpha()]
    zones = [(zone, entry.get("city")) for zone, entry in locale.time_zones.items()]
    cities = [name or (_city_of(zone) if lang == "eng" else None) for zone, name in zones]
    if lang == "eng":  # CLDR leaves out what the zone's own name says already
        cities += [_city_of(zone) for zone in Locale.parse("ko").time_zones]
    tidy = [sorted({_tidy(name) for name in group if name and _usable(name)}) for group in (countries, cities, list(locale.languages.values()))]
    return Names(tidy[0], tidy[1], tidy[2], person=[_tidy(p) for p in patterns["people"]], org=[_tidy(o) for o in patterns["orgs"]])


def _city_of(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")


def _tidy(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())


def _usable(name: str) -> bool:
    return not regex.search(r"[()\d&/,]", name) and len(name.split()) <= 4


def sentence(pattern: str, fill: Names, generator: random.Random, kind: str | None = None) -> Tagged:
    """A pattern with its slots filled; `kind` tags the whole of it (an organisation's name)."""
    tagged: Tagged = []
    for part in pattern.split():
        slot = _SLOT.search(part)
        if slot is None:
            tagged.append((part, "O"))
            continue
        name = slot[1]
        chosen = generator.choice(getattr(fill, name))
        if name == "org":
            tagged += sentence(chosen, fill, generator, "ORG")
            continue
        before, after = part[: slot.start()], part[slot.end() :]
        tokens = (before + chosen + after).split()
        entity = _TYPES.get(name)
        tagged += [(token, f"{'I' if number else 'B'}-{entity}" if entity else "O") for number, token in enumerate(tokens)]
    if kind:
        tagged = [(token, f"{'I' if number else 'B'}-{kind}") for number, (token, _) in enumerate(tagged)]
    return tagged


def sentences(lang: str, patterns: dict[str, Any]) -> dict[str, list[Tagged]]:
    """All files of a language, no sentence twice."""
    generator = random.Random(f"conlipa sample {lang}")
    fill = names(lang, patterns)
    seen: set[tuple[tuple[str, str], ...]] = set()
    found: dict[str, list[Tagged]] = {}
    for name, size in SIZES.get(lang, OTHER).items():
        found[name] = []
        while len(found[name]) < size:
            made = sentence(generator.choice(patterns["templates"]), fill, generator)
            if tuple(made) not in seen:
                seen.add(tuple(made))
                found[name].append(made)
    return found


def main() -> None:
    folder = FOLDER / "sample"
    for lang, patterns in yaml.safe_load((folder / "patterns.yaml").read_text(encoding="utf-8")).items():
        for name, made in sentences(lang, patterns).items():
            path = folder / lang / f"{name}.tsv"
            path.parent.mkdir(exist_ok=True)
            text = "\n".join("".join(f"{token}\t{tag}\n" for token, tag in tagged) for tagged in made)
            path.write_text(text + "\n", encoding="utf-8", newline="\n")
            print(f"{lang}/{name}.tsv  {len(made)} sentences")


if __name__ == "__main__":
    main()
