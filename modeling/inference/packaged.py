"""Where a model lies: in the package, in a folder, or on the Hub."""

from __future__ import annotations

from pathlib import Path

from conlipa.errors import ConlipaError, UsageError
from conlipa.hub import is_repo, snapshot

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


def located(model: str, adapter: str | None = None, revision: str | None = None, cache_dir: str | Path | None = None) -> tuple[str, str | None]:
    """`packaged`; a Hub repo as the folder of its snapshot, so that its records and its `model.onnx` are there like those of any folder.

    Args:
        revision: a branch, tag or commit of the repos.
        cache_dir: where snapshots are kept (default: the cache of `huggingface_hub`).

    Raises:
        UsageError: a revision, and no repo that could have it.
        ConlipaError: a repo that cannot be had.
    """
    model, adapter = packaged(model, adapter)
    if revision and not any(is_repo(part) for part in (model, adapter) if part):
        raise UsageError(f"--revision {revision}: is for Hub repos, and {model} is a folder")

    def folder(where: str) -> str:
        return str(snapshot(where, revision, cache_dir)) if is_repo(where) else where

    return folder(model), folder(adapter) if adapter else None
