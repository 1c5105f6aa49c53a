"""The tagger against `transformers.pipeline` over the same phonemes, and against an encoder of XPhoneBERT's shape.

python -m tests.benchmarks.tagging [--model DIR --adapter DIR]

The weights of XPhoneBERT's shape are random (`modeling/recipes/paper.yaml`). Rates are medians of rounds in which each has
its turn, so that a moment in which the machine is slow strikes none alone. The share is that of the rate at which this
machine multiplies two large matrices, measured here, in float32 or, for bf16, in bfloat16.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import torch
from transformers import pipeline

from conlipa.dataset_scripts.g2p.capitals import CASE_MARK, capitals
from conlipa.dataset_scripts.g2p.phonemizer import ipa_string
from conlipa.dataset_scripts.g2p.words import Word
from conlipa.dataset_scripts.wikiann.wikiann import source
from conlipa.modeling.alignment import word_labels
from conlipa.modeling.data.corpus import Corpus, encoded
from conlipa.modeling.encoder import input_kind_of, load_adapted, new_encoder
from conlipa.modeling.evaluation.metrics import entity_f1
from conlipa.modeling.inference.backend import Backend
from conlipa.modeling.inference.export import export
from conlipa.modeling.inference.onnx_backend import OnnxBackend
from conlipa.modeling.inference.packaged import MINI, packaged
from conlipa.modeling.inference.prediction import has_bf16
from conlipa.modeling.inference.tagger import Tagger
from conlipa.modeling.inference.torch_backend import TorchBackend
from conlipa.modeling.inference.windows import Spoken, Window
from conlipa.modeling.recipe import MARKED_PHONEMES
from conlipa.modeling.recipe_file import read_recipe
from conlipa.quiet import quiet
from tests.benchmarks.rate import multiplication_rate, seconds

PLAIN = 300
"""Sentences that the pipeline gets: enough for a rate."""
ROUNDS = 7
LATENCIES = 200
LARGE = 40
"""The same for XPhoneBERT's shape."""
LANGUAGE = "tgk"
PIPELINE = "`transformers.pipeline`, its defaults"


def _spoken(row: dict[str, Any]) -> list[Spoken]:
    """The words of a sentence with their phonemes and capitals."""
    pairs = zip(row["ipa_tokens"], capitals(row["tokens"]), strict=True)
    return [Spoken(Word("x", i, i + 1), ipa.split(" "), capital) for i, (ipa, capital) in enumerate(pairs)]


def _tagged(backend: Backend, sentences: Sequence[list[Spoken]]) -> None:
    """Phonemes to entities as the tagger does it, from its windows on."""
    tagger = Tagger(backend)
    ready = [(text, Window(text, range(len(text)))) for text in sentences]
    tagger._windows = lambda *_: ((made, window) for text, w in ready for made, window in _ended(text, w))  # type: ignore[method-assign]
    for _ in tagger._tag([], None, 2048):
        pass


def _ended(text: Sequence[Spoken], window: Window) -> Iterator[tuple[Any, Window | None]]:
    from conlipa.modeling.inference.entities import LabelledText

    made = LabelledText("x" * len(text))
    yield made, window
    yield made, None


def _latency(tagger: Any, texts: Sequence[str]) -> tuple[float, float]:
    """p50 and p99 in milliseconds, raw text to spans, one text a call."""
    for text in texts:
        tagger(text)  # every word has been transcribed once
    cuts = quantiles([seconds(lambda text=text: tagger(text)) * 1000 for text in texts], n=100)
    return cuts[49], cuts[98]


def main(model: str = MINI, adapter: str | None = None) -> None:
    quiet()
    with TemporaryDirectory() as folder:
        _report(*packaged(model, adapter), Path(folder))


