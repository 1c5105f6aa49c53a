"""What stands between the network and the page: a cap on every request, and a policy that lets the page talk to nobody else."""

from __future__ import annotations

import gradio as gr
from gradio import processing_utils
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 1_250_000
"""Of a request: the longest batch of texts, where JSON writes each character as two of `\\uXXXX`, and some room."""
MAX_UPLOAD = 1_010_000
"""Of an upload: a document of `documents.MAX_BYTES`, and its form."""
_TOO_LARGE = "The request is too large: {} bytes at most.\n"
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Gradio's own page needs both
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "frame-ancestors 'self' https://huggingface.co https://*.huggingface.co https://*.hf.space",  # X-Frame-Options cannot name the Hub
    )
)


def fetch_nothing() -> None:
    """Have Gradio refuse a file that a request names by its address: it would fetch it whole, whatever its size, before any handler looks at it."""

    async def refused(url: str, cache_dir: str) -> str:
        raise gr.Error("Files are uploaded, not fetched from an address.", print_exception=False)

    processing_utils.async_ssrf_protected_download = refused


class Guard:
    """ASGI middleware: 413 for what is too large, a Content-Security-Policy and no guessing of types on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        most = MAX_UPLOAD if scope["path"].endswith("/upload") else MAX_BYTES
        if not length.isdigit() or int(length) > most:
            while (await receive()).get("more_body"):  # read to its end and forgotten, or the client would see a broken pipe, not the answer
                pass
            await PlainTextResponse(_TOO_LARGE.format(most), 413)(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:  # a request that did not say how long it is
                raise HTTPException(413, _TOO_LARGE.format(most))
            return message

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _POLICY
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        await self.app(scope, counted, with_policy)
