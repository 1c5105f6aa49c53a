"""Models, tokenizers and adapters from anybody: nothing of theirs runs, no random number answers, each fault is one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import AutoPeftModelForTokenClassification
from safetensors.torch import load_file, save_file

from conlipa.errors import ConlipaError
from conlipa.modeling.encoder import load_adapted
from conlipa.modeling.pretrained import load_encoder
from tests.conftest import ROOT, complaint

Damage = Callable[[Path], Any]


def config(**changes: Any) -> Damage:
    def damage(folder: Path) -> None:
        raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps({**raw, **changes}), encoding="utf-8")

    return damage


def adapter_config(**changes: Any) -> Damage:
    def damage(folder: Path) -> None:
        raw = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        (folder / "adapter_config.json").write_text(json.dumps({**raw, **changes}), encoding="utf-8")

    return damage


def text(name: str, content: str | bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def weights(change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Damage:
    return lambda folder: save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors")


def adapter_weights(change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Damage:
    return lambda folder: save_file(change(load_file(folder / "adapter_model.safetensors")), folder / "adapter_model.safetensors")


def tokenizer_config(**changes: Any) -> Damage:
    def damage(folder: Path) -> None:
        raw = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        (folder / "tokenizer_config.json").write_text(json.dumps({**raw, **changes}), encoding="utf-8")

    return damage


@pytest.fixture
def folder(tiny_release: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_release / "tiny-ner", tmp_path / "model"))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (config(model_type="evil", auto_map={"AutoConfig": "evil.Config"}), "has auto_map, code of its own"),
        (tokenizer_config(auto_map={"AutoTokenizer": ["evil.T", None]}), "has auto_map, code of its own"),
        (config(custom_pipelines={"x": {"impl": "evil.P"}}), "has custom_pipelines"),
        (config(model_type="gpt2"), "model_type is 'gpt2'"),
        (config(model_type="bert"), "weights are missing"),
        (config(model_type=5), "model_type is '5'"),
        (config(num_hidden_layers=9), "weights are missing: roberta.encoder.layer"),
        (config(num_hidden_layers=1), "weights are unexpected"),
        (config(num_hidden_layers=1_000_000), "num_hidden_layers is 1000000, expected a whole number from 1 to 200"),
        (config(hidden_size=64), "of another shape"),
        (config(hidden_size="wide"), "hidden_size is wide"),
        (config(hidden_size=65_536, intermediate_size=262_144, num_hidden_layers=200), "parameters, expected at most"),
        (config(num_attention_heads=7), "is not a multiple of num_attention_heads"),
        (config(vocab_size=0), "vocab_size is 0"),
        (config(quantization_config={"load_in_4bit": True}), "quantization_config"),
        (config(dtype="float3"), "dtype is 'float3'"),
        (config(attn_implementation="someone/kernel"), "attn_implementation is 'someone/kernel', expected eager or sdpa"),
        (config(_attn_implementation="flash_attention_2"), "expected eager or sdpa"),
        (text("adapter_config.json", '{"peft_type": "LORA", "base_model_name_or_path": "someone/other"}'), "keep the adapter in a folder of its own"),
        (config(id2label={"0": "X"}), "its labels are not"),
        (text("config.json", "["), "not JSON"),
        (text("config.json", "[]"), "expected a JSON object"),
        (text("config.json", "[" * 100_000), "not JSON"),
        (text("config.json", b"\xff\xfe"), "not JSON"),
        (weights(lambda all_: {}), "weights are missing"),
        (weights(lambda all_: {f"x.{name}": tensor for name, tensor in all_.items()}), "weights are missing"),
        (weights(lambda all_: {**all_, "more": torch.zeros(2)}), "weights are unexpected: more"),
        (weights(lambda all_: {**all_, "classifier.bias": torch.zeros(3)}), "of another shape: classifier.bias"),
        (text("model.safetensors", b"\x00" * 64), "cannot be loaded"),
        (text("model.safetensors", b""), "cannot be loaded"),
        (text("tokenizer.json", "{}"), "its tokenizer"),
        (text("tokenizer.json", "5"), "its tokenizer"),
        (tokenizer_config(model_max_length=-1), "model_max_length of its tokenizer is -1"),
        (tokenizer_config(model_max_length=0), "model_max_length of its tokenizer is 0"),
        (tokenizer_config(model_max_length="long"), "tokenizer"),
        (text("tokenizer_config.json", "[1]"), "tokenizer"),
    ],
)
def test_a_damaged_or_hostile_model_is_one_line(folder: Path, damage: Damage, reason: str) -> None:
    damage(folder)
    with pytest.raises(ConlipaError) as caught:
        load_adapted(str(folder), None)
    assert reason in str(caught.value), str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("command", [("tag", "--lang", "eng"), ("evaluate", "--langs", "eng"), ("export",)])
def test_no_code_of_a_model_folder_runs_whatever_is_answered(folder: Path, command: tuple[str, ...]) -> None:
    mark = folder / "ran"
    (folder / "evil.py").write_text(
        f"import pathlib\npathlib.Path({str(mark)!r}).write_text('x')\nfrom transformers import PretrainedConfig as Config\n", encoding="utf-8"
    )
    config(model_type="evil", auto_map={"AutoConfig": "evil.Config", "AutoModelForTokenClassification": "evil.Model"})(folder)
    out = ("--out", str(folder / "model.onnx")) if command[0] == "export" else ()
    line = complaint(*command, "--model", str(folder), *out, code=1, stdin="y\ny\nAnna lives in Oslo.\n")
    assert "has auto_map, code of its own, which this kit does not run" in line
    assert not mark.exists()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (text("adapter_config.json", "{}"), "expected a LoRA adapter"),
        (adapter_config(target_modules="(a+)+" * 500), "expected names or a simple pattern"),
        (adapter_config(target_modules="(.*.*)*!"), "expected names or a simple pattern"),
        (adapter_config(target_modules=["nothing"]), "does not fit"),
        (adapter_config(r=1_000_000_000), "r is 1000000000, expected a whole number from 1 to 4096"),
        (adapter_config(r=3), "r is 3, and the weights have"),
        (adapter_config(lora_alpha="x"), "lora_alpha is x, expected a number"),
        (adapter_config(megatron_config={"x": 1}, megatron_core="evil"), "megatron_config is {'x': 1}, a setting that this kit does not use"),
        (adapter_config(layer_replication=[[0, 100_000]]), "layer_replication"),
        (adapter_config(init_lora_weights="pissa"), "init_lora_weights is pissa"),
        (adapter_config(rank_pattern={".*": 100_000_000}), "rank_pattern"),
        (lambda folder: save_file({}, folder / "adapter_model.safetensors"), "has no LoRA weights"),
        (lambda folder: save_file({"x": torch.zeros(1)}, folder / "adapter_model.safetensors"), "has no LoRA weights"),
        (adapter_weights(lambda all_: {**all_, "more": torch.zeros(2)}), "weights are unexpected: more"),
        (adapter_weights(lambda all_: {name: tensor for name, tensor in all_.items() if "layer.0.attention" not in name}), "weights are missing"),
        (text("adapter_model.safetensors", b"no"), "cannot be loaded"),
    ],
)
def test_a_damaged_adapter_is_one_line(tiny_release: Path, tmp_path: Path, damage: Damage, reason: str) -> None:
    adapter = Path(shutil.copytree(tiny_release / "tiny-ipac", tmp_path / "adapter"))
    damage(adapter)
    with pytest.raises(ConlipaError) as caught:
        load_adapted(str(tiny_release / "tiny-ner"), str(adapter))
    assert reason in str(caught.value), str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_loading_passes_the_one_loader() -> None:
    allowed = {"src/conlipa/foreign.py"}
    for room in ("src/conlipa", "dataset_scripts", "modeling", "hub_cards", "space"):
        for path in (ROOT / room).rglob("*.py"):
            if path.is_symlink() or any(parent.is_symlink() for parent in path.parents):
                continue
            name = path.relative_to(ROOT).as_posix()
            calls = [
                line for line in path.read_text(encoding="utf-8").splitlines() if ".from_pretrained(" in line and "Tagger.from_pretrained" not in line
            ]
            assert not calls or name in allowed, (name, calls)


def test_stock_peft_loads_an_adapter_by_itself(tiny_release: Path, tmp_path: Path) -> None:
    model, adapter = str(tiny_release / "tiny-ner"), str(tiny_release / "tiny-ipac")
    local = Path(shutil.copytree(adapter, tmp_path / "adapter"))
    raw = json.loads((local / "adapter_config.json").read_text(encoding="utf-8"))
    (local / "adapter_config.json").write_text(json.dumps({**raw, "base_model_name_or_path": model}), encoding="utf-8")
    stock = AutoPeftModelForTokenClassification.from_pretrained(local).eval()
    ours, tokenizer = load_adapted(model, adapter)
    batch = tokenizer("^ l ʌ n d ə n ▁ ɪ z", return_tensors="pt")
    with torch.inference_mode():
        assert torch.allclose(stock(**batch).logits, ours(**batch).logits, atol=1e-4)


def test_a_start_model_is_never_unpickled(tiny_release: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_release / "tiny-ner", tmp_path / "model"))
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConlipaError, match=r"model\.safetensors is missing"):
        load_encoder(str(folder))
