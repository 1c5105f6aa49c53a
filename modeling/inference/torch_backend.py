"""The encoder by torch: batches of similar length, in bfloat16 on a GPU."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from conlipa.concurrency import one_torch_thread_after_fork
from conlipa.errors import ConlipaError
from conlipa.modeling.encoder import input_kind_of, load_adapted, max_length, with_short_attention
from conlipa.modeling.inference.origin import check_unchanged, lasting, made_from
from conlipa.modeling.inference.prediction import device_of, logits
from conlipa.modeling.recipe import GRAPHEMES, MARKED_PHONEMES


class TorchBackend:
    """Any token classifier and its tokenizer; `backend.Backend`. Any thread may call it.

    Pickled, one that was loaded is the names and the digest of what it was loaded from; any other its weights.
    """

    def __init__(self, model: Any, tokenizer: Any, temperature: float = 1.0, bf16: bool | None = None, on: str | None = None) -> None:
        """The model given stays as it is.

        Args:
            bf16: None is on a GPU; processors that have it may round by the rows of a batch, and entities would depend on it.
            on: the device, `cpu` or `cuda:1`; None is a GPU where there is one.

        Raises:
            ConlipaError: no such device, or a model that reads letters.
        """
        if input_kind_of(model) == GRAPHEMES:
            raise ConlipaError("the model reads letters, and a tagger gives it phonemes; `conlipa evaluate` scores such models")
        self.on = on
        self.tokenizer, self.temperature = tokenizer, temperature
        self.max_length = max_length(tokenizer)
        self.case_marks = input_kind_of(model) == MARKED_PHONEMES
        self.bf16 = device_of(on).type == "cuda" if bf16 is None else bf16
        self.model = with_short_attention(copy.deepcopy(model).to(torch.bfloat16 if self.bf16 else torch.float32))
        self._loaded_from: tuple[str, str | None, list[str]] | None = None

    @classmethod
    def load(cls, model: str, adapter: str | None = None, bf16: bool | None = None, on: str | None = None) -> TorchBackend:
        """Of a folder or Hub repo, and an adapter's.

        Raises:
            ConlipaError: one of them cannot be loaded.
        """
        one_torch_thread_after_fork()
        device_of(on)  # a wrong one is said before the weights are read
        made = cls(*load_adapted(model, adapter), bf16=bf16, on=on)
        model, adapter = lasting(model), adapter and lasting(adapter)
        made._loaded_from = model, adapter, made_from(model, adapter)
        return made

    def __reduce__(self) -> Any:
        if self._loaded_from is None:
            return super().__reduce__()
        return _reloaded, (*self._loaded_from, self.temperature, self.bf16, self.on)

    def __call__(self, examples: Sequence[dict[str, list[int]]]) -> list[NDArray[np.float32]]:
        return [scores.numpy() for scores in logits(self.model, examples, self.tokenizer.pad_token_id, on=device_of(self.on))]


def _reloaded(model: str, adapter: str | None, weights: list[str], temperature: float, bf16: bool, on: str | None) -> TorchBackend:
    check_unchanged(model, weights, made_from(model, adapter))
    made = TorchBackend.load(model, adapter, bf16, on)
    made.temperature = temperature
    return made
