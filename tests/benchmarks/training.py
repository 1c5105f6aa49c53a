"""Phonemes trained a second, and peak memory: bucketed bf16 batches against the papers' recipe (float32, every sentence padded to 128, tokenised as
it is fetched), each in a process of its own."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import torch
from torch.nn.functional import pad

from conlipa.modeling.alignment import encode
from conlipa.modeling.data.batches import LABEL_PAD, epoch_batches, token_batch
from conlipa.modeling.data.corpus import Corpus, encoded
from conlipa.modeling.encoder import new_encoder
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.tokenizer import MAX_LENGTH, phoneme_tokenizer
from conlipa.modeling.training.ner import NerModule

STEPS = 40
BATCH = 32
Batches = Iterator[dict[str, torch.Tensor]]


def training(wikiann: str) -> Iterator[tuple[str, str, float, float]]:
    """`(name, unit, ours, plain)` of the mini encoder on English."""
    (ours, small), (plain, large) = (_alone(wikiann, way) for way in ("ours", "papers"))
    yield "training, mini encoder", "phonemes/s", ours, plain
    yield "its peak memory", "MB", small, large


def _alone(wikiann: str, way: str) -> tuple[float, float]:
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(_measured, wikiann, way).result()


def _measured(wikiann: str, way: str) -> tuple[float, float]:
    """Phonemes a second, and the process's largest size in MB."""
    tokenizer = phoneme_tokenizer()
    rows = list(Corpus(wikiann).split("eng", "train").select(range(STEPS * BATCH)))
    rate = _rate(_bucketed(rows, tokenizer), bf16=True) if way == "ours" else _rate(_padded(rows, tokenizer), bf16=False)
    return rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _bucketed(rows: list[dict[str, Any]], tokenizer: Any) -> Batches:
    examples = encoded(rows, tokenizer, MAX_LENGTH)
    for indices in epoch_batches([len(e["input_ids"]) for e in examples], BATCH, 0, 0):
        yield token_batch([examples[i] for i in indices], tokenizer.pad_token_id)


def _padded(rows: list[dict[str, Any]], tokenizer: Any) -> Batches:
    fills = {"input_ids": tokenizer.pad_token_id, "attention_mask": 0, "labels": LABEL_PAD}
    for start in range(0, len(rows), BATCH):
        fetched = [encode(tokenizer, [w.split(" ") for w in r["ipa_tokens"]], r["ner_tags"], MAX_LENGTH) for r in rows[start : start + BATCH]]
        batch = token_batch(fetched, tokenizer.pad_token_id)
        missing = MAX_LENGTH - batch["input_ids"].shape[1]
        yield {name: pad(tensor, (0, missing), value=fills[name]) for name, tensor in batch.items()}


def _rate(batches: Batches, bf16: bool) -> float:
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