def _report(where: str, adapter: str | None, folder: Path) -> None:
    loaded, tokenizer = load_adapted(where, adapter)
    corpus = Corpus("sample")
    rows = [row for lang in corpus.languages("validation") for row in corpus.split(lang, "validation")]
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)).tolist()
    rows = [rows[i] for i in order]
    spoken = [_spoken(row) for row in rows]
    examples = encoded(rows, tokenizer, 128, input_kind_of(loaded))
    for int8 in (False, True):
        export(where, adapter, folder / f"{int8}.onnx", int8)
    backends: dict[str, Backend] = {"torch float32": TorchBackend(loaded, tokenizer, bf16=False)}
    if has_bf16():
        backends["torch bf16"] = TorchBackend(loaded, tokenizer, bf16=True)
    backends |= {"ONNX float32": OnnxBackend(folder / "False.onnx"), "ONNX int8": OnnxBackend(folder / "True.onnx")}

    flops = 2 * sum(p.numel() for name, p in loaded.named_parameters() if p.dim() == 2 and "embeddings" not in name)  # a position
    positions = sum(len(example["input_ids"]) for example in examples) / len(examples)
    rates = {"bf16": multiplication_rate(bf16=True), "": multiplication_rate(bf16=False)}
    print(
        f"{len(rows)} sentences of {positions:.0f} phonemes on average, {torch.get_num_threads()} threads; a product of matrices runs at "
        f"{rates[''] / 1e9:.0f} GFLOPS in float32, {rates['bf16'] / 1e9:.0f} in bfloat16\n"
    )
    print("| phonemes to entities | sentences/s (slowest to fastest round) | times the pipeline | share of the product's rate | entity_f1 |")
    print("|---|---:|---:|---:|---:|")
    marked = input_kind_of(loaded) == MARKED_PHONEMES
    strings = [ipa_string([[*[CASE_MARK] * (marked and word.capital), *word.phonemes] for word in words]) for words in spoken[:PLAIN]]
    plain = pipeline("token-classification", model=loaded, tokenizer=tokenizer)
    runs: dict[str, tuple[int, Callable[[], Any]]] = {PIPELINE: (PLAIN, lambda: plain(strings))}
    runs |= {name: (len(spoken), lambda backend=backend: _tagged(backend, spoken)) for name, backend in backends.items()}  # type: ignore[misc]
    for _, run in runs.values():
        run()  # what is set up with the first call, or for each length of a sentence, is
    rounds = [{name: number / seconds(run) for name, (number, run) in runs.items()} for _ in range(ROUNDS)]
    middle = {name: median(measured[name] for measured in rounds) for name in runs}
    gold = [row["ner_tags"] for row in rows]
    for name, rate in middle.items():
        share = rate * positions * flops / rates["bf16" if "bf16" in name else ""]
        spread = f"{rate:.0f} ({min(measured[name] for measured in rounds):.0f} to {max(measured[name] for measured in rounds):.0f})"
        score = ""
        if backend := backends.get(name):
            found = [word_labels(s.argmax(-1), e["word_ids"], len(g)) for s, e, g in zip(backend(examples), examples, gold, strict=True)]
            score = f"{entity_f1(gold, found):.2f}"
        print(f"| {name} | {spread} | {rate / middle[PIPELINE]:.1f} | {share:.2f} | {score} |", flush=True)

    print("\n| one raw text to spans | p50 ms | p99 ms |\n|---|---:|---:|")
    texts = [" ".join(sentence.tokens) for sentence in source("sample").sentences(LANGUAGE, "validation")]
    texts = (texts * (LATENCIES // len(texts) + 1))[:LATENCIES]
    fastest = {name: _latency(Tagger(backend, LANGUAGE), texts) for name, backend in backends.items()}
    large = new_encoder(read_recipe("paper").encoder)
    for name, bf16 in (("float32", False), ("bf16", True)):
        if not bf16 or has_bf16():
            fastest[f"XPhoneBERT's shape, torch {name}"] = _latency(Tagger(TorchBackend(large, tokenizer, bf16=bf16), LANGUAGE), texts[:LARGE])
    for name, (usual, worst) in fastest.items():
        print(f"| {name} | {usual:.2f} | {worst:.2f} |")
    ours = min(usual for name, (usual, _) in fastest.items() if "shape" not in name)
    theirs = min(usual for name, (usual, _) in fastest.items() if "shape" in name)
    print(f"\nAt p50 the packaged shape is {theirs / ours:.0f} times as fast as the faster of XPhoneBERT's.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=MINI)
    parser.add_argument("--adapter")
    main(**vars(parser.parse_args()))
