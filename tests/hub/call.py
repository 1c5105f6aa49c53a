"""One call, and the table of those that are played."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.hub.account import User
from tests.hub.answer import Answer, Unknown
from tests.hub.store import Store

KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}


@dataclass
class Call:
    """A request that has been read."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Message
    body: bytes
    url: str
    key: bytes
    store: Store
    user: User | None
    args: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`model`, `dataset` or `space`."""
        return KINDS[self.args.get("kind", "models")]

    @property
    def id(self) -> str:
        """`NAMESPACE/NAME`."""
        return f"{self.args['namespace']}/{self.args['name'].removesuffix('.git')}"

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def form(self) -> dict[str, list[str]]:
        """The body as a form."""
        return parse_qs(self.body.decode())

    def flag(self, name: str) -> bool:
        """A yes in the query."""
        return self.query.get(name, [""])[-1].lower() in ("1", "true")


Action = Callable[[Call], Answer]
_ROUTES: list[tuple[str, list[str], frozenset[str], Action]] = []


def route(methods: str, path: str, query: str = "") -> Callable[[Action], Action]:
    """Play an action under a path: `{x}` is one segment, `{x*}` the rest; the query may hold the given names and no other."""

    def enter(action: Action) -> Action:
        _ROUTES.extend((method, path.split("/"), frozenset(query.split()), action) for method in methods.split())
        return action

    return enter


def play(call: Call) -> Answer:
    """Do what is asked.

    Raises:
        Refused: it is not to be had.
        Unknown: no such call.
    """
    segments = [unquote(segment) for segment in call.path.removeprefix("/").split("/")]
    for method, pattern, query, action in _ROUTES:
        if method == call.method and (args := _match(pattern, segments)) is not None:
            if extra := set(call.query) - query:
                raise Unknown(f"query {', '.join(sorted(extra))}")
            call.args = args
            return action(call)
    raise Unknown("no such call")


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    args: dict[str, str] = {}
    for i, part in enumerate(pattern):
        if part.endswith("*}"):
            args[part[1:-2]] = "/".join(segments[i:])
            return args if len(segments) > i and args.get("kind", "models") in KINDS else None
        if i >= len(segments):
            return None
        if part.startswith("{"):
            args[part[1:-1]] = segments[i]
        elif part != segments[i]:
            return None
    if len(segments) != len(pattern) or args.get("kind", "models") not in KINDS:
        return None
    return args
