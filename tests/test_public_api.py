"""The names at the front door: what their docstrings show is what they do; a tagger saved, pushed and loaded again."""

from __future__ import annotations

import doctest
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import conlipa
from conlipa import Tagger
from conlipa.errors import ConlipaError, UsageError
from conlipa.modeling.inference.packaged import packaged
from tests.conftest import run
from tests.hub import loopback_hub
from tests.hub.clients import TOKENS

TEXTS = ["Чыңгыз Айтматов Кыргызстанда төрөлгөн .", "Ош"]
WITHOUT_ADAPTER = packaged("mini-en")[0]


@pytest.mark.parametrize(
    "module",
    ["conlipa", "conlipa.hf_datasets", "conlipa.dataset_scripts.g2p.phonemizer", "conlipa.modeling.inference.tagger"],
)
def test_what_a_docstring_shows_is_what_happens(module: str) -> None:
    failed, tried = doctest.testmod(import_module(module))
    assert tried
    assert not failed


def test_every_public_name_is_there_and_documented() -> None:
    assert set(conlipa.__all__) <= set(dir(conlipa))
    assert all(getattr(conlipa, name).__doc__ for name in conlipa.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Taggr'"):
        conlipa.Taggr  # noqa: B018


def test_predict_is_the_call() -> None:
    tagger = Tagger.from_pretrained(lang="kir")
    one, many = tagger.predict(TEXTS[0]), tagger.predict(TEXTS)
    assert one == tagger(TEXTS[0]) == many[0]
    assert [entity.text for entity in one] == ["Чыңгыз Айтматов", "Кыргызстанда"]
    stream: Iterator[list[conlipa.Entity]] = tagger.predict(iter(TEXTS))
    assert list(stream) == many


def test_a_device_that_is_none_is_refused_in_one_line() -> None:
    with pytest.raises(UsageError, match="device 'gpu': expected cpu, cuda or cuda:NUMBER"):
        Tagger.from_pretrained(WITHOUT_ADAPTER, device="gpu")
    with pytest.raises(ConlipaError, match="device 'cuda:77': this machine has none"):
        Tagger.from_pretrained(WITHOUT_ADAPTER, device="cuda:77")
    with pytest.raises(UsageError, match="onnxruntime computes on the CPU"):
        Tagger.from_pretrained(backend="onnx", device="cuda")
    with pytest.raises(UsageError, match="is for Hub repos"):
        Tagger.from_pretrained(revision="v1")


def test_a_saved_tagger_is_the_same_and_stock_transformers_load_it(tmp_path: Path) -> None:
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    tagger = Tagger.from_pretrained(WITHOUT_ADAPTER, lang="tgk", device="cpu")
    tagger.save_pretrained(tmp_path / "mine")
    again = Tagger.from_pretrained(str(tmp_path / "mine"), lang="tgk")
    assert again(TEXTS) == tagger(TEXTS)
    assert again.backend.temperature == tagger.backend.temperature
    assert json.loads((tmp_path / "mine" / "training.json").read_text(encoding="utf-8"))["languages"] == ["eng"]
    assert AutoModelForTokenClassification.from_pretrained(tmp_path / "mine").dtype.is_floating_point
    assert AutoTokenizer.from_pretrained(tmp_path / "mine")("l ɔ n").input_ids
    with pytest.raises(ConlipaError, match="exists already; name a new folder"):
        tagger.save_pretrained(tmp_path / "mine")
    with pytest.raises(ConlipaError, match="was not made by from_pretrained"):
        Tagger(tagger.backend).save_pretrained(tmp_path / "other")


PUSH_AND_PULL = """
import sys
from conlipa import Tagger
model, cache, text = sys.argv[1:]
tagger = Tagger.from_pretrained(model, lang="tgk")
commit = tagger.push_to_hub("someone/my-tagger").rsplit("/", 1)[1]
again = Tagger.from_pretrained("someone/my-tagger", lang="tgk", revision=commit, cache_dir=cache)
assert again(text) == tagger(text)
from huggingface_hub import HfApi
assert not HfApi().model_info("someone/my-tagger").private
HfApi().upload_file(repo_id="someone/my-tagger", path_in_repo="adapter_config.json", path_or_fileobj=b"{}")
from huggingface_hub import ModelCard
card = ModelCard.load("someone/my-tagger")
assert card.data.license == "apache-2.0" and "someone/my-tagger" in card.text
HfApi().upload_file(repo_id="someone/my-tagger", path_in_repo="README.md", path_or_fileobj=b"Written by hand.")
tagger.push_to_hub("someone/my-tagger", private=True)
assert HfApi().model_info("someone/my-tagger").private
assert not HfApi().file_exists("someone/my-tagger", "adapter_config.json")
assert ModelCard.load("someone/my-tagger").text == "Written by hand."
try:
    tagger.push_to_hub("someone/--no--")
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_tagger_is_pushed_and_loaded_by_its_commit(tmp_path: Path) -> None:
    with loopback_hub(tmp_path / "hub", TOKENS) as hub:
        done = run("-c", PUSH_AND_PULL, WITHOUT_ADAPTER, str(tmp_path / "cache"), TEXTS[0], env=hub.env())
    assert done.stdout.startswith("ConlipaError someone/--no--: could not be pushed")
    assert list((tmp_path / "cache").glob("models--someone--my-tagger/snapshots/*/model.safetensors"))
