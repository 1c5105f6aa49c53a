"""The training loop, written once for every stage: one process or many, CPU or GPU, resumable at any step."""

from __future__ import annotations

import copy
import math
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType, broadcast, set_seed
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from conlipa.atomic_files import atomic_folder, write_json
from conlipa.errors import ConlipaError
from conlipa.modeling.data.batches import LABEL_PAD
from conlipa.modeling.inference.prediction import has_bf16
from conlipa.modeling.recipe import Optimisation
from conlipa.modeling.records import RECORD
from conlipa.modeling.training.checkpoints import Checkpoints
from conlipa.modeling.training.feed import Feed
from conlipa.modeling.training.graphs import GraphedGradients
from conlipa.modeling.training.optim import optimizers_of, set_learning_rates
from conlipa.modeling.training.run_metadata import environment
from conlipa.modeling.training.sigterm import SigTerm, Stopped


class Stage(Protocol):
    """A thing to train: its module gives loss terms for a batch."""

    name: str
    settings: Any
    module: Any

    def batches(self, epoch: int) -> Sequence[Any]: ...
    def collate(self, indices: Any) -> dict[str, torch.Tensor]: ...
    def save(self, folder: Path) -> None: ...


_ASKED_EVERY = 10
"""Steps after which processes tell one another of a signal."""


def train(
    stage: Stage,
    out: Path,
    work: Path,
    run_metadata: dict[str, Any],
    tracker: str | None = None,
    watch: Callable[[int], None] | None = None,
    validate: Callable[[Any], dict[str, float]] | None = None,
) -> dict[str, Any]:
    """Train a stage and write its folder `out`; checkpoints go to `work`, and the last one is resumed.

    Args:
        run_metadata: what is recorded beside the weights (recipe, data fingerprint); a checkpoint made from other metadata is refused.
        tracker: one of `recipe.TRACKERS`, which shows loss, learning rate and speed as they come; its files go to `logs` beside `out`.
        watch: called with the number of each step that is through, before a checkpoint of it; may look at the module, which is trained further.
        validate: scores of the module, asked for every `validate_every` steps and at the end.

    Raises:
        ConlipaError: non-finite loss, or a checkpoint of another run; it is kept. Or Muon or averaged weights are asked for, with sharded weights.
        Stopped: SIGTERM came; the state is saved.
    """
    run = Run(stage, out, work, run_metadata, tracker)
    with run.bar() as bar, SigTerm() as stop:
        for parts in run.parts():
            loss = run.step(parts)
            stopping = run.agreed(bool(stop))
            due = run.number % run.settings.checkpoint_every == 0 or stopping
            if run.number % run.settings.log_every == 0 or run.finished or due:
                bar.set_postfix(**run.log(loss, due and not run.finished), refresh=False)
            run.show(bar)
            if validate and run.settings.validate_every and (run.number % run.settings.validate_every == 0 or run.finished):
                run.validate(validate)
            if watch:
                watch(run.number)
                run.module.train()
            if due:
                run.save()
            if stopping:
                raise Stopped(f"{stage.name}: stopped at step {run.number}; the same command resumes it")
    return run.finish()


