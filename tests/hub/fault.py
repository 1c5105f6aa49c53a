"""A failure, injected once."""

from __future__ import annotations

from dataclasses import dataclass

from tests.hub.answer import Answer, Refused

KINDS = ("cut", "500", "503", "429", "timeout", "cut-after")


@dataclass
class Fault:
    """The `number`-th request from now (1 is the next) fails.

    `cut`: the connection closes without an answer; `timeout`: likewise after `seconds`, longer than the client's patience;
    `500`, `503`, `429`: that status; `cut-after`: the work is done, and the connection closes without an answer.
    `hit` is the request that it met, None until then.
    """

    number: int
    kind: str
    seconds: float = 0.5
    hit: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.number < 1:
            raise ValueError(f"no such fault: {self}")

    def answer(self) -> Answer | None:
        """The answer instead of the true one; None: no answer at all."""
        if not self.kind.isdigit():
            return None
        return Refused(int(self.kind), f"injected {self.kind}", headers={"Retry-After": "0"} if self.kind == "429" else None).answer()
