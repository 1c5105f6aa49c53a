"""What a few tagged sentences say of words, whatever a model makes of them: names with their types, and words that are part of none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from conlipa.atomic_files import write_json
from conlipa.dataset_scripts.known_names import KnownNames, known_names
from conlipa.dataset_scripts.languages import languages
from conlipa.errors import ConlipaError
from conlipa.modeling.inference.entities import KINDS, spans
from conlipa.modeling.records import read_json

WORDS_FILE = "words.json"
"""Beside the adapter that `conlipa adapt` wrote."""


@dataclass(frozen=True)
class Lexicon:
    """Of one language."""

    language: str
    names: dict[str, str]
    """Name, as it was written, to its type."""
    others: list[str]
    """Words that are part of no name in any of the sentences."""

    def and_of(self, rows: Iterable[Mapping[str, Any]]) -> Lexicon:
        """With what further sentences (`tokens`, `ner_tags`) say; a name has the type that they most often give it.

        A word that is as often part of no name (May) is neither a name nor another word: it may be both.
        """
        types: dict[str, Counter[str]] = {}
        outside = Counter[str]()
        within = {word for name in self.names for word in name.split(" ")}
        for row in rows:
            found = spans(row["ner_tags"])
            for kind, members in found:
                types.setdefault(" ".join(row["tokens"][number] for number in members), Counter())[kind] += 1
            inside = {number for _, members in found for number in members}
            within |= {row["tokens"][number] for number in inside}
            outside.update(token for number, token in enumerate(row["tokens"]) if number not in inside)
        folded, others = {word.casefold() for word in within}, set(self.others) | outside.keys()
        names = self.names | {name: counted.most_common(1)[0][0] for name, counted in types.items() if counted.total() > outside[name]}
        return Lexicon(self.language, names, sorted(word for word in others if word.casefold() not in folded))

    def save(self, folder: Path) -> None:
        write_json(asdict(self), folder / WORDS_FILE)


def lexicon_of(folder: str | Path) -> Lexicon | None:
    """That of an adapter or model folder, where it has one.

    Raises:
        ConlipaError: the file is not one that `conlipa adapt` wrote.
    """
    file = Path(folder) / WORDS_FILE
    if not file.is_file():
        return None
    said = read_json(file)
    lang, names, others = said.get("language"), said.get("names"), said.get("others")
    if isinstance(lang, str) and isinstance(names, dict) and isinstance(others, list):
        kinds = all(isinstance(kind, str) and kind in KINDS and kind != "O" for kind in names.values())
        if kinds and all(isinstance(word, str) for word in others):
            return Lexicon(lang, names, others)
    raise ConlipaError(f"{file}: damaged (expected a language, names with PER, ORG or LOC each, and other words)")


def known_in(lang: str, lexicon: Lexicon | None = None) -> KnownNames:
    """What is known of the names of a language: by CLDR, where the kit lists the language, and by a lexicon of it."""
    known = known_names(lang) if lang in languages() else KnownNames({})
    return known.with_more(lexicon.names, lexicon.others) if lexicon and lang in (lexicon.language, "") else known