class Run:
    """One run of a stage: its accelerator, optimisers and progress."""

    def __init__(self, stage: Stage, out: Path, work: Path, run_metadata: dict[str, Any], tracker: str | None) -> None:
        settings: Optimisation = stage.settings
        self.stage, self.settings, self.out, self.work, self.metadata = stage, settings, out, work, run_metadata
        logs = out.parent / "logs"
        if AcceleratorState._shared_state.get("_mixed_precision", _precision(settings)) != _precision(settings):
            AcceleratorState._reset_state()  # an earlier stage of this process had another precision
        self.accelerator = Accelerator(
            mixed_precision=_precision(settings), cpu=not torch.cuda.is_available(), log_with=tracker, project_dir=str(logs)
        )
        self.accelerator.init_trackers(f"conlipa-{stage.name}", init_kwargs={"wandb": {"dir": str(logs)}})
        if tracker and self.accelerator.is_main_process and not self.accelerator.trackers:
            raise ConlipaError(f"--tracker {tracker}: {tracker} is not installed (pip install {tracker})")
        sharded = self.accelerator.distributed_type == DistributedType.FSDP
        if sharded and (settings.optimizer == "muon" or settings.ema or getattr(settings, "validate_every", 0)):
            raise ConlipaError(
                "muon, ema and validate_every need whole matrices, and FSDP gives each process a part: set optimizer: adamw, ema: 0 and"
                " validate_every: 0, or use DDP"
            )
        self.whole = copy.deepcopy(stage.module) if sharded else None
        moving: Any = get_ema_multi_avg_fn
        self.average = AveragedModel(stage.module, multi_avg_fn=moving(settings.ema)) if settings.ema else None
        optimizers = optimizers_of(stage.module, settings)
        stage.module.train()
        self.module, *self.optimizers = self.accelerator.prepare(stage.module, *optimizers)
        if self.average:
            self.average.to(self.accelerator.device)
            self.average.n_averaged = self.average.n_averaged.cpu()  # read in each step
            self.accelerator.register_for_checkpointing(self.average)
        if settings.compile:
            self.module = torch.compile(self.module, dynamic=True)
        self.graphed = GraphedGradients(stage.module, lambda part: self._gradients([part])) if self._uses_graphs() else None
        self.checkpoints = Checkpoints(self.accelerator, work, run_metadata)
        self.progress = self.checkpoints.resume()
        self.feed = Feed(stage, self.accelerator, settings.epochs if settings.minutes is None else None, self.progress.sizes)
        self.total = self.feed.total
        self.fresh = torch.zeros((), dtype=torch.long, device=self.accelerator.device)
        """Positions since the last log, counted on the device: to read them each step would make it wait."""
        self.started = time.monotonic() - self.progress.seconds

    @property
    def number(self) -> int:
        """Steps that are through."""
        return self.progress.step

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def done(self) -> float:
        """The share of the run that is through: of its steps, or of its minutes, as the first process measures them."""
        if self.total is not None:
            return self.progress.step / max(1, self.total)
        share = torch.tensor(self.seconds / 60 / float(self.settings.minutes or 1), dtype=torch.float64)
        if self.accelerator.num_processes > 1:
            share = broadcast(share.float().to(self.accelerator.device))
        return min(1.0, float(share))

    def agreed(self, stop: bool) -> bool:
        """Whether to stop after this step: processes hear a signal at different steps, and are asked for it now and then."""
        if self.accelerator.num_processes == 1:
            return stop
        if self.number % min(_ASKED_EVERY, self.settings.log_every):
            return False
        asked = torch.tensor(float(stop), device=self.accelerator.device)
        return bool(self.accelerator.reduce(asked, "sum") > 0)

    def bar(self) -> Any:
        """Progress on standard error: steps, or seconds of a run by the clock."""
        pace = 0.5 if sys.stderr.isatty() else 15.0  # a log file wants a line now and then, not a flood
        total, initial, unit = (self.total, self.number, "step") if self.total is not None else (int(60 * (self.settings.minutes or 0)), 0, "s")
        shown = self.accelerator.is_main_process
        return tqdm(total=total, initial=initial, desc=self.stage.name, unit=unit, disable=not shown, file=sys.stderr, mininterval=pace, miniters=1)

    def show(self, bar: Any) -> None:
        """One step, or the seconds that have gone by."""
        bar.update(1 if self.total is not None else min(int(self.seconds), int(bar.total)) - bar.n)

    def parts(self) -> Iterator[list[dict[str, torch.Tensor]]]:
        """This process's share of each batch that is left, until the steps or the minutes are over."""
        self.share, self.finished = self.done, False
        coming, resumed = iter(self.feed.loader(self.number)), self.number
        while self.share < 1:
            asked, parts = time.monotonic(), next(coming)
            if self.number == resumed:  # to find its place in the epochs is no training
                asked, self.started = time.monotonic(), time.monotonic() - self.progress.seconds
            parts = [{name: tensor.to(self.accelerator.device, non_blocking=True) for name, tensor in part.items()} for part in parts]
            self.progress.waited += time.monotonic() - asked
            yield parts

    def step(self, parts: list[dict[str, torch.Tensor]]) -> torch.Tensor:
        """One optimiser step; this process's share of the loss."""
        # Each step draws from its own seed, so that a resumed run drops out what an uninterrupted one would.
        drawn = self.settings.seed * 1_000_003 + self.number * self.accelerator.num_processes + self.accelerator.process_index
        set_seed(drawn % 2**32)  # more is no seed
        set_learning_rates(self.optimizers, self.settings, self.share, self.total)
        loss = self.graphed(parts[0]) if self.graphed else self._gradients(parts)
        self.accelerator.clip_grad_norm_((p for p in self.module.parameters() if p.requires_grad), self.settings.max_grad_norm)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=self.graphed is None)
        if self.average:
            self.average.update_parameters(self.accelerator.unwrap_model(self.module))
        self.fresh += torch.stack([part["attention_mask"].sum() for part in parts]).sum()
        self.progress.step += 1
        if self.total is not None or self.accelerator.num_processes == 1 or self.number % _ASKED_EVERY == 0:
            self.share = self.done
        self.finished = self.share >= 1
        return loss

    def _uses_graphs(self) -> bool:
        """Where they are asked for, and a process has a GPU of its own."""
        return bool(self.settings.cuda_graphs and self.accelerator.num_processes == 1 and self.accelerator.device.type == "cuda")

    def _gradients(self, parts: list[dict[str, torch.Tensor]]) -> torch.Tensor:
        """Add the gradients of a batch; its loss is the same in however many parts and on however many processes it is computed."""
        loss = torch.zeros((), device=self.accelerator.device)
        counts: list[torch.Tensor] = []
        for number, part in enumerate(parts):
            with self.accelerator.no_sync(self.module) if number < len(parts) - 1 else nullcontext():
                with self.accelerator.autocast():
                    terms = self.module(part)
                counts = counts or _counts(self.accelerator, parts, terms)
                share = sum(total / count for (total, _), count in zip(terms, counts, strict=True)) * self.accelerator.num_processes
                self.accelerator.backward(share)
            loss += share.detach()
        return loss

    def log(self, loss: torch.Tensor, only_check: bool) -> dict[str, str]:
        """Read loss and counts, the one place where the device is waited for; they go to the record and the tracker.

        Raises:
            ConlipaError: non-finite loss.
        """
        value = float(self.accelerator.reduce(loss, "mean"))
        self.progress.seen += int(self.accelerator.reduce(self.fresh.clone(), "sum"))
        self.fresh.zero_()
        self.progress.seconds = self.seconds
        if not math.isfinite(value):
            where = f"the last good checkpoint is in {self.work}" if list(self.work.glob("step-*")) else "no checkpoint was made yet"
            raise ConlipaError(f"{self.stage.name}: the loss is {value} at step {self.number}; {where} (a lower learning_rate may help)")
        rate = self.progress.seen / max(self.seconds, 1e-9)
        if self.number % self.settings.log_every == 0 or not only_check:
            self.progress.losses.append({"step": self.number, "loss": value})
            learning_rate = self.optimizers[0].param_groups[0]["lr"]
            self.accelerator.log({"loss": value, "learning_rate": learning_rate, "tokens_per_second": rate}, step=self.number)
        return {"loss": f"{value:.3f}", "step": str(self.number), "tokens_per_s": f"{rate:.0f}"}

    def validate(self, scores_of: Callable[[Any], dict[str, float]]) -> None:
        """Score the averaged weights where there are any, otherwise those of this step."""
        module = self.average.module if self.average else self.accelerator.unwrap_model(self.module)
        scores = scores_of(module)
        module.train()
        self.progress.scores.append({"step": self.number, **scores})
        self.accelerator.log(scores, step=self.number)

    def save(self) -> None:
        self.checkpoints.save(self.progress)

    def finish(self) -> dict[str, Any]:
        """Write the folder and the record; the checkpoints are not needed any more."""
        seconds = self.progress.seconds = self.seconds
        record = {
            **self.metadata,
            "steps": self.number,
            "epochs": round(self.feed.epochs_at(self.number), 2),
            "seconds": round(seconds, 1),
            "tokens_per_second": round(self.progress.seen / max(seconds, 1e-9)),
            "waited": round(self.progress.waited / max(seconds, 1e-9), 4),
            "environment": environment(),
            "loss": self.progress.losses,
            **({"validation": self.progress.scores} if self.progress.scores else {}),
        }
        for shown in self.accelerator.trackers:
            shown.finish()
        self.accelerator.wait_for_everyone()
        if self.whole is not None:  # each process holds a part of every weight: what is saved has all of them, gathered in the first process
            gathered = self.accelerator.get_state_dict(self.module)
            if self.accelerator.is_main_process:
                self.whole.load_state_dict(gathered)
            self.stage.module = self.whole
        elif self.average:
            self.stage.module.load_state_dict(self.average.module.state_dict())
        if self.accelerator.is_main_process:
            with atomic_folder(self.out) as folder:
                self.stage.save(folder)
                write_json(record, folder / RECORD)
            shutil.rmtree(self.work, ignore_errors=True)
        self.accelerator.wait_for_everyone()
        self.accelerator.free_memory()
        return record


def _precision(settings: Optimisation) -> str:
    """That of the recipe; a processor without bfloat16 takes a hundred times as long for it, and gets float32."""
    return settings.precision if has_bf16() else "no"


def _counts(accelerator: Accelerator, parts: list[dict[str, torch.Tensor]], terms: list[tuple[torch.Tensor, torch.Tensor]]) -> list[torch.Tensor]:
    """What each term's sum is divided by, over all processes; that of a batch in parts is the number of its targets."""
    if len(parts) == 1:
        return [accelerator.reduce(count.clone(), "sum") for _, count in terms]
    targets = ["labels", "originals"][: len(terms)]
    return [accelerator.reduce(torch.stack([(part[name] != LABEL_PAD).sum() for part in parts]).sum(), "sum").clamp(min=1) for name in targets]
