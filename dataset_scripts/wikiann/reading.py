"""A file of tagged sentences: `token<TAB>tag`, a blank line after each sentence. What is like it and is not it is told apart."""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conlipa.dataset_scripts.wikiann.tags import begun, is_iob1, orphans
from conlipa.errors import ConlipaError, nearest

LABELS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
DOCSTART = "-DOCSTART-"
CONVERT = "python -m conlipa.dataset_scripts.wikiann.convert"
_PREFIX = re.compile(r"([a-z]{2,3}(?:-[a-z]+)*):.")
"""PAN-X, a distribution of WikiANN, writes a token's language before it: `tg:Душанбе`."""
_SURE = 10
"""Tokens that must all have the same prefix, where it is none of the language's own codes."""


@dataclass(frozen=True)
class Sentence:
    """Tokens and their tags, as many of one as of the other."""

    tokens: list[str]
    tags: list[str]


@dataclass
class TaggedFile:
    """The sentences of a file; `orphans`: how many I- tags continue nothing."""

    sentences: list[Sentence]
    orphans: int = 0


def read_tagged(path: Path, codes: Collection[str] = (), strict: bool = False) -> TaggedFile:
    """Read a file.

    UTF-16 and a byte order mark are read, `-DOCSTART-` ends a sentence, PAN-X's prefixes are taken off, IOB1 is turned into IOB2.

    Args:
        codes: of the language, as a prefix may have them.
        strict: refuse I- tags that continue no entity.

    Raises:
        ConlipaError: another form of lines, an unknown tag, other bytes than text (file and line named).
    """
    starts, sentences = list[int](), list[Sentence]()
    current = Sentence([], [])
    for number, line in numbered_lines(path):
        if not line or line.startswith(DOCSTART):
            current = Sentence([], [])
            continue
        token, tag = _columns(line, f"{path}:{number}")
        if not current.tokens:
            sentences.append(current)
            starts.append(number)
        current.tokens.append(token)
        current.tags.append(tag)
    sentences = without_prefix(sentences, codes, path)
    both = zip(starts, sentences, strict=True)
    found = [(f"{path}:{start + place}", sentence.tags[place]) for start, sentence in both for place in orphans(sentence.tags)]
    refuse_orphans(found if strict else [])
    if found and (read := read_as_iob2(path, [sentence.tags for sentence in sentences])):
        return TaggedFile([Sentence(sentence.tokens, tags) for sentence, tags in zip(sentences, read, strict=True)])
    return TaggedFile(sentences, len(found))


def orphans_by_row(where: str, tags: Iterable[Sequence[str]]) -> list[tuple[str, str]]:
    """Place and tag of each I- tag that continues no entity, in the rows of a table; `where` comes before their numbers."""
    return [(f"{where} row {row}", sentence[at]) for row, sentence in enumerate(tags, 1) for at in orphans(sentence)]


def refuse_orphans(found: Sequence[tuple[str, str]]) -> None:
    """Raises ConlipaError for the first of some I- tags that continue no entity, each given after its place."""
    for where, tag in found[:1]:
        raise ConlipaError(f"{where}: {tag} continues no entity (without --strict such tags are kept and counted)")


def read_as_iob2(path: Path, tags: list[list[str]]) -> list[list[str]] | None:
    """The tags of a file in IOB1 as IOB2, and a line that says so; None where it is not in IOB1."""
    if not is_iob1(tags):
        return None
    _say(path, "is in IOB1 (I- begins an entity, B- only one that touches another); read as such")
    return [begun(sentence) for sentence in tags]


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    r"""Number and text of each line; U+2028 and the like inside a token end none, `\n` alone does.

    Raises:
        ConlipaError: neither UTF-8 nor UTF-16 with a byte order mark.
    """
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        raise ConlipaError(f"{path}:{number}: not UTF-8 ({error.reason}); save the file as UTF-8") from error
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        if "\0" in line:
            raise ConlipaError(f"{path}:{number}: holds NUL bytes, as UTF-16 without a byte order mark does; save the file as UTF-8")
        yield number, line.rstrip("\r")


def _columns(line: str, place: str) -> tuple[str, str]:
    columns = line.split("\t")
    if len(columns) == 1:
        spaced = len(line.split())
        way = f"; `{CONVERT} --columns 1,{spaced}` reads columns with spaces between" if spaced > 1 else ""
        raise ConlipaError(f"{place}: no tab between token and tag: {line[:40]!r}{way}")
    if len(columns) > 2:
        raise ConlipaError(f"{place}: {len(columns)} columns, expected token and tag; `{CONVERT} --columns 1,{len(columns)}` takes two of them")
    token, tag = columns
    if tag not in LABELS:
        tags = f"tags: {', '.join(LABELS)}; `{CONVERT}` turns other schemes and types into these"
        raise ConlipaError(f"{place}: unknown tag {tag!r}{nearest(tag, LABELS)} ({tags})")
    return token, tag


def without_prefix(sentences: list[Sentence], codes: Collection[str], path: Path) -> list[Sentence]:
    """Without the language's code that PAN-X puts before each token (`tg:`); `codes`: those that a small file is believed to have."""
    first = _PREFIX.match(sentences[0].tokens[0]) if sentences else None
    if not first:
        return sentences
    prefix = f"{first[1]}:"
    many = sum(len(sentence.tokens) for sentence in sentences)
    if (first[1] not in codes and many < _SURE) or not all(len(t) > len(prefix) and t.startswith(prefix) for s in sentences for t in s.tokens):
        return sentences
    _say(path, f"every token begins with {prefix!r}, as in PAN-X; taken off")
    return [Sentence([token.removeprefix(prefix) for token in sentence.tokens], sentence.tags) for sentence in sentences]


def _say(path: Path, remark: str) -> None:
    logging.getLogger(__name__).warning("%s: %s", path, remark)
