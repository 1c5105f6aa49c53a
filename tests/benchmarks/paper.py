"""The papers' model, from random weights of its exact shape, through both stages as the recipe `paper` has them, for a few steps.

    python -m tests.benchmarks.paper [--steps 20] [--bf16] [--corpus DIR]

On a GPU where there is one. The share is that of the rate at which the device multiplies two large matrices, measured here in the same precision;
the work of a position is taken as 6 floating-point operations a weight (4 in stage 2, where most weights are frozen), attention not counted.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from conlipa.dataset_scripts.wikiann.places import corpus_option
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.loanwords import Loanwords
from conlipa.modeling.inference.prediction import device
from conlipa.modeling.recipe import Recipe
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.train import train_stage
from conlipa.modeling.training.parameters import parameter_counts
from conlipa.modeling.training.run_metadata import RECORD
from conlipa.quiet import quiet
from tests.benchmarks.tagging import multiplication_rate

WORK = {"ner": 6, "ipac": 4}
"""Floating-point operations a weight and position: forward 2, gradient of what goes in 2, gradient of the weight 2."""


def shortened(steps: int, bf16: bool) -> Recipe:
    """The papers' recipe with random weights, as many sentences and pairs as the steps need, and one epoch."""
    paper = read_recipe("paper")
    precision: Literal["no", "bf16"] = "bf16" if bf16 else "no"
    ner = replace(paper.ner, epochs=1, sentences_per_language=steps * paper.ner.batch_size, precision=precision)
    pairs = len(Loanwords(paper.ipac).rows) // paper.ipac.batch_size
    ipac = replace(paper.ipac, epochs=max(1, math.ceil(steps / pairs)), precision=precision)
    return replace(paper, encoder=replace(paper.encoder, repo=None), ner=ner, ipac=ipac)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    corpus_option(parser)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--bf16", action="store_true", help="multiply in bfloat16 (the papers: float32)")
    arguments = parser.parse_args()
    quiet()
    recipe, corpus = shortened(arguments.steps, arguments.bf16), Corpus(arguments.corpus)
    counts = parameter_counts(recipe)
    rate = multiplication_rate(arguments.bf16)
    print(f"{counts['total']:,} parameters with adapter and projection; on {device()} a product of matrices runs at {rate / 1e9:,.0f} GFLOPS\n")
    print("| stage | steps | first loss | last loss | phonemes/s | share of the product's rate |\n|---|---:|---:|---:|---:|---:|")
    with TemporaryDirectory() as folder:
        ner = Path(folder) / "ner"
        for stage, out in (("ner", ner), ("ipac", Path(folder) / "ipac")):
            train_stage(stage, recipe, corpus, out, str(ner))
            record = json.loads((out / RECORD).read_text(encoding="utf-8"))
            share = record["tokens_per_second"] * counts["encoder_and_head"] * WORK[stage] / rate
            losses = [row["loss"] for row in record["loss"]]
            print(f"| {stage} | {record['steps']} | {losses[0]:.3f} | {losses[-1]:.3f} | {record['tokens_per_second']:,} | {share:.2f} |", flush=True)


if __name__ == "__main__":
    main()
