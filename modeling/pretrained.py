"""The one place where models, tokenizers and adapters are loaded (by `foreign.py`): looked at before anything of them runs or takes memory.

A folder or repo may come from anybody. Nothing of it is run as code (`auto_map` and custom pipelines are refused, `trust_remote_code` is off),
its configuration is held against limits and against the shapes of its weights, and every way in which it can be damaged is one line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer, PreTrainedTokenizerFast

from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.errors import ConlipaError, nearest
from conlipa.foreign import from_folder, one_line, refuse_code
from conlipa.hub import is_repo, snapshot
from conlipa.modeling.adapter_settings import ADAPTER_CONFIG, check_ranks, check_settings
from conlipa.modeling.alignment import MAX_LENGTH
from conlipa.modeling.data.fingerprint import of_folder
from conlipa.modeling.records import RECORD, read_json

ARCHITECTURES = ("roberta", "xlm-roberta", "bert", "canine")
"""What the kit trains, and the papers' baselines."""
_LIMITS = {
    "num_hidden_layers": 200,
    "hidden_size": 65_536,
    "num_attention_heads": 1_024,
    "intermediate_size": 262_144,
    "vocab_size": 4_000_000,
    "max_position_embeddings": 1_000_000,
    "num_labels": 10_000,
}
_MOST_PARAMETERS = 2_000_000_000
_DIGEST = re.compile("[0-9a-f]{16}")
_OPTIONAL = ("pooler.", "position_ids", "lm_head.", "cls.", "classifier.")
"""Weights that a pretrained encoder has and a tagger lacks, or the other way round."""
_WEIGHTS, _TOKENIZER = "model.safetensors", "tokenizer.json"
_SPECIAL = {
    "bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>",
    "mask_token": "<mask>",
}  # fmt: skip
"""RoBERTa's."""
_OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}


def folder_of(where: str, what: str, needed: tuple[str, ...], revision: str | None = None) -> Path:
    """The folder of a model or adapter: its own, or the snapshot of a repo at a revision.

    Raises:
        ConlipaError: no such folder or repo, or a file of `needed` is missing.
    """
    path = Path(where)
    if not path.is_dir():
        if not is_repo(where):
            raise ConlipaError(f"{where}: no such {what} folder")
        path = snapshot(where, revision)
    for name in needed:
        if not (path / name).is_file():
            pickled = what == "encoder" and path != Path(where) and name == _WEIGHTS
            hint = "; a pickle is not loaded: where a pull request of the repo has them converted, set encoder.revision to it, as refs/pr/1"
            raise ConlipaError(f"{where}: no {what} folder ({name} is missing{hint if pickled else ''})")
    return path


def load_config(folder: Path) -> Any:
    """The configuration of a model folder, looked at.

    Raises:
        ConlipaError: it would run code of its own, is of another architecture, or beyond the limits.
    """
    path = folder / "config.json"
    raw = read_json(path)
    refuse_code(folder)
    kind = raw.get("model_type")
    if kind not in ARCHITECTURES:
        known = f"{nearest(str(kind), ARCHITECTURES)} (known: {', '.join(ARCHITECTURES)})"
        raise ConlipaError(f"{path}: model_type is {str(kind)[:60]!r}{known}")
    for key, most in _LIMITS.items():
        value = raw.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most):
            raise ConlipaError(f"{path}: {key} is {str(value)[:60]}, expected a whole number from 1 to {most:,}")
    for key in ("attn_implementation", "_attn_implementation", "_attn_implementation_internal", "experts_implementation", "_experts_implementation"):
        if raw.get(key) not in (None, "eager", "sdpa"):  # another one may be a kernel of the Hub: compiled code
            raise ConlipaError(f"{path}: {key} is {str(raw[key])[:60]!r}, expected eager or sdpa")
    if (folder / ADAPTER_CONFIG).exists():  # transformers would follow it to another base model
        raise ConlipaError(f"{folder}: a model folder with an {ADAPTER_CONFIG}; keep the adapter in a folder of its own")
    for key in ("quantization_config", "torch_dtype", "dtype"):
        if raw.get(key) not in (None, "float32", "float16", "bfloat16"):
            raise ConlipaError(f"{path}: {key} is {str(raw[key])[:60]!r}, which this kit does not load")
    config = from_folder(AutoConfig, folder, str(path))
    layers, width, inner = (int(getattr(config, key, 0) or 0) for key in ("num_hidden_layers", "hidden_size", "intermediate_size"))
    parameters = layers * width * (4 * width + 2 * inner) + int(getattr(config, "vocab_size", 0) or 0) * width
    if parameters > _MOST_PARAMETERS:
        raise ConlipaError(f"{path}: {parameters:,} parameters, expected at most {_MOST_PARAMETERS:,}")
    if width % int(config.num_attention_heads):
        raise ConlipaError(f"{path}: hidden_size {width} is not a multiple of num_attention_heads {config.num_attention_heads}")
    return config


