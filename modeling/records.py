"""JSON files of a model's folder, read without the libraries that its weights need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conlipa.errors import ConlipaError
from conlipa.foreign import MOST_BYTES

RECORD = "training.json"
"""What made the weights beside it. Written last into a finished folder: its presence says that the folder is complete."""


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a foreign folder.

    Raises:
        ConlipaError: it is missing, too large, or none.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ConlipaError(f"{path}: larger than {MOST_BYTES:,} bytes")
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConlipaError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ConlipaError(f"{path}: not JSON ({str(error)[:100]})") from error
    if not isinstance(found, dict):
        raise ConlipaError(f"{path}: expected a JSON object")
    return found


def fitted_to(model: str, adapter: str | None = None) -> list[str]:
    """Digests of the sentences that `adapt` fitted a model folder (and an adapter) to.

    Raises:
        ConlipaError: a record is damaged.
    """
    found: list[str] = []
    for record in (Path(folder) / RECORD for folder in filter(None, (model, adapter))):
        said = read_json(record).get("fitted_to", []) if record.is_file() else []
        if not isinstance(said, list) or not all(isinstance(one, str) for one in said):
            raise ConlipaError(f"{record}: damaged (fitted_to: expected a list of digests)")
        found += said
    return list(dict.fromkeys(found))


def trained_on(model: str, adapter: str | None = None) -> list[str]:
    """Languages whose labels a model folder (and an adapter's) was trained on, from their records; none where there is no record.

    Raises:
        ConlipaError: a record is damaged.
    """
    found: list[Any] = []
    for folder in filter(None, (model, adapter)):
        if (record := Path(folder) / RECORD).is_file():
            said = read_json(record)
            languages, own = said.get("languages", []), [said["language"]] if "language" in said else []  # `adapt` names the one
            if not isinstance(languages, list) or not all(isinstance(lang, str) for lang in languages + own):
                raise ConlipaError(f"{record}: damaged (languages: expected a list of ISO 639-3 codes)")
            found += languages + own
    return list(dict.fromkeys(found))
