"""Phonemes to ids, each distinct phoneme looked up once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

_KEPT = 65_536
"""Distinct phonemes and symbols whose ids are remembered: far more than any language has, and still little memory."""


def remembered(tokenizer: Any) -> Any:
    """A tokenizer of `transformers` or `tokenizers` to be called as one of `transformers`, with the id of each phoneme remembered.

    By itself it goes over the whole text with all its folding rules at each call, which takes longer than to find the
    entities in the encoder's answer. Nothing is remembered where an id may depend on what stands beside its phoneme.
    """
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not isinstance(backend, Tokenizer):
        return tokenizer
    if not (isinstance(backend.model, WordLevel) and isinstance(backend.pre_tokenizer, WhitespaceSplit)):
        return _whole(backend)
    ends = backend.encode("").ids
    if len(ends) != 2:
        return _whole(backend)

    @lru_cache(maxsize=_KEPT)
    def ids_of(phoneme: str) -> list[int]:
        ids: list[int] = backend.encode(phoneme, add_special_tokens=False).ids
        return ids

    def encoded(phonemes: str, max_length: int, **_: Any) -> dict[str, list[int]]:
        inner = [number for phoneme in phonemes.split(" ") for number in ids_of(phoneme)]
        return {"input_ids": [ends[0], *inner[: max_length - 2], ends[1]]}

    return encoded


def _whole(backend: Tokenizer) -> Any:
    """The tokenizer asked each time. That of `transformers` sets its limit anew at each call, which two threads may not do at once."""
    written = backend.to_str()

    @lru_cache(maxsize=4)
    def limited(max_length: int) -> Tokenizer:
        made = Tokenizer.from_str(written)
        made.no_padding()
        made.enable_truncation(max_length)
        return made

    def encoded(phonemes: str, max_length: int, **_: Any) -> dict[str, list[int]]:
        return {"input_ids": limited(max_length).encode(phonemes).ids}

    return encoded
