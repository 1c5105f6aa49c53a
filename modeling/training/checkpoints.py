"""The state of a run on disk, so that it resumes at the step where it was stopped."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from conlipa.atomic_files import write_errors, write_json
from conlipa.errors import ConlipaError
from conlipa.modeling.training.run_metadata import agrees


@dataclass
class Progress:
    """How far a run is; what a checkpoint holds of it."""

    step: int = 0
    seen: int = 0
    """Positions, padding not counted."""
    seconds: float = 0.0
    waited: float = 0.0
    """Seconds in which the model waited for a batch."""
    sizes: list[int] = field(default_factory=list)
    """Batches of each epoch of a run by the clock, so far as this process makes them itself: where workers do, as on a GPU, none (`Feed`)."""
    losses: list[dict[str, float]] = field(default_factory=list)
    scores: list[dict[str, float]] = field(default_factory=list)


class Checkpoints:
    """The state of a run on disk: written beside and renamed, the last good one kept."""

    def __init__(self, accelerator: Accelerator, folder: Path, run_metadata: dict[str, Any]) -> None:
        self.accelerator, self.folder, self.run_metadata = accelerator, folder, json.loads(json.dumps(run_metadata))

    def save(self, progress: Progress) -> None:
        """Write the state, with the progress beside it."""
        beside, place = self.folder / "next.partial", self.folder / f"step-{progress.step:07d}"
        with write_errors(self.folder):
            self.accelerator.save_state(str(beside), safe_serialization=True)
        self.accelerator.wait_for_everyone()  # every process writes into it
        if self.accelerator.is_main_process:
            state = {"progress": asdict(progress), "run_metadata": self.run_metadata, "kind": self._kind()}
            write_json(state, beside / "loop.json")
            with write_errors(self.folder):
                _sync(beside)
                os.replace(beside, place)
            for old in sorted(self.folder.glob("step-*"))[:-1]:
                shutil.rmtree(old, ignore_errors=True)
        self.accelerator.wait_for_everyone()

    def _kind(self) -> str:
        """How processes share the model: the weights of one, of DDP and of FSDP have different names."""
        return str(self.accelerator.distributed_type.value)

    def resume(self) -> Progress:
        """Load the newest checkpoint: its progress, which has no step where there is none.

        Raises:
            ConlipaError: it is damaged, of another recipe, of other data, or of processes that shared the model in another way; it stays where it is.
        """
        for place in sorted(self.folder.glob("step-*"), reverse=True):
            with _read_errors(place):
                return self._loaded(place)
        shutil.rmtree(self.folder, ignore_errors=True)
        return Progress()

    def _loaded(self, place: Path) -> Progress:
        state = json.loads((place / "loop.json").read_text(encoding="utf-8"))
        if not agrees(state["run_metadata"], self.run_metadata):
            raise ConlipaError(f"{place}: is of another recipe or of other data; go on with those, name another folder, or remove {self.folder}")
        if "kind" in state and state["kind"] != self._kind():
            raise ConlipaError(f"{place}: is of a {state['kind']} run, and this is a {self._kind()} one: resume it with as many processes as before")
        progress = Progress(**state["progress"])
        self.accelerator.load_state(str(place))
        return progress


def _sync(folder: Path) -> None:
    """Have the files of a folder on the disk before it takes its name: after a power cut it would have empty ones."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


@contextmanager
def _read_errors(place: Path) -> Iterator[None]:
    """What fails while a state is loaded, as one line: torch, safetensors and pickle raise of many kinds."""
    try:
        yield
    except ConlipaError:
        raise
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ConlipaError(f"{place}: cannot be resumed ({reason[:150]}); if it is damaged, remove it: the same command then trains anew") from error
