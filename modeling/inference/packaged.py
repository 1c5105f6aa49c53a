"""The models that travel with the package."""

from __future__ import annotations

from pathlib import Path

from conlipa.errors import ConlipaError

MINI = "mini"
PACKAGED = (MINI, "mini-en")
"""By the names of their recipes."""
_FOLDER = Path(__file__).parents[1]


def packaged(model: str, adapter: str | None = None) -> tuple[str, str | None]:
    """`mini` or `mini-en` as the folders of the model that travels with the package, with its adapter; any other name as it is.

    Raises:
        ConlipaError: this build of the package carries no model.
    """
    if model not in PACKAGED:
        return model, adapter
    folder = _FOLDER / model
    if not (folder / "ner" / "model.safetensors").is_file():
        raise ConlipaError(f"this checkout does not carry {model}; train it with `conlipa release`, then name it with --model DIR")
    return str(folder / "ner"), adapter or str(folder / "ipac")
