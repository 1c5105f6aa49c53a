"""Tagged sentences in the common forms of other corpora, with their own tags."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conlipa.dataset_scripts.wikiann.reading import DOCSTART, Sentence, numbered_lines, without_prefix
from conlipa.errors import ConlipaError, UsageError

_COMMENT = re.compile(r"# ?((newdoc|newpar)( |$)|[\w.:-]+ = )")
"""As CoNLL-U has them; `#` may also be a token."""
_HALF = re.compile("[\ud800-\udfff]")
"""JSON can escape what no file can hold."""
_TOKENS, _TAGS = ("tokens", "words"), ("ner_tags", "tags", "labels")
"""Names that JSON files have for the two lists."""


@dataclass(frozen=True)
class Columns:
    """Which columns hold token and tag, from 0; a negative number counts from the last."""

    token: int = 0
    tag: int = -1

    @classmethod
    def parse(cls, text: str) -> Columns:
        """Of `TOKEN,TAG`, counted from 1.

        Raises:
            UsageError: not two numbers, or a 0.
        """
        try:
            token, tag = (int(part) for part in text.split(","))
        except ValueError:
            token = tag = 0
        if not token or not tag:
            raise UsageError(f"--columns {text}: expected two numbers, of token and tag, such as 1,4 or 1,-1")
        return cls(*(number - 1 if number > 0 else number for number in (token, tag)))


UNIVERSAL_NER = Columns(1, 2)


def read_foreign(path: Path, columns: Columns | None = None, labels: Sequence[str] | None = None, codes: Collection[str] = ()) -> list[Sentence]:
    """The sentences of a file, by the end of its name: `.json` and `.jsonl`, `.iob2`, and columns for all others.

    Args:
        columns: None are the usual ones of the form.
        labels: the names of tags that are numbers.
        codes: of the language, which PAN-X puts before each token.

    Raises:
        ConlipaError: it cannot be read as such (file and line named), or holds no sentence.
    """
    if path.suffix.lower() in (".json", ".jsonl"):
        found = list(_of_json(path, labels))
    else:
        universal = path.suffix.lower() == ".iob2"
        found = list(_of_columns(path, columns or (UNIVERSAL_NER if universal else Columns()), comments=universal))
    if not found:
        raise ConlipaError(f"{path}: holds no sentence")
    if not columns and max(len(each.tokens) for each in found) > 1 and all(_are_numbers(each.tokens) for each in found):
        raise ConlipaError(f"{path}: its first column numbers the words; name those of token and tag, as in --columns 2,-1")
    return without_prefix(found, codes, path)


def _are_numbers(tokens: Sequence[str]) -> bool:
    """Whether they are 1, 2, 3 and so on."""
    return all(token == str(number) for number, token in enumerate(tokens, 1))


def _of_columns(path: Path, columns: Columns, comments: bool) -> Iterator[Sentence]:
    tokens, tags = list[str](), list[str]()
    for number, line in numbered_lines(path):
        if not line.strip() or line.startswith(DOCSTART):
            if tokens:
                yield Sentence(tokens, tags)
            tokens, tags = [], []
        elif not (_COMMENT.match(line) or (comments and line.startswith("#"))):
            cells = line.rstrip("\t").split("\t") if "\t" in line else re.split(" +", line.strip(" "))
            try:
                token, tag = cells[columns.token], cells[columns.tag]
            except IndexError:
                raise ConlipaError(f"{path}:{number}: {len(cells)} columns: {line[:40]!r}; name those of token and tag with --columns") from None
            if len(cells) == 1:
                raise ConlipaError(f"{path}:{number}: one column, expected token and tag: {line[:40]!r}")
            tokens.append(token)
            tags.append(tag.strip())
    if tokens:
        yield Sentence(tokens, tags)


def _of_json(path: Path, labels: Sequence[str] | None) -> Iterator[Sentence]:
    for place, row in _rows(path):
        tokens, tags = (next((row[name] for name in names if name in row), None) if isinstance(row, dict) else None for names in (_TOKENS, _TAGS))
        if not isinstance(tokens, list) or not isinstance(tags, list) or not all(isinstance(token, str) for token in tokens):
            raise ConlipaError(f"{place}: expected an object with the lists {' or '.join(_TOKENS)} and {', '.join(_TAGS)}")
        if len(tokens) != len(tags):
            raise ConlipaError(f"{place}: {len(tokens)} tokens and {len(tags)} tags")
        if half := next((token for token in tokens if _HALF.search(token)), None):
            raise ConlipaError(f"{place}: {half[:40]!a} has half of a surrogate pair, which is no character")
        if nul := next((token for token in tokens if "\0" in token), None):
            raise ConlipaError(f"{place}: {nul[:40]!a} has a NUL character, which no corpus file may hold")
        if not tokens:
            continue
        yield Sentence(tokens, [_named(tag, labels, place) for tag in tags])


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    """Each object with its place: of one list that is the whole file, or of the lines."""
    lines = [(number, line) for number, line in numbered_lines(path) if line.strip()]
    if lines and lines[0][1].lstrip().startswith("["):
        rows = _loaded("\n".join(line for _, line in lines), f"{path}")
        yield from ((f"{path}: object {number}", row) for number, row in enumerate(rows, 1))
    else:
        yield from ((f"{path}:{number}", _loaded(line, f"{path}:{number}")) for number, line in lines)


def _loaded(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConlipaError(f"{place}: no JSON ({error})") from error


def _named(tag: object, labels: Sequence[str] | None, place: str) -> str:
    if isinstance(tag, str):
        return tag
    if not isinstance(tag, int) or labels is None:
        what = f"tag {tag} is a number; name what the numbers stand for with --labels O,B-PER,…" if isinstance(tag, int) else f"{tag!r} is no tag"
        raise ConlipaError(f"{place}: {what}")
    if not 0 <= tag < len(labels):
        raise ConlipaError(f"{place}: tag {tag}, but --labels names {len(labels)}")
    return labels[tag]
