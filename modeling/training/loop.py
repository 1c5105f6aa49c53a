"""The training loop, written once for every stage: one process or many, CPU or GPU, resumable at any step."""

from __future__ import annotations

import copy
import json
import math
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, set_seed
from torch import nn
from tqdm.auto import tqdm
from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

from conlipa.atomic_files import atomic_folder, write_errors, write_json
from conlipa.errors import ConlipaError
from conlipa.modeling.data.batches import LABEL_PAD
from conlipa.modeling.recipe import Optimisation

RECORD = "training.json"
"""Written last into a finished folder: its presence says that the folder is whole."""


class Stage(Protocol):
    """A thing to train: its module gives loss terms for a batch."""

    name: str
    settings: Any
    module: Any

    def batches(self, epoch: int) -> list[list[int]]: ...
    def collate(self, indices: Sequence[int], step: int) -> dict[str, torch.Tensor]: ...
    def save(self, folder: Path) -> None: ...


class Stopped(ConlipaError):
    """The run was asked to end (SIGTERM) and has saved its state."""

    exit_code = 143


def train(
    stage: Stage, out: Path, work: Path, run_metadata: dict[str, Any], tracker: str | None = None, watch: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Train a stage and write its folder `out`; checkpoints go to `work`, and the last one is resumed.

    Args:
        run_metadata: what is recorded beside the weights (recipe, data fingerprint); a checkpoint made from other run_metadata is not resumed.
        tracker: one of `recipe.TRACKERS`, which shows loss, learning rate and speed as they come; its files go to `logs` beside `out`.
        watch: called with the number of each step that is through, before a checkpoint of it; may look at the module, which goes on training.

    Raises:
        ConlipaError: the loss is no number any more; the last good checkpoint is kept. Or Muon is asked for, with sharded weights.
        Stopped: SIGTERM came; the state is saved.
    """
    settings: Optimisation = stage.settings
    logs = out.parent / "logs"
    accelerator = Accelerator(mixed_precision=settings.precision, cpu=not torch.cuda.is_available(), log_with=tracker, project_dir=str(logs))
    accelerator.init_trackers(f"conlipa-{stage.name}", init_kwargs={"wandb": {"dir": str(logs)}})
    epochs = [stage.batches(epoch) for epoch in range(settings.epochs)]
    total = sum(map(len, epochs))
    sharded = accelerator.distributed_type == DistributedType.FSDP
    if sharded and settings.optimizer == "muon":
        raise ConlipaError("muon turns whole matrices, and FSDP gives each process a part of them: set optimizer: adamw, or train by DDP")
    whole = copy.deepcopy(stage.module) if sharded else None
    module, optimizers, schedulers = _prepared(accelerator, stage.module, settings, total)
    checkpoints = Checkpoints(accelerator, work, run_metadata)
    step, seen, seconds = checkpoints.resume()
    history: list[dict[str, float]] = checkpoints.history
    started = time.monotonic()

    pace = 0.5 if sys.stderr.isatty() else 15.0  # a log file wants a line now and then, not a flood
    bar = tqdm(
        total=total,
        initial=step,
        desc=stage.name,
        unit="step",
        disable=not accelerator.is_main_process,
        file=sys.stderr,
        mininterval=pace,
        miniters=1,
    )
    with bar, SigTerm() as stop:
        for parts in _batches(stage, epochs, step, accelerator):
            # Each step draws from its own seed, so that a resumed run drops out what an uninterrupted one would.
            set_seed(settings.seed * 1_000_003 + step * accelerator.num_processes + accelerator.process_index)
            loss = _step(accelerator, module, optimizers, schedulers, parts, settings)
            step += 1
            seen += int(accelerator.reduce(torch.stack([part["attention_mask"].sum() for part in parts]).sum(), "sum"))
            due = step % settings.checkpoint_every == 0 or bool(stop)
            if step % settings.log_every == 0 or step == total or due:
                value = float(loss)
                if not math.isfinite(value):
                    where = f"the last good checkpoint is in {work}" if list(work.glob("step-*")) else "no checkpoint was made yet"
                    raise ConlipaError(f"{stage.name}: the loss is {value} at step {step}; {where} (a lower learning_rate may help)")
                bar.set_postfix(loss=f"{value:.3f}", tokens_per_s=f"{seen / (seconds + time.monotonic() - started):.0f}", refresh=False)
            if step % settings.log_every == 0 or step == total:
                history.append({"step": step, "loss": value})
                speed = seen / (seconds + time.monotonic() - started)
                accelerator.log({"loss": value, "learning_rate": schedulers[0].get_last_lr()[0], "tokens_per_second": speed}, step=step)
            bar.update()
            if watch:
                watch(step)
                module.train()
            if due:
                checkpoints.save(step, seen, seconds + time.monotonic() - started)
            if stop:
                raise Stopped(f"{stage.name}: stopped at step {step} of {total}; the same command goes on from there")

    seconds += time.monotonic() - started
    record = {
        **run_metadata,
        "steps": total,
        "seconds": round(seconds, 1),
        "tokens_per_second": round(seen / max(seconds, 1e-9)),
        "environment": environment(),
        "loss": history,
    }
    for shown in accelerator.trackers:
        shown.finish()
    accelerator.wait_for_everyone()
    if whole is not None:  # each process holds a part of every weight: what is saved has all of them
        whole.load_state_dict(accelerator.get_state_dict(module))
        stage.module = whole
    if accelerator.is_main_process:
        with atomic_folder(out) as folder:
            stage.save(folder)
            write_json(record, folder / RECORD)
        shutil.rmtree(work, ignore_errors=True)
    accelerator.wait_for_everyone()
    accelerator.free_memory()
    return record


def _prepared(accelerator: Accelerator, module: nn.Module, settings: Optimisation, total: int) -> tuple[Any, list[Any], list[Any]]:
    optimizers = optimizers_of(module, settings)
    warm_up = math.ceil(total * settings.warmup_ratio)
    schedule = {"linear": get_linear_schedule_with_warmup, "cosine": get_cosine_schedule_with_warmup}[settings.schedule]
    schedulers = [schedule(optimizer, warm_up, total) for optimizer in optimizers]
    module.train()
    prepared = accelerator.prepare(module, *optimizers)
    # The schedulers step once an optimiser step, however many processes: they are saved with the rest, but not wrapped.
    accelerator.register_for_checkpointing(*schedulers)
    return prepared[0], list(prepared[1:]), schedulers


def optimizers_of(module: nn.Module, settings: Optimisation) -> list[torch.optim.Optimizer]:
    """AdamW; with Muon, that for the matrices of the encoder's layers, and AdamW for the rest."""
    trainable = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    rate, decay = settings.learning_rate, settings.weight_decay
    matrices = {name: p for name, p in trainable if settings.optimizer == "muon" and p.ndim == 2 and ".layer." in name}
    others = [p for name, p in trainable if name not in matrices]
    kept = [p for p in others if p.ndim < 2]  # biases and norms are not decayed
    groups = [{"params": [p for p in others if p.ndim >= 2], "weight_decay": decay}, {"params": kept, "weight_decay": 0.0}]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=rate, fused=True)]
    if matrices:
        optimizers.append(torch.optim.Muon(matrices.values(), lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"))
    return optimizers


def _batches(stage: Stage, epochs: list[list[list[int]]], step: int, accelerator: Accelerator) -> Iterator[list[dict[str, torch.Tensor]]]:
    """This process's share of each batch from `step` on, every n-th example of n processes, in the parts that it goes through the model in."""
    flat = [batch for epoch in epochs for batch in epoch]
    parts = getattr(stage.settings, "accumulate", 1)
    for number, indices in enumerate(flat[step:], step):
        share = indices[accelerator.process_index :: accelerator.num_processes]
        made = [stage.collate(share[part::parts], number) for part in range(min(parts, len(share)))]
        yield [{name: tensor.to(accelerator.device) for name, tensor in part.items()} for part in made]


def _step(
    accelerator: Accelerator,
    module: nn.Module,
    optimizers: list[Any],
    schedulers: list[Any],
    parts: list[dict[str, torch.Tensor]],
    settings: Optimisation,
) -> torch.Tensor:
    """One optimiser step; the loss of a batch is the same in however many parts and on however many processes it is computed."""
    loss = torch.zeros((), device=accelerator.device)
    counts: list[torch.Tensor] = []
    for number, part in enumerate(parts):
        with accelerator.no_sync(module) if number < len(parts) - 1 else nullcontext():
            with accelerator.autocast():
                terms = module(part)
            counts = counts or _counts(accelerator, parts, terms)
            share = sum(total / count for (total, _), count in zip(terms, counts, strict=True)) * accelerator.num_processes
            accelerator.backward(share)
        loss += share.detach()
    accelerator.clip_grad_norm_((p for p in module.parameters() if p.requires_grad), settings.max_grad_norm)
    for turn in (*optimizers, *schedulers):
        turn.step()
    for optimizer in optimizers:
        optimizer.zero_grad()
    mean: torch.Tensor = accelerator.reduce(loss, "mean")
    return mean


def _counts(accelerator: Accelerator, parts: list[dict[str, torch.Tensor]], terms: list[tuple[torch.Tensor, torch.Tensor]]) -> list[torch.Tensor]:
    """What each term's sum is divided by, over all processes; that of a batch in parts is the number of its targets."""
    if len(parts) == 1:
        return [accelerator.reduce(count.clone(), "sum") for _, count in terms]
    targets = ["labels", "originals"][: len(terms)]
    return [accelerator.reduce(torch.stack([(part[name] != LABEL_PAD).sum() for part in parts]).sum(), "sum").clamp(min=1) for name in targets]


class Checkpoints:
    """The state of a run on disk: written beside and renamed, the last good one kept."""

    def __init__(self, accelerator: Accelerator, folder: Path, run_metadata: dict[str, Any]) -> None:
        self.accelerator, self.folder, self.run_metadata = accelerator, folder, json.loads(json.dumps(run_metadata))
        self.history: list[dict[str, float]] = []

    def save(self, step: int, seen: int, seconds: float) -> None:
        beside, place = self.folder / "next.partial", self.folder / f"step-{step:07d}"
        with write_errors(self.folder):
            self.accelerator.save_state(str(beside), safe_serialization=True)
        self.accelerator.wait_for_everyone()  # every process writes into it
        if self.accelerator.is_main_process:
            state = {"step": step, "seen": seen, "seconds": seconds, "run_metadata": self.run_metadata, "history": self.history}
            write_json(state, beside / "loop.json")
            os.replace(beside, place)
            for old in sorted(self.folder.glob("step-*"))[:-1]:
                shutil.rmtree(old, ignore_errors=True)
        self.accelerator.wait_for_everyone()

    def resume(self) -> tuple[int, int, float]:
        """Load the newest checkpoint made from the same run_metadata: `(step, tokens seen, seconds)`, zeros where there is none."""
        for place in sorted(self.folder.glob("step-*"), reverse=True):
            state = json.loads((place / "loop.json").read_text(encoding="utf-8"))
            if state["run_metadata"] == self.run_metadata:
                self.accelerator.load_state(str(place))
                self.history = state["history"]
                return state["step"], state["seen"], state["seconds"]
        shutil.rmtree(self.folder, ignore_errors=True)
        return 0, 0, 0.0


class SigTerm:
    """True once SIGTERM has come."""

    def __enter__(self) -> SigTerm:
        self.came = False
        try:
            self.previous = signal.signal(signal.SIGTERM, self._set)
        except ValueError:  # not the main thread
            self.previous = None
        return self

    def _set(self, *_: object) -> None:
        self.came = True

    def __bool__(self) -> bool:
        return self.came

    def __exit__(self, *_: object) -> None:
        if self.previous is not None:
            signal.signal(signal.SIGTERM, self.previous)


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
