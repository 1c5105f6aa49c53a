"""Is the Hub there? Asked before a long wait, so that 'no network' is said within seconds."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlparse

from conlipa.errors import ConlipaError

PATIENCE_S = 5.0


def need_hub(repo: str) -> None:
    """Raises ConlipaError, naming `repo`, when the Hub is switched off or out of reach."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise ConlipaError(f"{repo} is a Hub repo, and HF_HUB_OFFLINE is set")
    endpoint = urlparse(os.environ.get("HF_ENDPOINT", constants.ENDPOINT))
    host, port = endpoint.hostname or "", endpoint.port or (443 if endpoint.scheme == "https" else 80)
    if os.environ.get(f"{endpoint.scheme}_proxy") or os.environ.get(f"{endpoint.scheme.upper()}_PROXY"):
        return  # the proxy resolves names; the client's own time-outs apply
    try:
        socket.create_connection((host, port), timeout=PATIENCE_S).close()
    except OSError as error:
        raise ConlipaError(f"{repo} is a Hub repo, and {host} cannot be reached ({error})") from error
