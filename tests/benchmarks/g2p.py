"""Tokens transcribed a second, each distinct word once, against the engines called token by token."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dataset_scripts.engines import engine
from dataset_scripts.g2p import Phonemizer
from dataset_scripts.ipa import segment
from dataset_scripts.languages import language
from dataset_scripts.wikiann import source

PLAIN_TOKENS = 3000
"""Tokens that the plain way transcribes: enough for a rate."""


def transcription(wikiann: str) -> Iterator[tuple[str, str, float, float]]:
    """`(name, unit, ours, plain)` over every language of the source."""
    corpus = source(wikiann)
    ours = plain = tokens = plain_tokens = 0.0
    for lang in corpus.languages("validation"):
        words = [token for sentence in corpus.sentences(lang, "validation") for token in sentence.tokens]
        name = language(lang).engines[0]
        engine(name).transcribe(words[:1])  # both ways find the engine loaded
        started = time.perf_counter()
        Phonemizer(lang)(words)
        ours += time.perf_counter() - started
        tokens += len(words)
        segment.cache_clear()
        started = time.perf_counter()
        for word in words[:PLAIN_TOKENS]:
            segment(engine(name).transcribe([word])[0])
            segment.cache_clear()
        plain += time.perf_counter() - started
        plain_tokens += len(words[:PLAIN_TOKENS])
    yield "transcription", "tokens/s", tokens / ours, plain_tokens / plain
