"""Phonemes trained a second: bucketed bf16 batches against the papers' recipe (float32, every sentence padded to 128, tokenised as it is fetched)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import torch

from modeling.alignment import encode
from modeling.batches import LABEL_PAD, epoch_batches, token_batch
from modeling.corpus import Corpus, encoded
from modeling.encoder import new_encoder
from modeling.ner import NerModule
from modeling.recipe import read_recipe
from modeling.tokenizer import MAX_LENGTH, phoneme_tokenizer

STEPS = 40
BATCH = 32


def training(wikiann: str) -> Iterator[tuple[str, str, float, float]]:
    """`(name, unit, ours, plain)` of the mini encoder on English."""
    tokenizer = phoneme_tokenizer()
    rows = list(Corpus(wikiann).split("eng", "train").select(range(STEPS * BATCH)))
    examples = encoded(rows, tokenizer, MAX_LENGTH)

    def bucketed() -> Iterator[dict[str, torch.Tensor]]:
        for indices in epoch_batches([len(e["input_ids"]) for e in examples], BATCH, 0, 0):
            yield token_batch([examples[i] for i in indices], tokenizer.pad_token_id)

    def padded() -> Iterator[dict[str, torch.Tensor]]:
        for start in range(0, len(rows), BATCH):
            fetched = [encode(tokenizer, [w.split(" ") for w in r["ipa_tokens"]], r["ner_tags"], MAX_LENGTH) for r in rows[start : start + BATCH]]
            batch = token_batch(fetched, tokenizer.pad_token_id)
            missing = MAX_LENGTH - batch["input_ids"].shape[1]
            fills = {"input_ids": tokenizer.pad_token_id, "attention_mask": 0, "labels": LABEL_PAD}
            yield {name: torch.nn.functional.pad(tensor, (0, missing), value=fills[name]) for name, tensor in batch.items()}

    yield "training, mini encoder", "phonemes/s", _rate(bucketed(), bf16=True), _rate(padded(), bf16=False)


def _rate(batches: Iterator[dict[str, torch.Tensor]], bf16: bool) -> float:
    torch.manual_seed(0)
    module = NerModule(new_encoder(read_recipe("mini").encoder)).train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-4)
    real, started = 0, time.perf_counter()
    for batch in batches:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            terms: Any = module(batch)
        (total, count) = terms[0]
        (total / count).backward()
        optimizer.step()
        optimizer.zero_grad()
        real += int(batch["attention_mask"].sum())
    return real / (time.perf_counter() - started)
