"""A Space folder served by `python app.py`, as the Hub would run it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(folder: Path, env: dict[str, str]) -> Iterator[str]:
    """The address of the page; it is up when the block begins and gone when it ends. `folder` gets its log and process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "app.py"], cwd=folder, env={**os.environ, **env, "GRADIO_SERVER_PORT": str(port)}, stdout=log, stderr=log
        )
        (folder / "pid").write_text(str(server.pid))
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
