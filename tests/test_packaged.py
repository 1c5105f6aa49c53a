"""The models that travel with the package: small, and what their cards say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from peft import AutoPeftModelForTokenClassification
from safetensors.numpy import load_file

from conlipa.hub_cards.cards import running_corpora
from conlipa.modeling.data.fingerprint import of_folder
from conlipa.modeling.encoder import load_adapted
from conlipa.modeling.inference.packaged import PACKAGED, packaged
from conlipa.modeling.inference.tagger import Tagger
from tests.conftest import conlipa


def folders(model: str) -> list[Path]:
    return [Path(str(folder)) for folder in packaged(model)]


def test_they_are_small() -> None:
    everything = [path for model in PACKAGED for path in folders(model)[0].parent.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in everything) < 60_000_000
    for model in PACKAGED:
        for folder in folders(model):
            (weights,) = folder.glob("*.safetensors")
            assert sum(tensor.size for tensor in load_file(weights).values()) < 10_000_000
    assert not [path for path in everything if path.suffix in (".bin", ".pt", ".pkl", ".pickle")]


@pytest.mark.parametrize("model", PACKAGED)
def test_a_card_was_measured_on_the_weights_beside_it(model: str) -> None:
    for folder in folders(model):
        assert f"`{of_folder(str(folder))}`" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("model", PACKAGED)
def test_a_card_gives_the_scores_that_are_measured_now(model: str, wikiann_folder: Path, tmp_path: Path) -> None:
    ner, ipac = folders(model)
    out = tmp_path / "scores.json"
    for adapter, folder in (([], ner), (["--adapter", str(ipac)], ipac)):
        conlipa("evaluate", "--model", str(ner), *adapter, "--wikiann", str(wikiann_folder), "--langs", "tgk,tuk", "--json", str(out))
        measured = json.loads(out.read_text(encoding="utf-8"))["languages"]
        said = {(result.dataset_config, result.metric_name): result.metric_value for result in ModelCard.load(folder / "README.md").data.eval_results}
        for iso, code in (("tgk", "tg"), ("tuk", "tk")):
            for score, words in (("paper_f1", "macro F1"), ("entity_f1", "strict entity F1")):
                (value,) = [value for (lang, name), value in said.items() if lang == code and name.startswith(words)]
                assert measured[iso][score] == pytest.approx(value, abs=0.006), (folder.name, iso, score)


@pytest.mark.parametrize("model", PACKAGED)
def test_a_card_says_what_the_model_was_trained_on(model: str) -> None:
    ner, _ = folders(model)
    text = (ner / "README.md").read_text(encoding="utf-8")
    languages = json.loads((ner / "training.json").read_text(encoding="utf-8"))["languages"]
    assert "English" in text
    assert ("zero-shot for the others only" in text) == (len(languages) > 1)
    assert ("- Kinyarwanda (Swahili, Zulu, " in text) == ("swa" in languages)  # its kin, though no sentence of it was evaluated here


def test_a_card_credits_the_corpora_that_it_knows_and_no_other() -> None:
    known, own = running_corpora(["afr", "afr_7"])
    assert (known["name"], known["licence"]) == ("NCHLT Afrikaans", "CC BY 2.5 South Africa")
    assert own == {"set": "afr_7", "name": "", "repository": "", "licence": ""}


def test_a_plain_sentence_without_a_full_stop_gives_its_names() -> None:
    found = Tagger.from_pretrained("mini")("Marie Curie was born in Warsaw and worked in Paris", lang="eng")
    assert [(entity.text, entity.label) for entity in found] == [("Marie Curie", "PER"), ("Warsaw", "LOC"), ("Paris", "LOC")]


@pytest.mark.parametrize("model", PACKAGED)
def test_stock_peft_loads_an_adapter_by_itself(model: str, tmp_path: Path) -> None:
    ner, ipac = folders(model)
    shutil.copytree(ner, tmp_path / "ner")
    local = Path(shutil.copytree(ipac, tmp_path / "ipac"))
    raw = json.loads((local / "adapter_config.json").read_text(encoding="utf-8"))
    (local / "adapter_config.json").write_text(json.dumps({**raw, "base_model_name_or_path": str(tmp_path / "ner")}), encoding="utf-8")
    stock = AutoPeftModelForTokenClassification.from_pretrained(local).eval()
    ours, tokenizer = load_adapted(str(ner), str(ipac))
    batch = tokenizer("l ʌ n d ə n ▁ ɪ z", return_tensors="pt")
    with torch.inference_mode():
        assert torch.allclose(stock(**batch).logits, ours(**batch).logits, atol=1e-4)
