"""Documents: texts of an uploaded file or of a list, tagged one after the other, and their entities as files."""

from __future__ import annotations

import codecs
import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conlipa.dataset_scripts.wikiann.foreign import read_foreign
from conlipa.dataset_scripts.wikiann.reading import Sentence
from conlipa.errors import ConlipaError, nearest
from conlipa.modeling.inference.entity_formats import LINE_FORMATS, Tagged, write_brat

MAX_BYTES = 1_000_000
MAX_TEXTS, MAX_TEXT = 20_000, 20_000
MAX_COLUMNS = 200
KINDS = (".txt", ".csv", ".tsv", ".jsonl", ".conll")
FORMATS = {"CoNLL": "conll", "JSON Lines": "jsonl", "brat": "zip", "CSV": "csv"}
_DELIMITERS = (",", ";", "\t")
"""Of a CSV file, the first where its header has none: where a comma stands in numbers, spreadsheets write semicolons."""
_NONE, _END = "\x1f", "\x1e"
"""A delimiter that no text holds, and a last line: where it is not read as one, a quotation mark is open."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def content(path: Path) -> str:
    """The text of an uploaded file.

    Raises:
        ConlipaError: too large, an archive, or text that is neither UTF-8 nor UTF-16 with a byte order mark.
    """
    if path.suffix.lower() not in KINDS:
        raise ConlipaError(f"{path.name}: expected a file of text ({', '.join(KINDS)}).")
    try:
        with path.open("rb") as file:
            read = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConlipaError(f"{path.name}: is no longer here, for an upload is kept for ten minutes; upload it again.") from None
    if len(read) > MAX_BYTES:
        raise ConlipaError(f"{path.name}: too large ({MAX_BYTES:,} bytes at most).")
    marked = read.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as spreadsheets save "Unicode text"
    if (b"\0" in read and not marked) or read.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b")):
        raise ConlipaError(f"{path.name}: holds bytes that are no text; unpack an archive, and save a table as CSV.")
    try:
        text = read.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = read[: error.start].count(b"\n") + 1
        raise ConlipaError(f"{path.name}:{line}: not UTF-8; save it in that encoding.") from None
    if "\0" in text:  # UTF-32, whose mark begins as that of UTF-16
        raise ConlipaError(f"{path.name}: not UTF-8; save it in that encoding.")
    return text


def columns(path: Path) -> list[str]:
    """Columns of a table, or keys of JSON Lines that hold texts; none for running text.

    Raises:
        ConlipaError: as `content`; no header, or too many columns.
    """
    text, kind = content(path), path.suffix.lower()
    if kind in (".csv", ".tsv"):
        return next(_table(path, text), [])
    if kind == ".jsonl":
        return _keys(_objects(path, text))[:MAX_COLUMNS]
    return []


def texts(path: Path, column: str | None = None) -> list[str]:
    """The texts of a file: of its lines, of a column, of a key, or of its sentences.

    Raises:
        ConlipaError: as `content` and `columns`; no such column (the nearest one is named), or too many or too long texts.
    """
    text, kind = content(path), path.suffix.lower()
    if kind in (".csv", ".tsv"):
        table = _table(path, text)
        at = _place(path, column, next(table, []))
        found = [row[at] if at < len(row) else "" for row in table]
    elif kind == ".jsonl":
        objects = _objects(path, text)
        keys = _keys(objects)
        key = keys[_place(path, column, keys)]
        found = [str(each.get(key) or "") for each in objects]
    elif kind == ".conll":
        found = [" ".join(sentence.tokens) for sentence in _sentences(path)]
    else:
        found = text.splitlines()
    full = [each for each in found if each.strip()]
    by_number = kind in (".csv", ".tsv", ".jsonl") and full  # rows are found again by their number: an empty one keeps its own
    return checked(found if by_number else full, path.name)


def checked(found: Sequence[Any], name: str = "texts", most: int = MAX_TEXTS) -> list[str]:
    """Texts that may be tagged.

    Raises:
        ConlipaError: none, too many, or one that is too long or no text.
    """
    if not found:
        raise ConlipaError(f"{name}: holds no text.")
    if len(found) > most:
        raise ConlipaError(f"{name}: {len(found):,} texts ({most:,} at most).")
    for number, text in enumerate(found, 1):
        if not isinstance(text, str):
            raise ConlipaError(f"{name}: text {number} is not a string.")
        if len(text) > MAX_TEXT:
            raise ConlipaError(f"{name}: text {number} is too long (characters: {MAX_TEXT:,} at most).")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise ConlipaError(f"{name}: text {number} holds half a surrogate pair, which is no character.")
    return list(found)


def _table(path: Path, text: str) -> Iterator[list[str]]:
    """Rows, the header first, none wider than it."""
    header = text.partition("\n")[0]
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max(_DELIMITERS, key=header.count)
    if delimiter not in header:
        delimiter = _NONE  # one column: a comma is one of its text's
    rows = csv.reader(io.StringIO(f"{text}\n{_END}", newline=""), delimiter=delimiter)
    width = 0
    try:
        for row in rows:
            if row == [_END]:
                return
            if len(row) > MAX_COLUMNS:
                raise ConlipaError(f"{path.name}:{rows.line_num}: {len(row):,} columns ({MAX_COLUMNS} at most).")
            width = width or len(row)
            if any(row[width:]):
                few = f"{len(row)} columns, the header has {width}; a text with {delimiter!r} in it stands in quotation marks"
                raise ConlipaError(f"{path.name}:{rows.line_num}: {few}.")
            if delimiter == "\t" and any("\t" in cell and "\n" in cell and _END not in cell for cell in row):
                advice = "put such a text in quotation marks, and double its own"
                raise ConlipaError(f"{path.name}:{rows.line_num}: a quotation mark that an earlier line has opened is closed here; {advice}.")
            if row:
                yield row
    except csv.Error as error:
        raise ConlipaError(f"{path.name}:{rows.line_num}: no CSV ({error}).") from None
    raise ConlipaError(f"{path.name}: a quotation mark is never closed, and all lines after it would be one text.")


def _objects(path: Path, text: str) -> list[dict[str, Any]]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                value = None
            if not isinstance(value, dict):
                raise ConlipaError(f"{path.name}:{number}: expected a JSON object on each line.")
            found.append(value)
    if not found:
        raise ConlipaError(f"{path.name}: holds no text.")
    return found


def _sentences(path: Path) -> list[Sentence]:
    """Of CoNLL; an error names the file as its owner knows it."""
    try:
        return read_foreign(path)
    except ConlipaError as error:
        raise ConlipaError(str(error).replace(str(path), path.name)) from None


def _keys(objects: Iterable[dict[str, Any]]) -> list[str]:
    """Those that hold a text in some object: in the first it may be null."""
    return list(dict.fromkeys(key for each in objects for key, value in each.items() if isinstance(value, str)))


def _place(path: Path, column: str | None, there: Sequence[str]) -> int:
    if column is None or column not in there:
        known = ", ".join(name[:40] for name in there[:10]) or "none"
        raise ConlipaError(f"{path.name}: no column '{(column or '')[:60]}'{nearest(column or '', there)} (there: {known}).")
    return list(there).index(column)


def counts(tagged: Iterable[Tagged]) -> list[tuple[str, str, int]]:
    """Each name with its label and how often it was found, the most frequent first."""
    found = Counter((" ".join(entity.text.split()), entity.label) for _, entities in tagged for entity in entities)
    return [(name, label, many) for (name, label), many in sorted(found.items(), key=lambda item: (-item[1], item[0]))]


def write(tagged: Sequence[Tagged], form: str, folder: Path) -> Path:
    """Texts with their entities as one file: `entities.conll`, `.jsonl`, `.csv`, or `.zip` with brat's two."""
    path = folder / f"entities.{FORMATS[form]}"
    _WRITERS[form](tagged, path)
    return path


def _conll(tagged: Sequence[Tagged], path: Path) -> None:
    # An empty line after the last one too: files are put one after another.
    path.write_text("".join(LINE_FORMATS["conll"](*each) + "\n" for each in tagged), encoding="utf-8")


def _jsonl(tagged: Sequence[Tagged], path: Path) -> None:
    path.write_text("".join(LINE_FORMATS["json"](*each) + "\n" for each in tagged), encoding="utf-8")


def _csv(tagged: Sequence[Tagged], path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "start", "end", "name", "label", "score"])
        for number, (_, entities) in enumerate(tagged, 1):
            rows.writerows([number, one.start, one.end, _harmless(one.text), one.label, f"{one.score:.3f}"] for one in entities)


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet runs."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _brat(tagged: Sequence[Tagged], path: Path) -> None:
    with TemporaryDirectory() as temporary, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        folder = Path(temporary) / "brat"
        write_brat(folder, [("document", tagged)])
        for name in ("document.txt", "document.ann"):
            archive.write(folder / name, name)


_WRITERS: dict[str, Callable[[Sequence[Tagged], Path], None]] = {"CoNLL": _conll, "JSON Lines": _jsonl, "brat": _brat, "CSV": _csv}
