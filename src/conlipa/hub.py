"""What the kit asks of the Hub: whether it is there, before a long wait, and a repo as a folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import getproxies

from conlipa.errors import ConlipaError

PATIENCE_S = 5.0
MODEL_FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "model.onnx", "README.md"]
"""Of a model's repo: weights, tokenizer, records, and the card with its scores. No pickle is ever fetched."""


def is_repo(where: str) -> bool:
    """Whether a name is that of a Hub repo, `OWNER/NAME`, and of nothing on this machine."""
    return where.count("/") == 1 and not where.startswith(("/", ".", "~")) and not where.endswith((".onnx", "/")) and not Path(where).exists()


def card_of(folder: Path) -> Any:
    """What the card of a model folder says in its front matter (`ModelCardData`); None where it has no card that can be read."""
    import yaml
    from huggingface_hub import ModelCard

    try:
        return ModelCard.load(folder / "README.md", ignore_metadata_errors=True).data
    except (OSError, ValueError, TypeError, RecursionError, yaml.YAMLError):  # a card is somebody's text
        return None


def transport_error() -> type[Exception]:
    """What the client's own HTTP library raises for a broken connection; no OSError."""
    from huggingface_hub.errors import HfHubHTTPError

    return HfHubHTTPError.__mro__[1]


def first_line(error: Exception) -> str:
    """Of its message; what kind it is where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def snapshot(repo: str, revision: str | None = None, cache_dir: str | Path | None = None) -> Path:
    """The folder of a model repo, fetched into `cache_dir` (default: the cache of `huggingface_hub`) where it is not there yet.

    Without a network, or with HF_HUB_OFFLINE, it is what the cache has.

    Args:
        revision: a branch, a tag or a commit (default: the main branch).

    Raises:
        ConlipaError: no such repo or revision, no right to it, or no Hub and nothing in the cache.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, RevisionNotFoundError

    try:
        need_hub(repo)
    except ConlipaError as error:
        try:
            return Path(snapshot_download(repo, revision=revision, cache_dir=cache_dir, allow_patterns=MODEL_FILES, local_files_only=True))
        except (LocalEntryNotFoundError, HFValidationError):
            raise error from None
    try:
        return Path(snapshot_download(repo, revision=revision, cache_dir=cache_dir, allow_patterns=MODEL_FILES))
    except HFValidationError as error:
        raise ConlipaError(f"{repo}: neither a folder nor a name that the Hub allows ({first_line(error)})") from None
    except RevisionNotFoundError:
        raise ConlipaError(f"{repo}: has no revision '{revision}'") from None
    except GatedRepoError:
        raise ConlipaError(f"{repo}: is gated; ask for access on its page, and log in with `hf auth login`") from None
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        reason = "no such repo on the Hub, or it is private and not yours" if status in (401, 404) else f"the Hub refused ({status})"
        raise ConlipaError(f"{repo}: {reason}") from None
    except (OSError, LocalEntryNotFoundError, transport_error()) as error:
        raise ConlipaError(f"{repo}: could not be fetched ({first_line(error)}); run the same command again") from error


def need_hub(repo: str) -> None:
    """Raises ConlipaError, naming `repo`, when the Hub is switched off or out of reach."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise ConlipaError(f"{repo} is a Hub repo, and HF_HUB_OFFLINE is set")
    endpoint = urlparse(os.environ.get("HF_ENDPOINT", constants.ENDPOINT))
    host, port = endpoint.hostname or "", endpoint.port or (443 if endpoint.scheme == "https" else 80)
    proxies = getproxies()  # of the environment, or of the system's settings
    if proxies.get(endpoint.scheme) or proxies.get("all"):
        return  # the proxy resolves names; the client's own time-outs apply
    try:
        socket.create_connection((host, port), timeout=PATIENCE_S).close()
    except OSError as error:
        raise ConlipaError(f"{repo} is a Hub repo, and {host} cannot be reached ({error})") from error
