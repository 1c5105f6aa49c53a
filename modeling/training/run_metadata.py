"""What a run was made from and with: recorded beside the weights, and compared before a checkpoint is resumed."""

from __future__ import annotations

import json
import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

RECORD = "training.json"
"""Written last into a finished folder: its presence says that the folder is complete."""


def environment() -> dict[str, Any]:
    """Versions and hardware, for the record."""
    packages = ["torch", "transformers", "peft", "accelerate", "datasets", "epitran", "espeakng-loader"]
    return {"python": platform.python_version(), **{name: version(name) for name in packages}, "git": revision()}


def revision() -> str:
    """The commit of the kit's checkout, with `+` where it has uncommitted changes; empty where it is installed from a wheel."""
    here = Path(__file__).parent
    try:
        described = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=here, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return described.stdout.strip()


def run_metadata_of(recipe: Any, stage: str, fingerprint: str, **more: Any) -> dict[str, Any]:
    """What a run is made from: its recipe (of the encoder and this stage), its data, and what else decides it."""
    whole = asdict(recipe)
    kept = {"name": recipe.name, "encoder": whole["encoder"], stage: whole[stage]}
    run_metadata: dict[str, Any] = json.loads(json.dumps({"stage": stage, "recipe": kept, "data": fingerprint, **more}))
    return run_metadata
