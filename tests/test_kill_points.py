"""Killed at random steps, again and again, a run ends with the weights of one that nobody killed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.conftest import TINY, begun, run, running_until

KILLS = 5


def killed_after(command: list[str], checkpoints: Path, step: int) -> None:
    """Start a training and SIGKILL it once it has saved a step from `step` on."""
    running = begun(*command)
    running_until(running, lambda: any(int(place.name.removeprefix("step-")) >= step for place in checkpoints.glob("step-*")))
    running.kill()
    running.wait()


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "steps"), [("ner", 225), ("ipac", 30)])
def test_five_kills_leave_no_trace(tiny_release: Path, tmp_path: Path, stage: str, steps: int) -> None:
    recipe, out = tmp_path / "tiny.yaml", tmp_path / stage
    recipe.write_text(
        TINY.replace("checkpoint_every: 20", "checkpoint_every: 3").replace("checkpoint_every: 5", "checkpoint_every: 1"), encoding="utf-8"
    )
    command = ["modeling/train.py", stage, "--profile", str(recipe), "--out", str(out)]
    command += ["--ner", str(tiny_release / "tiny-ner")] if stage == "ipac" else []
    for step in sorted(random.Random(stage).sample(range(1, steps - 5), KILLS)):
        killed_after(command, tmp_path / f".{stage}.checkpoints", step)
        assert not out.exists()
    run(*command, fresh=True)
    name = "model.safetensors" if stage == "ner" else "adapter_model.safetensors"
    whole, resumed = load_file(tiny_release / f"tiny-{stage}" / name), load_file(out / name)
    assert whole.keys() == resumed.keys()
    assert all((whole[key] == resumed[key]).all() for key in whole)
