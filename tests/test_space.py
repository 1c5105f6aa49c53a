"""The Space as it is uploaded, served on this machine and asked through its API."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import serving


@pytest.fixture(scope="module")
def served(tiny_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Space of the tiny release, in a folder of its own."""
    folder = tmp_path_factory.mktemp("space")
    shutil.copytree(tiny_release / "space", folder, dirs_exist_ok=True)
    with serving(folder, {"CONLIPA_MODEL": str(tiny_release / "tiny-ner"), "CONLIPA_ADAPTER": str(tiny_release / "tiny-ipac")}) as url:
        yield url


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
