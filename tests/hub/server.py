"""The server: one thread a connection, one call at a time."""

from __future__ import annotations

import secrets
import socketserver
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from tests.hub import catalogue, collection, download, upload
from tests.hub.account import User, caller
from tests.hub.answer import Answer, Refused, Unknown
from tests.hub.call import Call, play
from tests.hub.fault import Fault
from tests.hub.store import Store

PLAYED = (catalogue, upload, download, collection)  # each enters its calls in the table
TOKENS: Mapping[str, str | User] = {"hf_test": "someone"}


class LoopbackHub:
    """A running Hub. What it stores lies under `folder/store`; each client's caches under `folder/homes`.

    `requests` has each call as (method, path without query), `unknown` one line for each that is not played or went wrong in the server.
    """

    def __init__(self, folder: Path, tokens: Mapping[str, str | User]) -> None:
        self.folder = folder
        self.store = Store(folder / "store")
        self.tokens = {token: user if isinstance(user, User) else User(user) for token, user in tokens.items()}
        self.requests: list[tuple[str, str]] = []
        self.unknown: list[str] = []
        self.closing = threading.Event()
        self._key = secrets.token_bytes()
        self._lock = threading.RLock()
        self._fault: Fault | None = None
        self._met = 0
        self._homes = 0
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def fail(self) -> Fault | None:
        """The fault that is still to come."""
        with self._lock:
            return self._fault

    @fail.setter
    def fail(self, fault: Fault | None) -> None:
        with self._lock:
            self._fault, self._met = fault, 0

    def state(self) -> dict[str, bytes]:
        """Every stored file by its path: equal for two Hubs that were given the same."""
        with self._lock:
            return self.store.state()

    def env(self, token: str | None = "") -> dict[str, str]:
        """What a fresh client needs in its environment, with empty caches of its own; the first token unless another is given, None for none."""
        with self._lock:
            self._homes += 1
            home = self.folder / "homes" / str(self._homes)
        token = next(iter(self.tokens), None) if token == "" else token
        proxies = {name: "" for proxy in ("http_proxy", "https_proxy", "all_proxy") for name in (proxy, proxy.upper())}
        caches = {
            "HF_HUB_CACHE": "hub",
            "HF_XET_CACHE": "xet",
            "HF_ASSETS_CACHE": "assets",
            "HF_DATASETS_CACHE": "datasets",
            "HF_MODULES_CACHE": "modules",
        }
        return {
            **proxies,
            **{name: str(home / part) for name, part in caches.items()},
            "no_proxy": "127.0.0.1",
            "NO_PROXY": "127.0.0.1",
            "HF_ENDPOINT": self.url,
            "HF_TOKEN": token or "",
            "HF_TOKEN_PATH": str(home / "token"),
            "HF_HOME": str(home),
            "HF_HUB_OFFLINE": "0",
            "HF_DATASETS_OFFLINE": "0",
            "TRANSFORMERS_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }

    def enter(self, method: str, path: str) -> Fault | None:
        """Log a call; the fault, if it is this one's turn."""
        with self._lock:
            self.requests.append((method, path))
            self._met += 1
            if self._fault is None or self._met != self._fault.number:
                return None
            fault, self._fault = self._fault, None
            fault.hit = (method, path)
            return fault

    def answer(self, method: str, path: str, query: str, headers: Message, body: bytes) -> Answer:
        """Do what is asked, and nothing of it where it is refused."""
        with self._lock:
            try:
                user = caller(self.tokens, headers.get("Authorization"))
                return play(Call(method, path, parse_qs(query, keep_blank_values=True), headers, body, self.url, self._key, self.store, user))
            except Refused as refused:
                return refused.answer()
            except Unknown as unknown:
                self.unknown.append(f"{method} {path}: {unknown}")
                return Refused(501, f"not played by this Hub: {unknown}").answer()
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                self.unknown.append(f"{method} {path}: {error!r}")
                return Refused(500, f"the loopback Hub itself failed: {error!r}").answer()

    def close(self) -> None:
        """Stop."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, hub: LoopbackHub) -> None:
        self.hub = hub
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """Bind, without asking for the name of the machine."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is none of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        hub = self.server.hub
        path, _, query = self.path.partition("?")
        fault = hub.enter(self.command, path)
        body = self._body()
        if fault is None or fault.kind == "cut-after":
            answer: Answer | None = hub.answer(self.command, path, query, self.headers, body)
        else:
            answer = fault.answer()
            if fault.kind == "timeout":
                hub.closing.wait(fault.seconds)
        if answer is None or (fault is not None and fault.kind == "cut-after"):
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self._exactly(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self._exactly(size))
            self._exactly(2)
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionError("the client went away in the middle of its request")
        return data

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `requests` has it all."""


@contextmanager
def loopback_hub(folder: Path, tokens: Mapping[str, str | User] = TOKENS) -> Iterator[LoopbackHub]:
    """A Hub that runs as long as the block; a folder that was used before is taken up again."""
    hub = LoopbackHub(folder, tokens)
    try:
        yield hub
    finally:
        hub.close()
