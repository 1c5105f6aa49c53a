"""A tagger's labels for encoded sentences, in batches of similar length."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch.nn.functional import pad
from tqdm.auto import tqdm

from conlipa.concurrency import one_torch_thread_after_fork
from conlipa.errors import ConlipaError, UsageError
from conlipa.modeling.data.batches import token_batch
from conlipa.modeling.inference.name_prior import Found, raised

POSITIONS_A_BATCH = 2048
"""Phoneme positions in one batch, few enough for the cache: long sentences come in small batches, short ones in large."""
_STEP = 8
"""Sentences are padded to a multiple of this, and only equals share a batch: so not even a rounding error depends on the batch."""


def device() -> torch.device:
    """The accelerator where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bf16(on: torch.device | None = None) -> bool:
    """Whether the device (None: the accelerator where there is one) multiplies bfloat16 natively, and so about five times as fast as float32."""
    if (on or device()).type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def device_of(name: str | None) -> torch.device:
    """`cpu`, `cuda`, `cuda:1` as torch has it; None is `device()`.

    Raises:
        UsageError: no name of a device.
        ConlipaError: this machine has no such device.
    """
    if name is None:
        return device()
    try:
        found = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"device '{name}': expected cpu, cuda or cuda:NUMBER") from error
    try:
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConlipaError(f"device '{name}': this machine has none ({str(error).splitlines()[0]})") from error
    return found


def moved(model: Any, on: torch.device) -> Any:
    """The model on a device; what is moved in inference mode could not be trained afterwards."""
    with torch.inference_mode(False):
        return model.to(on)


@torch.inference_mode()
def logits(
    model: Any,
    examples: Sequence[dict[str, list[int]]],
    pad_id: int,
    progress: str | None = None,
    bf16: bool = False,
    on: torch.device | None = None,
) -> list[torch.Tensor]:
    """(positions, labels) scores of each example in float32, in the order given; they do not depend on the batch, unless in bfloat16.

    Args:
        bf16: multiply in bfloat16, several times as fast where the processor has it.
        on: None is `device()`.
    """
    on = on or device()
    one_torch_thread_after_fork()
    model = moved(model, on).eval()
    found: list[torch.Tensor] = [torch.empty(0)] * len(examples)
    lengths = [len(example["input_ids"]) for example in examples]
    shown = progress is not None and sys.stderr.isatty()
    with tqdm(total=len(examples), desc=progress, unit="sentence", file=sys.stderr, leave=False) if shown else nullcontext() as bar:
        for indices in _batches(lengths):
            batch = token_batch([{"input_ids": examples[i]["input_ids"]} for i in indices], pad_id)
            missing = _width(lengths[indices[0]]) - batch["input_ids"].shape[1]
            batch = {name: pad(tensor, (0, missing), value=pad_id if name == "input_ids" else 0) for name, tensor in batch.items()}
            with torch.autocast(on.type, torch.bfloat16, enabled=bf16):
                scores = model(**{name: tensor.to(on) for name, tensor in batch.items()}).logits.float().cpu()
            for row, i in enumerate(indices):
                found[i] = scores[row, : lengths[i]].clone()
            if bar is not None:
                bar.update(len(indices))
    return found


def _width(length: int) -> int:
    return -(-length // _STEP) * _STEP


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    batches: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        width = _width(lengths[i])
        if batches and _width(lengths[batches[-1][0]]) == width and width * (len(batches[-1]) + 1) <= POSITIONS_A_BATCH:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches


def predictions(
    model: Any,
    examples: Sequence[dict[str, list[int]]],
    pad_id: int,
    progress: str | None = None,
    bf16: bool = False,
    found: Sequence[Found] | None = None,
) -> list[list[int]]:
    """The best label of each position; `found`: the names that are known in each example, which get theirs sooner."""
    scores = logits(model, examples, pad_id, progress, bf16)
    if found is None:
        return [each.argmax(-1).tolist() for each in scores]
    return [raised(each.numpy(), example, names).argmax(-1).tolist() for each, example, names in zip(scores, examples, found, strict=True)]
