"""WikiANN sentences from a folder of TSV files, from the Hub, or from the built-in sample."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conlipa.dataset_scripts.languages import language, languages
from conlipa.dataset_scripts.tables import FOLDER
from conlipa.dataset_scripts.wikiann.places import HUB, SAMPLE, Place, places
from conlipa.dataset_scripts.wikiann.reading import LABELS, Sentence, orphans_by_row, read_tagged, refuse_orphans
from conlipa.errors import ConlipaError, UsageError, nearest
from conlipa.hub import first_line, need_hub

__all__ = ["HUB_REPO", "LABELS", "SPLITS", "CorpusSet", "Folder", "Hub", "Sentence", "sets_in", "source"]

SPLITS = {"train": "train", "validation": "dev", "test": "test"}
"""Split names of `datasets`, and the file names of a WikiANN folder."""
HUB_REPO = "unimelb-nlp/wikiann"


@dataclass(frozen=True)
class CorpusSet:
    """One split of a language in one folder: `name` is `ISO` or `ISO_N`, `kind` one of `places.KINDS`, `path` its file."""

    name: str
    kind: str
    path: Path


class Folder:
    """`ISO639-3/{train,dev,test}.tsv`, `token<TAB>tag`, a blank line after each sentence.

    Beside `ISO/` there may be `ISO_2/`, `ISO_3/` …: several sets of a language. Several folders are joined: all sets count.
    """

    def __init__(self, *where: Path | Place, strict: bool = False) -> None:
        """Raises ConlipaError: no such folder, or one without a file of a language that the kit knows."""
        self.places = tuple(place if isinstance(place, Place) else Place(str(place)) for place in where)
        self.strict = strict
        self.orphans: dict[str, int] = {}
        """I- tags that continue nothing, by `language/split`: real in WikiANN, kept, counted."""
        self._sets: dict[str, list[CorpusSet]] = {}
        for place in self.places:
            if not place.path.is_dir():
                raise ConlipaError(f"{place.path}: no such corpus folder")
            there = list(sets_in(place))
            if not there:
                raise ConlipaError(f"{place.path}: holds no ISO639-3/{{train,dev,test}}.tsv of a language that the kit knows")
            for iso, found in there:
                self._sets.setdefault(iso, []).append(found)

    def sets(self, lang: str, split: str | None = None) -> list[CorpusSet]:
        """The sets of a language that have the split (None: of all splits), in the order of the folders, then of their numbers."""
        return [found for found in self._sets.get(language(lang).iso, []) if split is None or found.path.stem == SPLITS[split]]

    def languages(self, split: str | None = None) -> list[str]:
        """ISO codes with a file (of that split), in the order of the language table."""
        return [iso for iso in languages() if self.sets(iso, split)]

    def sentences(self, lang: str, split: str) -> list[Sentence]:
        """All sentences of a split: those of each set, one after the other.

        Raises:
            ConlipaError: no such file, or a line without a tab or with an unknown tag (file and line named).
        """
        row, sets = language(lang), self.sets(lang, split)
        if not sets:
            path = self.places[0].path / lang / f"{SPLITS[split]}.tsv"
            raise ConlipaError(f"{path}: no {split} split of {row.name}{nearest(lang, self.languages(split))}")
        name = f"{lang}/{split}"
        self.orphans[name] = 0
        found: list[Sentence] = []
        for each in sets:
            read = read_tagged(each.path, {row.iso, row.wikiann}, self.strict)
            if not read.sentences:
                raise ConlipaError(f"{each.path}: holds no sentence")
            found += read.sentences
            self.orphans[name] += read.orphans
        return found

    def size(self, each: CorpusSet) -> int:
        """How many sentences a set has."""
        row = language(each.name.partition("_")[0])
        return len(read_tagged(each.path, {row.iso, row.wikiann}, self.strict).sentences)

    def fingerprint(self, lang: str) -> str:
        """Changes when a file of the language does."""
        digest = hashlib.sha256()
        for split in SPLITS:
            sets = self.sets(lang, split)
            digest.update(len(sets).to_bytes(4, "big"))
            for each in sets:
                content = each.path.read_bytes()
                digest.update(len(content).to_bytes(8, "big") + content)
        return digest.hexdigest()[:16]


def sets_in(place: Place) -> Iterator[tuple[str, CorpusSet]]:
    """Language and set of each file of a folder, by number of the set."""
    found = []
    for path in place.path.glob("*/*.tsv"):
        iso, line, number = path.parent.name.partition("_")
        if iso in languages() and path.stem in SPLITS.values() and (number.isdecimal() or not line):
            found.append((int(number or 1), iso, CorpusSet(path.parent.name, place.kind, path)))
    for _, iso, each in sorted(found, key=lambda one: (one[1], one[0], one[2].path)):
        yield iso, each


class Hub:
    """`unimelb-nlp/wikiann` on the Hub, plain parquet."""

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict
        self.orphans: dict[str, int] = {}
        """As `Folder` has them."""

    def languages(self, split: str | None = None) -> list[str]:
        return [row.iso for row in languages().values() if row.in_wikiann]

    def sentences(self, lang: str, split: str) -> list[Sentence]:
        """Raises ConlipaError where the Hub cannot be reached, or lacks the language; strict, also for an I- tag that continues no entity."""
        from datasets import config, load_dataset

        if not language(lang).in_wikiann:
            raise ConlipaError(f"{HUB_REPO}: WikiANN has no {language(lang).name} ({lang})")
        unreachable, offline = None, config.HF_HUB_OFFLINE
        try:
            need_hub(HUB_REPO)
        except ConlipaError as error:
            unreachable = error
            config.HF_HUB_OFFLINE = True  # the cache alone is asked: the client would try five times
        try:
            rows = load_dataset(HUB_REPO, language(lang).wikiann, split=split)
        except Exception as error:  # of whichever library below has met the fault
            raise unreachable or ConlipaError(f"{HUB_REPO}: {language(lang).name} ({lang}) cannot be had ({first_line(error)})") from error
        finally:
            config.HF_HUB_OFFLINE = offline
        sentences = [Sentence(row["tokens"], [LABELS[tag] for tag in row["ner_tags"]]) for row in rows]
        found = orphans_by_row(f"{HUB_REPO}: {lang} {split},", (each.tags for each in sentences))
        refuse_orphans(found if self.strict else [])
        self.orphans[f"{lang}/{split}"] = len(found)
        return [sentence for sentence in sentences if sentence.tokens]

    def fingerprint(self, lang: str) -> str:
        return f"hub-{lang}"


def source(data_dir: str | Place | None = None, strict: bool = False) -> Folder | Hub:
    """The source that a `--corpus` or `data_dir` names (see `places.py`), or one place of it: a folder, several, `hub`, or `sample` (the default).

    Raises:
        UsageError: `hub` beside folders.
        ConlipaError: a folder that is none, or holds nothing.
    """
    found = (data_dir,) if isinstance(data_dir, Place) else places(data_dir)
    if any(place.where == HUB for place in found):
        if len(found) > 1:
            raise UsageError(f"{data_dir}: {HUB} stands alone here")
        return Hub(strict)
    return Folder(*(Place(str(FOLDER / SAMPLE), place.kind) if place.where == SAMPLE else place for place in found), strict=strict)