def load_model(where: str, **more: Any) -> Any:
    """A token classifier with weights of its own, in float32, ready to predict.

    Raises:
        ConlipaError: it cannot be loaded, is of another label set, or its weights are not those of its configuration.
    """
    folder = folder_of(where, "model", ("config.json", "model.safetensors", "tokenizer_config.json"))
    config = load_config(folder)
    labels = [config.id2label.get(number) for number in range(config.num_labels)] if isinstance(config.id2label, Mapping) else []
    if labels != LABELS:
        raise ConlipaError(f"{where}: its labels are not {', '.join(LABELS)}")
    check_weights(folder / "model.safetensors", _expected(where, lambda: AutoModelForTokenClassification.from_config(config)))
    return from_folder(AutoModelForTokenClassification, folder, where, config=config, use_safetensors=True, dtype=torch.float32, **more).eval()


def encoder_folder(where: str, revision: str | None = None) -> Path:
    """That of a pretrained encoder, fetched where it is not there yet.

    Raises:
        ConlipaError: it cannot be had, or has no weights as safetensors.
    """
    return folder_of(where, "encoder", ("config.json", _WEIGHTS), revision)


def load_encoder(where: str, revision: str | None = None) -> Any:
    """A pretrained encoder with a new tagging head, or one that has it, to start training from.

    Raises:
        ConlipaError: it cannot be loaded, or its weights are not those of its configuration.
    """
    folder = encoder_folder(where, revision)
    config = load_config(folder)
    config.num_labels = len(LABELS)
    config.id2label, config.label2id = dict(enumerate(LABELS)), {label: number for number, label in enumerate(LABELS)}
    expected = _expected(where, lambda: AutoModelForTokenClassification.from_config(config))
    prefix = f"{config.model_type.replace('-', '_').removeprefix('xlm_')}."  # a bare encoder lacks it
    check_weights(folder / "model.safetensors", expected, prefix)
    return from_folder(AutoModelForTokenClassification, folder, where, config=config, use_safetensors=True, dtype=torch.float32)


def load_tokenizer(where: str, revision: str | None = None) -> Any:
    """The tokenizer of a folder or repo.

    Raises:
        ConlipaError: it cannot be loaded.
    """
    folder = folder_of(where, "model", (), revision)
    refuse_code(folder)
    alone = (folder / _TOKENIZER).is_file() and not (folder / "tokenizer_config.json").is_file()
    tokenizer = _as_it_stands(folder, where) if alone else from_folder(AutoTokenizer, folder, f"{where}: its tokenizer")
    with one_line(f"{where}: its tokenizer"):
        length = tokenizer.model_max_length
        if isinstance(length, bool) or not isinstance(length, int | float) or not 4 <= length < math.inf:
            raise ConlipaError(f"{where}: model_max_length of its tokenizer is {str(length)[:60]}, expected a number of 4 or more")
        if tokenizer.pad_token_id is None or not tokenizer("a")["input_ids"]:
            raise ConlipaError(f"{where}: its tokenizer has no padding token, or gives nothing")
    return tokenizer


def _as_it_stands(folder: Path, where: str) -> Any:
    """A tokenizer of which there is `tokenizer.json` alone (XPhoneBERT's): by the architecture's name transformers 5 would make another of it,
    which drops all that is not ASCII."""
    with one_line(f"{where}: its tokenizer"):
        backend = Tokenizer.from_file(str(folder / _TOKENIZER))
    special = {name: token for name, token in _SPECIAL.items() if backend.token_to_id(token) is not None}
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=MAX_LENGTH, **special)


