"""Files and options that cannot be: one line, before anything is done with them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import pytest
import torch
from huggingface_hub import CommitOperationDelete
from huggingface_hub.errors import HfHubHTTPError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from conlipa import Tagger, cli
from conlipa.concurrency import has_gpu
from conlipa.errors import ConlipaError, UsageError, exit_on_error
from conlipa.hub_cards import adapted, plan, publish, retries
from conlipa.hub_cards.plan import Repo
from conlipa.modeling.inference import onnx_backend
from conlipa.modeling.inference.entities import Entity
from conlipa.modeling.inference.entity_formats import write_brat
from conlipa.modeling.inference.lines import tagged_lines
from conlipa.modeling.inference.loading import load_backend, temperature
from conlipa.modeling.inference.onnx_backend import OnnxBackend
from conlipa.modeling.inference.packaged import packaged
from conlipa.modeling.inference.reasons import LISTED
from conlipa.modeling.inference.torch_backend import TorchBackend
from conlipa.modeling.training import run_metadata
from conlipa.space import document_page, page
from conlipa.space.guard import Guard
from tests.conftest import ROOT

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


def test_beside_a_damaged_onnx_file_the_weights_are_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, adapter = packaged("mini")
    own = Path(shutil.copytree(str(adapter), tmp_path / "ipac"))
    (own / "model.onnx").write_bytes(b"no model")
    assert isinstance(load_backend(model, str(own)), TorchBackend)
    assert "model.onnx: no model that `conlipa export` wrote" in capsys.readouterr().err
    with pytest.raises(ConlipaError, match="no model that"):
        load_backend(model, str(own), "onnx")


def _answer(status: int) -> HfHubHTTPError:
    return HfHubHTTPError(str(status), response=httpx.Response(status, request=httpx.Request("POST", "https://hub")))


def test_a_commit_that_landed_without_an_answer_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0)
    there, deleted = ["old.txt"], list[list[str]]()

    def commit(name: str, operations: list[Any], **_: Any) -> Any:
        deleted.append([each.path_in_repo for each in operations if isinstance(each, CommitOperationDelete)])
        if there.clear() or len(deleted) == 1:
            raise _answer(502)
        return SimpleNamespace(oid="done")

    api = SimpleNamespace(create_repo=lambda *_, **__: None, list_repo_files=lambda *_, **__: list(there), create_commit=commit)
    assert publish._commit(api, Repo("model", "someone/x", {"new.txt": b"new"}), ["old.txt"], private=False) == "done"
    assert deleted == [["old.txt"], []]


def test_a_tag_that_is_deleted_already_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[str]()

    def delete_tag(*_: Any, **__: Any) -> None:
        raise _answer(404)

    refs = SimpleNamespace(tags=[SimpleNamespace(name=f"v{version('conlipa')}", target_commit="old")])
    api = SimpleNamespace(list_repo_refs=lambda *_, **__: refs, delete_tag=delete_tag, create_tag=lambda *_, revision, **__: made.append(revision))
    publish._tag(api, Repo("model", "someone/x", {}), "new")
    assert made == ["new"]


def test_names_and_metadata_that_the_hub_does_not_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise ValueError("Invalid metadata in README.md.\n- license is wrong")

    with pytest.raises(retries.RefusedError, match=r"someone/x: refused \(Invalid metadata in README.md. - license is wrong\)"):
        retries.with_retries("someone/x", refused)
    monkeypatch.setattr(plan, "read_tree", lambda folder: SimpleNamespace(root=folder, repos=lambda: {"my--run-ner": "model"}))
    with pytest.raises(ConlipaError, match=r"my--run-ner: no name that the Hub allows .*; give the recipe another name"):
        plan.plan(tmp_path, "someone")


@pytest.mark.parametrize(
    ("options", "adapter"),
    [([], "theirs"), (["--model", "mine"], None), (["--model", "mine", "--adapter", "own"], None), (["--adapter", "own"], "theirs")],
)
def test_a_demo_of_another_model_takes_no_adapter_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, options: list[str], adapter: str | None
) -> None:
    launched = list[tuple[Any, ...]]()
    monkeypatch.setenv("CONLIPA_ADAPTER", "theirs")
    monkeypatch.setattr("conlipa.space.app.launch", lambda *given: launched.append((*given, os.environ.get("CONLIPA_ADAPTER"))))
    cli.main(["demo", *options])
    named = dict(zip(options[::2], options[1::2], strict=True))
    assert launched == [(named.get("--model"), named.get("--adapter"), 7860, adapter)]


def test_a_table_of_scores_is_shown_before_it_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold = str(ROOT / "dataset_scripts" / "sample" / "tgk" / "dev.tsv")
    with pytest.raises(SystemExit):
        cli.main(["evaluate", "--predictions", gold, "--langs", "tgk", "--json", str(tmp_path)])
    shown = capsys.readouterr()
    assert "100.00 (100.00 to 100.00)" in shown.out
    assert "could not be written" in shown.err


def test_the_commit_is_the_kit_s_own_and_not_of_the_repository_around_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".venv" / "run_metadata.py"
    file.parent.mkdir()
    file.touch()
    (tmp_path / ".gitignore").write_text(".venv\n", encoding="utf-8")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(tmp_path)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"], ["tag", "-a", "-m", "x", "secret-v1"]):
        subprocess.run([*git, *words], check=True)
    monkeypatch.setattr(run_metadata, "__file__", str(file))
    assert run_metadata.revision() == ""
    subprocess.run([*git, "add", "-f", str(file)], check=True)
    assert run_metadata.revision() == "secret-v1+"


def test_a_line_that_the_engine_does_not_read_does_not_end_the_job() -> None:
    tagger = Tagger.from_pretrained("mini", engine="epitran")
    first, blank, second = tagged_lines(tagger, ["ශ්‍රී ලංකාව", " ", "Αθήνα"])
    assert not blank.error
    assert (first.error, second.error[:40]) == ("", "Greek (ell) has no engine 'epitran' (it ")
    for engine, reason in (("epitrann", "unknown engine 'epitrann'"), ("epitran:xyz-Nope", "xyz-Nope")):  # so of all lines
        with pytest.raises(ConlipaError, match=reason):
            list(tagged_lines(Tagger(tagger.backend, engine=engine), ["Αθήνα", "Αθήνα"]))


def test_a_letter_table_reads_a_language_by_any_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "letters.csv").write_text("Orth,Phon\nа,a\n", encoding="utf-8")
    alone = Tagger.from_pretrained("mini", engine=f"map:{tmp_path / 'letters.csv'}")
    text, name = "Тоҷикистон", Entity(0, 10, "Тоҷикистон", "LOC", 0.0)
    by_code, by_name = (alone.explain(text, name, lang) for lang in ("tgk", "Tajik"))
    assert LISTED in by_code.without
    assert by_name == by_code


@pytest.mark.parametrize(("columns", "shown"), [("-2,-1", "--columns=-2,-1"), ("2,-1", "--columns 2,-1")])
def test_the_card_of_an_adapter_has_options_as_they_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: str, shown: str) -> None:
    given: list[str] = []
    monkeypatch.setattr(adapted, "adapted_repo", lambda *arguments: given.append(arguments[-1]))
    file = tmp_path / "mine.conll"
    file.write_text("".join(f"x\tAnna{number}\tB-PER\n\n" for number in range(8)), encoding="utf-8")
    cli.main(["adapt", "--corpus", str(file), "--lang", "eng", f"--columns={columns}", "--map", "X=O", "--out", str(tmp_path / "out")])
    assert given == [f"{shown} --map X=O"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["export", "--out", "tagger"], "--out tagger: expected the name of a file that ends in .onnx"),
        (["evaluate", "--predictions", "x.tsv", "--model", "mini-en"], "--predictions scores a file and no model; leave out --model"),
    ],
)
def test_options_that_would_be_ignored_or_lead_nowhere_are_refused(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("card", "licence"), [("---\nlicense: cc-by-nc-4.0\n---\n", "cc-by-nc-4.0"), ("---\na: [\n---\n", "apache-2.0"), ("", "apache-2.0")]
)
def test_an_adapter_is_under_the_licence_of_its_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, card: str, licence: str) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "README.md").write_text(card, encoding="utf-8")
    scores = {"before": 1.0, "after": 2.0, "low": -1.0, "high": 3.0, "share": 0.5}
    record = {**scores, "language": "eng", "sentences": 9, "folds": 3, "environment": {}}
    monkeypatch.setattr(adapted, "adapt", lambda *_, **__: record)
    adapted.adapted_repo([], "eng", tmp_path / "out", str(tmp_path / "base"), None, "auto")
    written = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert f"license: {licence}\n" in written
    assert "--model base " in written
    assert str(tmp_path) not in written


def test_a_script_that_is_interrupted_says_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, exit_on_error():
        raise KeyboardInterrupt
    assert ended.value.code == 130
    assert capsys.readouterr().err == "conlipa: error: interrupted\n"


def test_a_gpu_is_left_alone_where_accelerate_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: os.environ.get("CUDA_VISIBLE_DEVICES") != "")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "false")
    assert has_gpu()
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")  # as `accelerate launch --cpu` has it
    assert not has_gpu()
