"""The errors that a user can cause, each one clear line and an exit code."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_MOST, _END = 400, 140
"""Characters of a message, and of its end that is kept: a damaged file can put anything into it."""
_INVISIBLE = "\u200c\u200d"
"""Characters that print nothing and belong to words."""


class ConlipaError(Exception):
    """Work that failed for a reason the user can act on; the message is one line of at most 400 characters."""

    exit_code = 1

    def __init__(self, message: object = "") -> None:
        line = str(message)
        if len(line) > _MOST:
            line = f"{line[: _MOST - _END - 3]} … {line[-_END:]}"
        super().__init__("".join(c if c.isprintable() or c in _INVISIBLE else " " for c in line))


class UsageError(ConlipaError):
    """A command that was called wrongly."""

    exit_code = 2


def nearest(word: str, choices: Iterable[str], limit: int = 3) -> str:
    """`"; did you mean a, b?"`, or an empty string where nothing is near."""
    close = difflib.get_close_matches(word, list(choices), n=limit, cutoff=0.5)
    return f"; did you mean {', '.join(close)}?" if close else ""


@contextmanager
def exit_on_error() -> Iterator[None]:
    """The main part of a script: what a user can act on is said in one line, and ends the process with its exit code."""
    try:
        yield
    except (ConlipaError, OSError) as error:
        print(f"conlipa: error: {error}", file=sys.stderr)
        sys.exit(error.exit_code if isinstance(error, ConlipaError) else ConlipaError.exit_code)
    except KeyboardInterrupt:
        print("conlipa: error: interrupted", file=sys.stderr)
        sys.exit(130)
