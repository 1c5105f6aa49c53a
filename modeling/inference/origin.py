"""What a loaded model was made from: how a pickled one finds its files again, and sees that they are the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

from conlipa.errors import ConlipaError
from conlipa.modeling.data.fingerprint import of_folder


def made_from(model: str, adapter: str | None) -> list[str]:
    """Digests of the weights, or the names of the Hub repos."""
    return [of_folder(part) for part in (model, adapter) if part]


def lasting(place: str) -> str:
    """A path that is the same from any working folder; a Hub repo's name as it is."""
    return str(Path(place).absolute()) if Path(place).exists() else place


def check_unchanged(place: str, pickled: list[str], now: list[str]) -> None:
    """Raises ConlipaError: the files are no longer those that a pickled tagger was loaded from."""
    if pickled != now:
        raise ConlipaError(f"{place}: has changed since the tagger that reads it was pickled; load it again with from_pretrained")


def of_file(path: Path) -> str:
    """Digest of a file, sixteen hexadecimal digits."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:16]
