"""Words as vectors of an encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import normalize

from conlipa.modeling.data.batches import token_batch
from conlipa.modeling.encoder import max_length
from conlipa.modeling.inference.prediction import device, moved
from conlipa.modeling.training.ipac import pool

_BATCH = 512


@torch.inference_mode()
def embedded(model: Any, tokenizer: Any, words: Sequence[str]) -> torch.Tensor:
    """(words, hidden): mean-pooled last hidden states as unit vectors in float32, in the order given (section 6.2 of the second paper).

    Args:
        model: a tagger, its adapter merged or in place; the projection of stage 2 takes no part.
    """
    model = moved(model, device()).eval()
    ids = tokenizer(list(words), truncation=True, max_length=max_length(tokenizer))["input_ids"]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))  # words of similar length share a batch
    vectors = torch.empty(len(ids), model.config.hidden_size)
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        batch = {name: part.to(device()) for name, part in token_batch([{"input_ids": ids[i]} for i in rows], tokenizer.pad_token_id).items()}
        hidden = model.base_model(**batch).last_hidden_state
        vectors[rows] = normalize(pool(hidden.float(), batch["attention_mask"], "mean"), dim=-1).cpu()
    return vectors
