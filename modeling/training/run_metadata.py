"""What a run was made from and with: recorded beside the weights, and compared before a checkpoint is resumed."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from conlipa.modeling.recipe_file import completed

_PACE = ("checkpoint_every", "log_every", "cuda_graphs", "compile")
"""Settings of a stage that decide how fast it is trained, and not what it is."""


_REPLAYED = (
    "exclude", "sentences_per_language", "sentences_of", "batch_positions", "accumulate", "running_share", "nameless_share", "mark_share", "join",
    "long_sentences", "augmentation", "label_bias", "seed",
)  # fmt: skip
"""Settings of stage 1 by which stage 2 draws and changes the sentences that it replays."""


_KNOWN_TO_BOTH = ("redirects", "sets", "weights")
"""Compared only where both sides say them: an older kit did not."""


def decisive(metadata: Any) -> Any:
    """Metadata without the settings of a recipe that are of its pace alone."""
    if isinstance(metadata, dict):
        return {key: decisive(value) for key, value in metadata.items() if key not in _PACE}
    return metadata


def agrees(recorded: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether two runs were made from the same. An older kit did not know all options, nor say all that is known now."""
    there, here = (_completed(metadata) for metadata in (recorded, wanted))
    if there.get("stage") == "ipac" and isinstance(there.get("recipe"), dict) and "ner" in here["recipe"]:
        there["recipe"].setdefault("ner", here["recipe"]["ner"])
    there["languages"] = here["languages"] = None  # recipe and data decide them, and an older kit also named those of excluded sets
    for name in _KNOWN_TO_BOTH:
        if not (there.get(name) and here.get(name)):
            there[name] = here[name] = None
    return bool(decisive(there) == decisive(here))


def _completed(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {**metadata, **{name: completed(metadata[name]) for name in ("recipe", "start") if isinstance(metadata.get(name), dict)}}


def environment() -> dict[str, Any]:
    """Versions and hardware, for the record."""
    packages = ["torch", "transformers", "peft", "accelerate", "datasets", "epitran", "espeakng-loader"]
    return {"python": platform.python_version(), **{name: found for name in packages if (found := _version(name))}, "git": revision()}


def _version(package: str) -> str:
    """Empty where it is not installed: who trains from a packed corpus needs no G2P engine."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def revision() -> str:
    """The commit of the kit's checkout, with `+` where it has uncommitted changes; empty where it is installed from a wheel."""
    try:
        _git("ls-files", "--error-unmatch", Path(__file__).name)  # an environment may lie in a repository of somebody else
        return _git("describe", "--always", "--dirty=+")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(*arguments: str) -> str:
    """What git says in the folder of this file."""
    return subprocess.run(["git", *arguments], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10, check=True).stdout.strip()


def runs_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The run of a record and those that it started from, the last one first."""
    return [record, *(runs_of(record["start_run"]) if "start_run" in record else [])]


def run_metadata_of(recipe: Any, stage: str, fingerprint: str, **more: Any) -> dict[str, Any]:
    """What a run is made from: its recipe (of the encoder and this stage), its data, and what else decides it."""
    whole = asdict(recipe)
    kept = {"name": recipe.name, "encoder": whole["encoder"], stage: whole[stage]}
    if stage == "ipac" and recipe.ipac.replay_weight:
        kept["ner"] = {name: whole["ner"][name] for name in _REPLAYED}
    run_metadata: dict[str, Any] = json.loads(json.dumps({"stage": stage, "recipe": kept, "data": fingerprint, **more}))
    return run_metadata