def load_adapter(model: Any, where: str, adapter: str) -> Any:
    """A model with a LoRA adapter on top.

    Raises:
        ConlipaError: it is no LoRA adapter, not one of this model, or one that `adapt` fitted to other weights.
    """
    from peft import PeftModel

    folder = folder_of(adapter, "adapter", (ADAPTER_CONFIG, "adapter_model.safetensors"))
    raw = read_json(folder / ADAPTER_CONFIG)
    refuse_code(folder)
    _check_base(folder, where)
    shapes = header(folder / "adapter_model.safetensors")
    check_settings(folder / ADAPTER_CONFIG, raw)
    check_ranks(folder, raw["r"], shapes)
    adapted = from_folder(PeftModel, folder, f"{adapter}: does not fit {where}", model).eval()
    own = {name.replace(".default.", ".").replace(".modules_to_save", ""): tuple(tensor.shape) for name, tensor in adapted.state_dict().items()}
    with_head = bool(raw.get("modules_to_save"))
    expected = {
        name: shape for name, shape in own.items() if ".lora_" in name or (with_head and ".classifier." in name and ".original_module." not in name)
    }
    _compare(folder / "adapter_model.safetensors", shapes, expected)
    return adapted


def _check_base(folder: Path, where: str) -> None:
    """Raises ConlipaError where `adapt` fitted the adapter to other weights: a newer base of the same shape would take it without a word."""
    record = read_json(folder / RECORD) if (folder / RECORD).is_file() else {}
    fitted_to = str(record.get("model", ""))
    if record.get("stage") != "adapt" or not _DIGEST.fullmatch(fitted_to):  # the name of a Hub repo says nothing of its weights
        return
    if of_folder(str(folder_of(where, "model", ()))) != fitted_to:
        raise ConlipaError(f"{folder}: was fitted to other weights than those of {where}; run `conlipa adapt` again")


def header(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of a safetensors file; its weights are not read.

    Raises:
        ConlipaError: it is no such file.
    """
    with one_line(str(path)), safe_open(path, framework="pt") as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 (no mapping)


def check_weights(path: Path, expected: Mapping[str, tuple[int, ...]], prefix: str | None = None) -> None:
    """Whether a file has the weights that a configuration expects: none is missing, to be filled with random numbers, none is left over.

    Args:
        prefix: that of the encoder, where the file may be a bare encoder's without a head.

    Raises:
        ConlipaError: names up to three that are missing, unexpected or of another shape.
    """
    found = header(path)
    if prefix is not None:
        found = {_present_name(name, found): shape for name, shape in found.items()}
        if not any(name.startswith(prefix) for name in found):
            found = {f"{prefix}{name}": shape for name, shape in found.items()}
    _compare(path, found, expected, optional=_OPTIONAL if prefix is not None else ("position_ids",))


def _present_name(name: str, found: Mapping[str, Any]) -> str:
    """Google's first BERTs have TensorFlow's names, which transformers changes as it loads them. One beside its successor is a weight left over."""
    for old, new in _OLD_NAMES.items():
        if name.endswith(old) and (renamed := name.removesuffix(old) + new) not in found:
            return renamed
    return name


def _compare(path: Path, found: Mapping[str, Any], expected: Mapping[str, Any], optional: tuple[str, ...] = ()) -> None:
    def named(names: Iterator[str]) -> list[str]:
        return [name for name in names if not any(part in name for part in optional)]

    faults = {
        "missing": named(name for name in expected if name not in found),
        "unexpected": named(name for name in found if name not in expected),
        "of another shape": named(name for name in found if name in expected and found[name] != expected[name]),
    }
    for fault, names in faults.items():
        if names:
            raise ConlipaError(f"{path}: {len(names)} weights are {fault}: {', '.join(name[:80] for name in names[:3])}")


def _expected(where: str, build: Callable[[], Any]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a model's weights, without memory for them."""
    with one_line(where), torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in build().state_dict().items()}
