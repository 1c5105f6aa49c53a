"""WikiANN sentences from a folder of TSV files, from the Hub, or from the built-in sample."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from conlipa.dataset_scripts.languages import language, languages
from conlipa.dataset_scripts.tables import FOLDER
from conlipa.errors import ConlipaError, nearest
from conlipa.hub import need_hub

LABELS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
SPLITS = {"train": "train", "validation": "dev", "test": "test"}
"""Split names of `datasets`, and the file names of a WikiANN folder."""
HUB_REPO = "unimelb-nlp/wikiann"


@dataclass(frozen=True)
class Sentence:
    """Tokens and their tags, as many of one as of the other."""

    tokens: list[str]
    tags: list[str]


@dataclass
class Folder:
    """`ISO639-3/{train,dev,test}.tsv`, `token<TAB>tag`, a blank line after each sentence."""

    path: Path
    strict: bool = False
    more: tuple[Path, ...] = ()
    """Folders for the languages that `path` lacks."""
    orphans: dict[str, int] = field(default_factory=dict)
    """I- tags that continue nothing, by `language/split`: real in WikiANN, kept, counted."""

    def __post_init__(self) -> None:
        for path in (self.path, *self.more):
            if not path.is_dir():
                raise ConlipaError(f"{path}: no such WikiANN folder")
            if not any((path / iso / f"{name}.tsv").is_file() for iso in languages() for name in SPLITS.values()):
                raise ConlipaError(f"{path}: holds no ISO639-3/{{train,dev,test}}.tsv of a language that the kit knows")

    def place(self, lang: str) -> Path:
        """The folder of a language: in the first place that has it."""
        return next((path / lang for path in (self.path, *self.more) if (path / lang).is_dir()), self.path / lang)

    def languages(self, split: str | None = None) -> list[str]:
        """ISO codes with a file (of that split), in the order of the language table."""
        names = [SPLITS[split]] if split else list(SPLITS.values())
        return [iso for iso in languages() if any((self.place(iso) / f"{name}.tsv").is_file() for name in names)]

    def sentences(self, lang: str, split: str) -> list[Sentence]:
        """All sentences of a split.

        Raises:
            ConlipaError: no such file, or a line without a tab or with an unknown tag (file and line named).
        """
        path = self.place(lang) / f"{SPLITS[split]}.tsv"
        if not path.is_file():
            raise ConlipaError(f"{path}: no {split} split of {language(lang).name}{nearest(lang, self.languages(split))}")
        found = list(self._read(path, f"{lang}/{split}"))
        if not found:
            raise ConlipaError(f"{path}: holds no sentence")
        return found

    def _read(self, path: Path, name: str) -> Iterator[Sentence]:
        self.orphans[name] = 0
        tokens: list[str] = []
        tags: list[str] = []
        # newline="\n": U+2028 and the like inside a token end no line
        with path.open(encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(_decoded(lines, path), 1):
                line = line.rstrip("\r\n")
                if not line:
                    if tokens:
                        yield Sentence(tokens, tags)
                        tokens, tags = [], []
                    continue
                token, tab, tag = line.rpartition("\t")
                if not tab:
                    raise ConlipaError(f"{path}:{number}: no tab between token and tag: {line[:40]!r}")
                if tag not in LABELS:
                    raise ConlipaError(f"{path}:{number}: unknown tag {tag!r}{nearest(tag, LABELS)} (tags: {', '.join(LABELS)})")
                if tag.startswith("I-") and (not tags or tags[-1][2:] != tag[2:]):
                    if self.strict:
                        raise ConlipaError(f"{path}:{number}: {tag} continues no entity (left out --strict keeps and counts such tags)")
                    self.orphans[name] += 1
                tokens.append(token)
                tags.append(tag)
        if tokens:
            yield Sentence(tokens, tags)

    def fingerprint(self, lang: str) -> str:
        """Changes when a file of the language does."""
        digest = hashlib.sha256()
        for name in SPLITS.values():
            path = self.place(lang) / f"{name}.tsv"
            digest.update(path.read_bytes() if path.is_file() else b"\0")
        return digest.hexdigest()[:16]


def _decoded(lines: Iterator[str], path: Path) -> Iterator[str]:
    number = 0
    try:
        for line in lines:
            number += 1
            yield line
    except UnicodeDecodeError as error:
        raise ConlipaError(f"{path}:{number + 1}: not UTF-8 ({error.reason})") from error


class Hub:
    """`unimelb-nlp/wikiann` on the Hub, plain parquet."""

    def languages(self, split: str | None = None) -> list[str]:
        return [row.iso for row in languages().values() if row.wikiann]

    def sentences(self, lang: str, split: str) -> list[Sentence]:
        """Raises ConlipaError where the Hub cannot be reached."""
        from datasets import load_dataset

        need_hub(HUB_REPO)
        rows = load_dataset(HUB_REPO, language(lang).wikiann, split=split)
        return [Sentence(row["tokens"], [LABELS[tag] for tag in row["ner_tags"]]) for row in rows if row["tokens"]]

    def fingerprint(self, lang: str) -> str:
        return f"hub-{lang}"


def source(data_dir: str | None = None, strict: bool = False) -> Folder | Hub:
    """The source that a `--wikiann` or `data_dir` names: a folder, several (`A:B`, as in PATH), `hub`, or `sample` (the default)."""
    if data_dir in (None, "", "sample"):
        return Folder(FOLDER / "sample", strict)
    if data_dir == "hub":
        return Hub()
    first, *more = folders(str(data_dir))
    return Folder(first, strict, tuple(more))


def folders(where: str) -> list[Path]:
    """The folders that `A:B` names; a folder whose own name has the separator is one."""
    return [Path(where)] if Path(where).is_dir() else [Path(part) for part in where.split(os.pathsep)]
