"""Two processes train as one does: the same losses step by step, the same contrastive gradient."""

from __future__ import annotations

import json
import socket
import tempfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import TINY, begun, run

STEPS = 20


def on(processes: int, *arguments: str, code: int | None = 0) -> None:
    """One process, or several with the variables that `torchrun` gives them; `code` as `run` has it."""
    if processes == 1:
        run(*arguments, timeout=300, code=code)
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "ACCELERATE_USE_CPU": "true"}
    sizes = {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder) / str(rank) for rank in range(processes)]
        ranks = [begun(*arguments, stderr=said[n], rank={**shared, **sizes, "RANK": str(n), "LOCAL_RANK": str(n)}) for n in range(processes)]
        try:
            returned = [rank.wait(300) for rank in ranks]
        finally:
            for rank in ranks:
                if rank.poll() is None:
                    rank.kill()
        assert code is None or returned == [code] * processes, "\n".join(file.read_text(encoding="utf-8")[-3000:] for file in said)


def torchrun(processes: int, *arguments: str) -> None:
    """The README's own command."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    run(*launcher, *arguments, env={"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}, timeout=300)


@pytest.fixture
def without_dropout(tmp_path: Path) -> Path:
    """Dropout draws differ with the number of processes; all else must not."""
    text = TINY.replace("epochs: 3", "epochs: 1, log_every: 1, sentences_per_language: 1280").replace("layers: 2", "layers: 2, dropout: 0.0")
    text = text.replace("korean_pairs: 64", "korean_pairs: 64, lora_dropout: 0.0, log_every: 1")
    path = tmp_path / "tiny.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.slow
def test_the_losses_of_two_processes_are_those_of_one(without_dropout: Path, tmp_path: Path) -> None:
    losses: dict[tuple[str, int], list[float]] = {}
    for stage in ("ner", "ipac"):
        for processes in (1, 2):
            out = tmp_path / f"{stage}-{processes}"
            more = ["--ner", str(tmp_path / "ner-1")] if stage == "ipac" else []
            command = ["modeling/train.py", stage, "--profile", str(without_dropout), "--out", str(out), *more]
            launch = torchrun if (stage, processes) == ("ner", 2) else on
            launch(processes, *command)
            losses[stage, processes] = [row["loss"] for row in json.loads((out / "training.json").read_text(encoding="utf-8"))["loss"]]
        assert len(losses[stage, 1]) >= STEPS
        assert losses[stage, 2][:STEPS] == pytest.approx(losses[stage, 1][:STEPS], abs=1e-4)


@pytest.mark.slow
def test_sharded_weights_train_as_whole_ones_do_and_resume(without_dropout: Path, tmp_path: Path) -> None:
    """FSDP on two processes; interrupted after a checkpoint, it goes on from there."""
    text = without_dropout.read_text(encoding="utf-8")
    without_dropout.write_text(text.replace("optimizer: muon", "optimizer: adamw"), encoding="utf-8")
    command = ["ner", "--profile", str(without_dropout), "--out"]
    run("modeling/train.py", *command, str(tmp_path / "whole"))
    on(2, "tests/fsdp_on_cpu.py", *command, str(tmp_path / "sharded"))
    on(2, "tests/fsdp_on_cpu.py", *command, str(tmp_path / "stopped"), "--stop-at", "30", code=None)
    assert not (tmp_path / "stopped").exists()
    assert [path.name for path in tmp_path.glob(".stopped.checkpoints/step-*")] == ["step-0000020"]
    on(2, "tests/fsdp_on_cpu.py", *command, str(tmp_path / "stopped"))
    whole, sharded, resumed = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "sharded", "stopped"))
    assert whole.keys() == sharded.keys()
    assert max(float((whole[name] - sharded[name]).abs().max()) for name in whole) < 1e-4
    assert all(torch.equal(sharded[name], resumed[name]) for name in sharded)


@pytest.mark.slow
def test_the_contrastive_gradient_of_two_processes_is_that_of_one(without_dropout: Path, tiny_release: Path, tmp_path: Path) -> None:
    """Negatives come from both processes, and gradients flow back to where they came from."""
    for processes in (1, 2):
        out = str(tmp_path / f"{processes}.safetensors")
        on(processes, "tests/contrastive_gradient.py", str(without_dropout), str(tiny_release / "tiny-ner"), out)
    one, two = (load_file(tmp_path / f"{processes}.safetensors") for processes in (1, 2))
    assert one.keys() == two.keys()
    assert max(float(gradient.abs().max()) for gradient in one.values()) > 1e-3
    assert max(float(torch.max(torch.abs(one[name] - two[name]))) for name in one) < 1e-5


@pytest.mark.slow
def test_a_batch_in_parts_is_the_batch(without_dropout: Path, tmp_path: Path) -> None:
    text = without_dropout.read_text(encoding="utf-8")
    losses = []
    for parts in (1, 4):
        without_dropout.write_text(text.replace("log_every: 1,", f"log_every: 1, accumulate: {parts},", 1), encoding="utf-8")
        out = tmp_path / f"ner-{parts}"
        run("modeling/train.py", "ner", "--profile", str(without_dropout), "--out", str(out))
        losses.append([row["loss"] for row in json.loads((out / "training.json").read_text(encoding="utf-8"))["loss"]])
    assert losses[1][:STEPS] == pytest.approx(losses[0][:STEPS], abs=1e-4)
