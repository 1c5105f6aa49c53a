"""Names that become paths, checked in one place."""

from __future__ import annotations

import re

from conlipa.errors import ConlipaError

_COMPONENT = re.compile(r"(?!\.)[\w.\-]{1,96}(?<!\.)")
_MOST_BYTES = 200
"""Of a name in UTF-8: file systems hold 255, and a suffix is to have its place."""


def component(name: str, what: str) -> str:
    """`name`, if it is one part of a path: letters, digits, `-`, `_` and `.`, no dot at its ends.

    Raises:
        ConlipaError: it is not; `what` it names is in the message.
    """
    if not _COMPONENT.fullmatch(name) or len(name.encode()) > _MOST_BYTES:
        allowed = f"one name of letters, digits, '-', '_' and '.', at most 96 (or {_MOST_BYTES} bytes), no dot at its ends"
        raise ConlipaError(f"{what} is {name[:60]!r}, expected {allowed}")
    return name
