"""The encoder by torch: batches of like length, in bfloat16 on processors that multiply it natively."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from conlipa.modeling.encoder import max_length, with_short_attention
from conlipa.modeling.inference.prediction import device, logits


def has_bf16() -> bool:
    """Whether the device multiplies bfloat16 natively, and so about five times as fast as float32."""
    return device().type == "cuda" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


class TorchBackend:
    """Any token classifier and its tokenizer; `backend.Backend`."""

    def __init__(self, model: Any, tokenizer: Any, temperature: float = 1.0, bf16: bool | None = None) -> None:
        """`bf16`: None where the processor has it. The model given stays as it is."""
        self.tokenizer, self.temperature = tokenizer, temperature
        self.max_length = max_length(tokenizer)
        kind = torch.bfloat16 if (has_bf16() if bf16 is None else bf16) else torch.float32
        self.model = with_short_attention(copy.deepcopy(model).to(kind))

    def __call__(self, examples: Sequence[dict[str, list[int]]]) -> list[NDArray[np.float32]]:
        return [scores.numpy() for scores in logits(self.model, examples, self.tokenizer.pad_token_id)]
