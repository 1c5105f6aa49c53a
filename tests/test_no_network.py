"""Nothing leaves: each command where a resolver counts what is looked up, with none of the switches set that the tests set."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

ALONE = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
SWITCHES = ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "GRADIO_ANALYTICS_ENABLED", "ORT_DISABLE_TELEMETRY", "HF_DATASETS_OFFLINE")
WAIT = "time.sleep(6)"  # onnxruntime asks within two seconds
TAG = f"import time, conlipa; conlipa.Tagger.from_pretrained(lang='eng')('Anna lives in Oslo.'); {WAIT}"
LIBRARIES = f"import time, conlipa, datasets, evaluate, gradio, onnxruntime, transformers; {WAIT}"
DEMO = "from conlipa.cli import main; main(['demo', '--port', '7999'])"


def looked_up(seconds: int, code: str) -> list[str]:
    """The names that a program looks up, which is stopped after so many seconds."""
    env = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    command = [*ALONE, sys.executable, "-m", "tests.counting_resolver", str(seconds), sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, timeout=seconds + 120)
    assert done.returncode == 0, done.stderr[-2000:]
    return [line for line in done.stdout.splitlines() if line.startswith("looked up: ")]


@pytest.fixture(scope="module", autouse=True)
def _permitted() -> None:
    if not shutil.which("unshare") or subprocess.run([*ALONE, "true"], capture_output=True).returncode:
        pytest.skip("this system gives no network of its own to a user")


def test_the_resolver_counts() -> None:
    code = "import socket\ntry: socket.getaddrinfo('conlipa.example', 80)\nexcept OSError: pass"
    assert "looked up: conlipa.example" in looked_up(30, code)


@pytest.mark.slow
@pytest.mark.skipif("CONLIPA_NETWORK_TESTS" not in os.environ, reason="takes minutes on a busy machine: CONLIPA_NETWORK_TESTS=1 runs it")
@pytest.mark.parametrize(("seconds", "code"), [(60, TAG), (90, LIBRARIES), (60, DEMO)], ids=["tag", "libraries", "demo"])
def test_nothing_is_looked_up(seconds: int, code: str) -> None:
    assert looked_up(seconds, code) == []


@pytest.mark.slow
@pytest.mark.skipif("CONLIPA_NETWORK_TESTS" not in os.environ, reason="takes minutes on a busy machine: CONLIPA_NETWORK_TESTS=1 runs it")
def test_evaluation_export_and_release_parts_look_nothing_up(tiny_release: Path, tmp_path: Path) -> None:
    model = str(tiny_release / "tiny-ner")
    for command in (
        ["evaluate", "--model", model, "--langs", "eng", "--corpus", "sample"],
        ["export", "--model", model, "--out", str(tmp_path / "m.onnx")],
    ):
        code = f"import time; from conlipa.cli import main; main({command!r}); {WAIT}"
        assert looked_up(120, code) == []
