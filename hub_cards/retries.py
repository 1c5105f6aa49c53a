"""Calls to the Hub that are tried again when the fault is not ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

from conlipa.errors import ConlipaError
from conlipa.hub import transport_error

Answer = TypeVar("Answer")

TRIES = 5
FIRST_PAUSE_S = 1.0
_PASSING = {429, 500, 502, 503, 504}


class RefusedError(ConlipaError):
    """What the Hub will not do, however often it is asked; `status`: of its answer, 0 where its client refused before."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


def with_retries(what: str, call: Callable[[], Answer], pause: Callable[[float], None] = time.sleep) -> Answer:
    """The answer of a call; on 429, 5xx and broken connections it is made again, with doubling pauses. Calls must bear repeating.

    Raises:
        ConlipaError: the Hub refuses (the missing right is named), or does not answer after all tries.
    """
    for number in range(TRIES):
        try:
            return call()
        except HfHubHTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            if status not in _PASSING:
                raise RefusedError(_refusal(what, status, error), status) from None
            reason = f"answered {status}"
        except LocalTokenNotFoundError:
            raise ConlipaError("no Hub token: log in with `hf auth login`, or set HF_TOKEN") from None
        except (OSError, transport_error()) as error:
            reason = f"broke off ({type(error).__name__})"
        except ValueError as error:  # the client's own checks, and metadata that the Hub does not take
            raise RefusedError(f"{what}: refused ({' '.join(str(error).split())})") from None
        if number + 1 < TRIES:
            pause(FIRST_PAUSE_S * 2**number)
    raise ConlipaError(f"{what}: the Hub {reason}, {TRIES} times; run the same command again later")


def _refusal(what: str, status: int, error: HfHubHTTPError) -> str:
    said = (error.server_message or "").strip()
    reasons = {
        401: "the token is not accepted; log in with `hf auth login`, or set HF_TOKEN",
        403: "the token lacks the right to write there; it needs the role 'write' for this namespace",
        404: "no such repo, or it is private and not yours",
    }
    return f"{what}: {reasons.get(status, f'the Hub refused ({status})')}{f' [{said}]' if said else ''}"
