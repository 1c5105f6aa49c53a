"""Shared material: the command line as a user runs it, and one tiny release, made once."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

from tests.warm import Command, Warm

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

# Before any Hugging Face library is imported: the tests never leave this machine.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

TINY = """
name: tiny
encoder: {hidden_size: 48, layers: 2, heads: 2, intermediate_size: 96}
ner: {languages: [eng], epochs: 3, batch_size: 32, optimizer: muon, learning_rate: 2e-3, warmup_ratio: 0.1, precision: "no", checkpoint_every: 20}
ipac:
  {korean_pairs: 64, epochs: 1, batch_size: 64, learning_rate: 1e-3, precision: "no", checkpoint_every: 5, replay_weight: 1.0, shared_english: masked}
"""


_LONG = ("test_training", "test_tagger", "test_transcribe", "test_processes", "test_report", "test_space_browser", "test_concurrency", "test_release")
"""Files that take a minute or more: begun first, so that no process waits for the other at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in _LONG)  # in the order of their names otherwise


def _of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this test run: what one of its processes makes, the other takes."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own


@pytest.fixture(scope="session", autouse=True)
def _own_caches(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Caches of the test run itself, so that nothing is answered from a developer's own."""
    home = _of_all_workers(tmp_path_factory) / "hf"
    os.environ["HF_HOME"] = str(home)
    import datasets.config

    datasets.config.HF_DATASETS_CACHE = home / "datasets"
    datasets.config.HF_MODULES_CACHE = str(home / "modules")


@cache
def _warm() -> Warm | None:
    return Warm() if hasattr(os, "fork") else None


def begun(
    *arguments: str | Path,
    stdin: Path | str = os.devnull,
    stdout: Path | str = os.devnull,
    stderr: Path | str = os.devnull,
    env: dict[str, str] | None = None,
    rank: dict[str, str] | None = None,
    fresh: bool = False,
) -> Command | subprocess.Popen[bytes]:
    """Start `python ARGUMENTS`, reading and writing files.

    A module or a script is a fork of a warm process (`warm.py`), unless it is to be `fresh` or to have another `env`.
    `rank`: variables of one of several processes that train together; they are not read before training begins.
    """
    words, warm = [str(argument) for argument in arguments], _warm()
    if warm and not fresh and warm.serves(words, env or {}):
        return warm.begin(words, stdin, stdout, stderr, rank or {})
    if warm and not fresh and not env and words[0] != "-c":  # seconds more each time, and nobody would know why
        raise AssertionError(f"the environment is another than that of the warm process: {', '.join(warm.different({}))}")
    whole = {**os.environ, **(env or {}), **(rank or {})}
    with open(stdin, "rb") as read, open(stdout, "wb") as written, open(stderr, "wb") as said:
        return subprocess.Popen([sys.executable, *words], stdin=read, stdout=written, stderr=said, cwd=ROOT, env=whole)


def run(
    *arguments: str | Path, stdin: str = "", code: int | None = 0, timeout: int = 600, env: dict[str, str] | None = None, fresh: bool = False
) -> subprocess.CompletedProcess[str]:
    """What `python ARGUMENTS` does, started as `begun` has it; `code` is the exit code that it must have (None: any)."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("in", "out", "err")]
        files[0].write_text(stdin, encoding="utf-8", newline="")
        command = begun(*arguments, stdin=files[0], stdout=files[1], stderr=files[2], env=env, fresh=fresh)
        try:
            returned = command.wait(timeout)
        finally:
            if command.returncode is None:
                command.kill()
        done = subprocess.CompletedProcess(arguments, returned, *(file.read_text(encoding="utf-8") for file in files[1:]))
    if code is not None:
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done


def running_until(command: Command | subprocess.Popen[bytes], reached: Callable[[], object], timeout: float = 300) -> None:
    """Wait until a running command has `reached` something."""
    deadline = time.monotonic() + timeout
    while not reached():
        assert command.poll() is None, "it ended before it got there"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def conlipa(*arguments: str | Path, **more: object) -> subprocess.CompletedProcess[str]:
    """The console script."""
    return run("-m", "conlipa", *arguments, **more)  # type: ignore[arg-type]


def complaint(*arguments: str | Path, code: int, **more: object) -> str:
    """The one line that a failing command says."""
    done = conlipa(*arguments, code=code, **more)
    lines = [line for line in done.stderr.splitlines() if line.startswith("conlipa: error: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0].removeprefix("conlipa: error: ")


@pytest.fixture(scope="session")
def tiny_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe that trains in seconds."""
    path = tmp_path_factory.mktemp("recipe") / "tiny.yaml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`conlipa release` of the tiny recipe on the built-in sample; shared by the workers of a run."""
    shared = _of_all_workers(tmp_path_factory)
    recipe, out = shared / "tiny.yaml", shared / "tiny-release"
    with FileLock(shared / "tiny.lock"):
        if not (out / "space" / "README.md").is_file():
            recipe.write_text(TINY, encoding="utf-8")
            conlipa("release", "--out", str(out), "--profile", str(recipe), fresh=True)
    return out


@pytest.fixture(scope="session")
def wikiann_folder() -> Path:
    """The real WikiANN, where it lies beside the checkout."""
    folder = SHARED / "data" / "wikiann"
    if not folder.is_dir():
        pytest.skip("no WikiANN folder beside this checkout")
    return folder
