"""What goes back over the wire, and the two ways not to do what was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A call that the Hub understands and refuses; `code` is what the client tells its exceptions apart by."""

    def __init__(self, status: int, message: str, code: str = "", headers: Mapping[str, str] | None = None, **more: object) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.headers, self.more = status, message, code, headers or {}, more

    def answer(self) -> Answer:
        """The error as the client reads it."""
        headers = {**self.headers, "X-Error-Message": self.message.encode("ascii", "replace").decode()}
        if self.code:
            headers["X-Error-Code"] = self.code
        return as_json({"error": self.message, **self.more}, self.status, headers)


class Unknown(Exception):
    """A call, or a part of one, that this Hub does not play."""


def as_json(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer."""
    body = json.dumps(data, ensure_ascii=False, default=str).encode()
    return Answer(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


def stored_json(data: object) -> bytes:
    """JSON as it lies on disk: the same data, the same bytes."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, indent=1).encode()
