"""Phonemes trained a second, the share of time in which the model waits for a batch, and peak memory: the training loop with `mini`'s recipe against
the papers' (float32, AdamW, every sentence padded to 128, tokenised as it is fetched) with the same encoder, each in a process of its own."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.nn.functional import pad

from conlipa.modeling.alignment import MAX_LENGTH, encode
from conlipa.modeling.data.batches import LABEL_PAD, token_batch
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.encoder import new_encoder
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.tokenizer import phoneme_tokenizer
from conlipa.modeling.training.loop import train
from conlipa.modeling.training.ner import NerModule, NerStage
from tests.benchmarks.paper import Clock, ForSteps

STEPS = 30
BATCH = 32
Measured = tuple[float, float, float]


def training(wikiann: str) -> Iterator[tuple[str, str, float, float]]:
    """`(name, unit, ours, plain)` of the mini encoder on English."""
    (ours, small, waited), (plain, large, fetching) = (_alone(wikiann, way) for way in (_by_the_loop, _by_the_papers))
    yield "training, mini encoder", "phonemes/s", ours, plain
    yield "its peak memory", "MB", small, large
    yield "waiting for a batch", "‰ of the time", 1000 * waited, 1000 * fetching


def _alone(wikiann: str, way: Any) -> Measured:
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(way, wikiann).result()


def _by_the_loop(wikiann: str) -> Measured:
    """Phonemes a second, the process's largest size in MB, and the share of time spent waiting."""
    recipe = read_recipe("mini")
    stage = ForSteps(NerStage(recipe, Corpus(wikiann), ["eng"]), STEPS)
    clock = Clock(stage, STEPS)
    with TemporaryDirectory() as folder:
        record = train(stage, Path(folder) / "out", Path(folder) / "work", {}, watch=clock)
    return clock.positions()[1] / clock.seconds, _peak(), float(record["waited"])


def _by_the_papers(wikiann: str) -> Measured:
    """The same."""
    torch.manual_seed(0)
    tokenizer = phoneme_tokenizer()
    rows = list(Corpus(wikiann).split("eng", "train").select(range(STEPS * BATCH)))
    module = NerModule(new_encoder(replace(read_recipe("mini").encoder, case_marks=False))).train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-4)
    coming = _padded(rows, tokenizer)
    real, waited, started = 0, 0.0, time.perf_counter()
    while True:
        asked = time.perf_counter()
        batch = next(coming, None)
        waited += time.perf_counter() - asked
        if batch is None:
            break
        terms: Any = module(batch)
        (total, count) = terms[0]
        (total / count).backward()
        optimizer.step()
        optimizer.zero_grad()
        real += int(batch["attention_mask"].sum())
    seconds = time.perf_counter() - started
    return real / seconds, _peak(), waited / seconds


def _padded(rows: list[dict[str, Any]], tokenizer: Any) -> Iterator[dict[str, torch.Tensor]]:
    fills = {"input_ids": tokenizer.pad_token_id, "attention_mask": 0, "labels": LABEL_PAD}
    for start in range(0, len(rows), BATCH):
        fetched = [encode(tokenizer, [w.split(" ") for w in r["ipa_tokens"]], r["ner_tags"], MAX_LENGTH) for r in rows[start : start + BATCH]]
        batch = token_batch(fetched, tokenizer.pad_token_id)
        missing = MAX_LENGTH - batch["input_ids"].shape[1]
        yield {name: pad(tensor, (0, missing), value=fills[name]) for name, tensor in batch.items()}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
