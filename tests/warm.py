"""Commands in forks of one process that has imported the libraries: each begins in milliseconds, where Python alone takes seconds to import torch.

A fork has its own memory, files and exit code, and the process that it comes from has computed nothing but a table of phonemes. What differs
from a command typed in a shell: modules are imported already, and Python's hash seed is one for all. So tests of imports, of the environment, of
stock classes in a fresh process, and the run that others are compared with take a process of their own.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_LOADED = (
    "accelerate", "datasets", "epitran", "onnxruntime", "panphon", "peft", "scipy.stats", "torch", "transformers.models.roberta.modeling_roberta",
    "conlipa.hub_cards.release",
    "conlipa.modeling.data.packing", "conlipa.modeling.evaluation.evaluation", "conlipa.modeling.inference.loading", "conlipa.modeling.train",
    "conlipa.modeling.training.ipac", "conlipa.modeling.training.loop", "conlipa.modeling.training.ner",
)  # fmt: skip
_OWN = ("PYTEST_CURRENT_TEST", "HF_HUB_DISABLE_TELEMETRY", "GRADIO_", "KMP_")
"""How names begin that pytest, a page or a library sets in this process while tests run, and no command reads: telemetry is off from the start."""


class Command:
    """One command, begun."""

    def __init__(self, warm: Warm, pid: int) -> None:
        self.warm, self.pid, self.returncode = warm, pid, None

    def poll(self) -> int | None:
        """Its exit code, or None while it runs; as `subprocess.Popen` has it, negative where a signal ended it."""
        if self.returncode is None:
            self.returncode = self.warm.asked({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float = 600) -> int:
        deadline, pause = time.monotonic() + timeout, 0.005
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(pause)
            pause = min(2 * pause, 0.05)  # who asks all the time takes the processor from who is asked
        return int(self.returncode or 0)

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Warm:
    """The process that commands are forks of, as its parent sees it."""

    def __init__(self) -> None:
        self.environment = _environment()
        self.process = subprocess.Popen([sys.executable, "-m", "tests.warm"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def serves(self, arguments: Sequence[str], env: Mapping[str, str]) -> bool:
        """Whether a command may be a fork: a module or a script, in the environment that the libraries were imported in."""
        return arguments[0] != "-c" and not self.different(env)

    def different(self, env: Mapping[str, str]) -> list[str]:
        """Variables that are not as they were when the libraries were imported."""
        now = {**_environment(), **env}
        return sorted(name for name in {*now, *self.environment} if now.get(name) != self.environment.get(name))

    def begin(self, arguments: Sequence[str], stdin: Path | str, stdout: Path | str, stderr: Path | str, more: Mapping[str, str]) -> Command:
        """Start `python ARGUMENTS`, reading and writing these files, with more variables in its environment."""
        for name in (stdout, stderr):
            Path(name).write_bytes(b"")
        return Command(self, self.asked({"arguments": list(arguments), "files": [str(stdin), str(stdout), str(stderr)], "more": dict(more)}))

    def asked(self, question: dict[str, Any]) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}


def _status(pid: int) -> int | None:
    done, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if done else None


def _serve() -> tuple[list[str], list[str]]:
    """Answer until the parent is gone; in a fork, the command that it is to be, and its files."""
    for line in sys.stdin:
        asked = json.loads(line)
        if "poll" in asked:
            answer = _status(asked["poll"])
        elif answer := os.fork():
            pass
        else:
            os.environ.update(asked["more"])
            return asked["arguments"], asked["files"]
        print(json.dumps(answer), flush=True)
    os._exit(0)


def _become(arguments: list[str], files: list[str]) -> None:
    """Run what `python ARGUMENTS` runs."""
    for number, (name, flags) in enumerate(zip(files, (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY), strict=True)):
        opened = os.open(name, flags)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, errors="backslashreplace", buffering=1)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[0] = str((ROOT / arguments[0]).parent)
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    for module in _LOADED:
        __import__(module)
    importlib.import_module("conlipa.dataset_scripts.g2p.engines").feature_table()  # two seconds of each training otherwise
    gc.collect()
    gc.freeze()  # no fork looks through what it has from here
    _become(*_serve())
