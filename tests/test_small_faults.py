"""Files and options that cannot be: one line, before anything is done with them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from conlipa import cli
from conlipa.errors import ConlipaError, UsageError
from conlipa.modeling.inference import onnx_backend
from conlipa.modeling.inference.entity_formats import write_brat
from conlipa.modeling.inference.loading import temperature
from conlipa.modeling.inference.onnx_backend import OnnxBackend
from conlipa.space import document_page, page
from conlipa.space.guard import Guard

WRITTEN = {"made_from": ["x"], "max_length": 128, "temperature": 1.0, "case_marks": False, "tokenizer": "{}"}


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        (None, "no conlipa in its metadata"),
        ("[", "no conlipa in its metadata"),
        ("[]", "made_from of its metadata is None"),
        (json.dumps({**WRITTEN, "temperature": 0}), "temperature of its metadata is 0"),
        (json.dumps({**WRITTEN, "temperature": float("nan")}), "temperature of its metadata is nan"),
        (json.dumps({**WRITTEN, "temperature": 10**400}), "temperature of its metadata is 1000"),
        (json.dumps({**WRITTEN, "max_length": 0}), "max_length of its metadata is 0"),
        (json.dumps({**WRITTEN, "max_length": True}), "max_length of its metadata is True"),
        (json.dumps({**WRITTEN, "made_from": "x"}), "made_from of its metadata is x"),
        (json.dumps(WRITTEN), "its tokenizer is damaged"),
    ],
)
def test_metadata_of_an_onnx_file_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metadata: str | None, reason: str) -> None:
    held = {} if metadata is None else {"conlipa": metadata}
    session = SimpleNamespace(get_modelmeta=lambda: SimpleNamespace(custom_metadata_map=held))
    monkeypatch.setattr(onnx_backend, "_session", lambda path: session)
    with pytest.raises(ConlipaError) as caught:
        OnnxBackend(tmp_path / "model.onnx")
    assert reason in str(caught.value)
    assert len(str(caught.value)) <= 400


@pytest.mark.parametrize("number", ["0", "-1", "NaN", "1e999", "1" + "0" * 400, "1" * 5000, "true", '"warm"', "[" * 5000])
def test_a_calibration_that_cannot_be_is_one_line(tmp_path: Path, number: str) -> None:
    (tmp_path / "calibration.json").write_text(f'{{"temperature": {number}}}', encoding="utf-8")
    with pytest.raises(ConlipaError, match=r"calibration\.json: (temperature is|expected JSON)"):
        temperature(str(tmp_path), None)


@pytest.mark.parametrize("port", ["99999999", "0", "-1", "x", "65536"])
def test_a_port_that_cannot_be_is_bad_usage(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["demo", f"--port={port}"])
    assert ended.value.code == 2
    assert "is no port (1 to 65535)" in capsys.readouterr().err


def test_brat_does_not_write_over_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="is the working folder"):
        write_brat(Path("."), [("a", [])])


def test_the_page_has_its_headers_and_the_hub_may_embed_it() -> None:
    async def page(request: Any) -> HTMLResponse:
        return HTMLResponse("page")

    headers = TestClient(Starlette(routes=[Route("/", page)], middleware=[Middleware(Guard)])).get("/").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self' https://huggingface.co" in headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in headers  # it knows one place only, and would shut the Hub out


def test_nothing_is_fetched_from_an_address_that_a_request_names() -> None:
    page.build()
    box = gr.Textbox()
    with pytest.raises(gr.Error, match="not fetched from an address"):
        asyncio.run(box.async_move_resource_to_block_cache("https://example.org/huge.bin"))


@pytest.mark.parametrize(
    ("lists", "bootstrap", "reason"),
    [
        (("[[0]]", "[[0]]", "[[10000000000]]"), 0, "word_ids: numbers up to 100,000 at most"),
        (("[[1e400]]", "[[0]]", "[[0]]"), 0, "predictions is not a JSON list"),
        (("[" * 100_000, "[[0]]", "[[0]]"), 0, "predictions is not a JSON list"),
        (("[[0]]", " " * 1_000_001, "[[0]]"), 0, "references: 1,000,000 characters at most"),
    ],
)
def test_what_would_take_the_metrics_page_down(lists: tuple[str, str, str], bootstrap: Any, reason: str) -> None:
    from conlipa.modeling.phoneme_ner_f1 import app

    with pytest.raises(gr.Error, match=reason):
        app.score(*lists, bootstrap)
    assert app.score(*app.EXAMPLE, None)["entity_f1"] >= 0  # an emptied field


def test_a_text_too_long_to_correct_is_refused_before_the_work() -> None:
    given = [{"token": "a" * 20_001, "class_or_confidence": None}]
    for call in (lambda: document_page.mark(given, "a", "PER"), lambda: document_page.corrected(given, [])):
        with pytest.raises(gr.Error, match="too long"):
            call()
