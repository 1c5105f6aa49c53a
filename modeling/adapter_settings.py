"""What a LoRA adapter's `adapter_config.json` may say: known settings in their ranges, and nothing of peft's many others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from conlipa.errors import ConlipaError

ADAPTER_CONFIG = "adapter_config.json"
_MOST_TARGETS = 1000
_MOST_RANK = 4096
_MOST_REPEATS = 4
_REPEAT = re.compile(r"(?<!\\)[*+{]")
_REPEATED_GROUP = re.compile(r"(?<!\\)\)[*+{]")


def _targets(value: Any) -> bool:
    """Names of modules, or a pattern that ends soon on every name: no repeated group, few repeats."""
    if isinstance(value, str):
        return len(value) <= _MOST_TARGETS and not _REPEATED_GROUP.search(value) and len(_REPEAT.findall(value)) <= _MOST_REPEATS
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and sum(map(len, value)) <= _MOST_TARGETS


def _number(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


_NEEDED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "peft_type": (lambda value: value == "LORA", "expected a LoRA adapter"),
    "r": (lambda value: isinstance(value, int) and _number(1, _MOST_RANK)(value), f"expected a whole number from 1 to {_MOST_RANK}"),
    "target_modules": (_targets, f"expected names or a simple pattern, at most {_MOST_TARGETS} characters and {_MOST_REPEATS} repeats"),
}
_KNOWN: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "lora_alpha": (_number(0.001, 1e6), "expected a number from 0.001 to 1,000,000"),
    "lora_dropout": (_number(0, 1), "expected a number from 0 to 1"),
    "bias": (lambda value: value == "none", "expected none"),
    "init_lora_weights": (lambda value: isinstance(value, bool), "expected true or false"),
    "use_rslora": (lambda value: isinstance(value, bool), "expected true or false"),
    "inference_mode": (lambda value: isinstance(value, bool), "expected true or false"),
    "fan_in_fan_out": (lambda value: isinstance(value, bool), "expected true or false"),
    "task_type": (lambda value: value in (None, "TOKEN_CLS"), "expected TOKEN_CLS"),
    "modules_to_save": (
        lambda value: value is None or (isinstance(value, list) and all(each in ("classifier", "score") for each in value)),
        "expected classifier",
    ),
}
_UNUSED = {"auto_mapping", "base_model_name_or_path", "megatron_core", "peft_version", "qalora_group_size", "revision"}
"""Not read where the base model is given, or by none of the settings that are allowed."""


def check_settings(path: Path, raw: Mapping[str, Any]) -> None:
    """Refuse what would take memory or time without bound, load something else, or change what the weights mean.

    Raises:
        ConlipaError: names the setting and what is allowed.
    """
    for key, (allowed, expected) in {**_NEEDED, **_KNOWN}.items():
        if (key in _NEEDED or key in raw) and not allowed(raw.get(key)):
            raise ConlipaError(f"{path}: {key} is {str(raw.get(key))[:60]}, {expected}")
    for key, value in raw.items():
        if key not in {*_NEEDED, *_KNOWN, *_UNUSED} and value:
            raise ConlipaError(f"{path}: {key[:60]} is {str(value)[:60]}, a setting that this kit does not use")


def check_ranks(folder: Path, rank: int, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Whether the weights are those of an adapter of this rank.

    Raises:
        ConlipaError: no LoRA weights, or of another rank.
    """
    ranks = {shape[0] for name, shape in shapes.items() if ".lora_A." in name and shape}
    if not ranks:
        raise ConlipaError(f"{folder}: has no LoRA weights")
    if ranks != {rank}:
        raise ConlipaError(f"{folder / ADAPTER_CONFIG}: r is {rank}, and the weights have {', '.join(map(str, sorted(ranks)))}")
