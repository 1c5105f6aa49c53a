"""Lines of text from files or standard input, whatever bytes they hold."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterator
from itertools import count
from typing import Any, TextIO

from conlipa.errors import ConlipaError

_LONGEST_LINE = 2_000_000
"""Characters: a megabyte in one line is a text, gigabytes without a line break are none."""


def lines(files: list[str]) -> Iterator[str]:
    """Lines of the files, or of standard input: one line of output each, whatever bytes they hold.

    Raises:
        ConlipaError: a line that is too long to be text, with file and number.
    """
    for name in files or ["-"]:
        if name == "-":
            if sys.stdin is None:
                raise ConlipaError("standard input is closed; name a file")
            sys.stdin.reconfigure(encoding=_encoding(sys.stdin.buffer), errors="replace", newline="\n")  # type: ignore[union-attr]
            yield from _bounded(sys.stdin, "standard input")
        else:
            try:
                raw = open(name, "rb")  # noqa: SIM115
                encoding = _encoding(raw)
            except OSError as error:
                raise ConlipaError(f"{name}: {error.strerror}") from error
            with io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="\n") as opened:
                yield from _bounded(opened, name)


def _encoding(raw: Any) -> str:
    """UTF-8, or UTF-16 where its byte order mark comes first, as some editors and shells of Windows write it; nothing is read away."""
    return "utf-16" if raw.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"


def _bounded(opened: TextIO, name: str) -> Iterator[str]:
    for number in count(1):
        line = opened.readline(_LONGEST_LINE + 1)
        if len(line) > _LONGEST_LINE:
            raise ConlipaError(f"{name}:{number}: a line of more than {_LONGEST_LINE:,} characters; put a sentence or a paragraph on each")
        if not line:
            return
        if number == 1:
            line = line.removeprefix("\ufeff")  # a byte order mark, which is no part of the text
        yield line.rstrip("\r\n")
