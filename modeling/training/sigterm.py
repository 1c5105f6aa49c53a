"""Asked to end: a run saves its state first."""

from __future__ import annotations

import signal

from conlipa.errors import ConlipaError


class Stopped(ConlipaError):
    """The run was asked to end (SIGTERM) and has saved its state."""

    exit_code = 143


class SigTerm:
    """True once SIGTERM has come."""

    def __enter__(self) -> SigTerm:
        self.came = False
        try:
            self.previous = signal.signal(signal.SIGTERM, self._set)
        except ValueError:  # not the main thread
            self.previous = None
        return self

    def _set(self, *_: object) -> None:
        self.came = True

    def __bool__(self) -> bool:
        return self.came

    def __exit__(self, *_: object) -> None:
        if self.previous is not None:
            signal.signal(signal.SIGTERM, self.previous)
