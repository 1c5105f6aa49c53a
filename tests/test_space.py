"""The Space as it is uploaded, served on this machine and asked through its API."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def served(tiny_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`python app.py` in a copy of the release's Space folder."""
    folder = tmp_path_factory.mktemp("space")
    shutil.copytree(tiny_release / "space", folder, dirs_exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {"CONLIPA_MODEL": str(tiny_release / "tiny-ner"), "CONLIPA_ADAPTER": str(tiny_release / "tiny-ipac"), "GRADIO_SERVER_PORT": str(port)}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([sys.executable, "app.py"], cwd=folder, env={**os.environ, **env}, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 120
            while True:
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


@pytest.mark.slow
def test_the_json_endpoint_gives_spans(served: str) -> None:
    from gradio_client import Client

    client = Client(served, verbose=False)
    text = "ශ්‍රී ලංකාව ඉන්දියාවේ අසල්වැසියෙකි ."
    answer = client.predict(text, "sin", api_name="/tag")
    assert answer["text"] == text
    for entity in answer["entities"]:
        assert text[entity["start"] : entity["end"]] == entity["text"]


@pytest.mark.slow
def test_hostile_input_is_refused_in_words(served: str) -> None:
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    client = Client(served, verbose=False)
    with pytest.raises(AppError, match="5000 at most"):
        client.predict("x" * 20_000, "sin", api_name="/tag")
    with pytest.raises(AppError, match="unknown language 'sim'"):
        client.predict("x", "sim", api_name="/tag")
    assert client.predict("<script>alert(1)</script>\x00", "eng", api_name="/tag")["text"].startswith("<script>")
