"""How much of a device training uses: the papers' model from random weights of its exact shape through both stages, and `mini`, for a few steps.

    python -m tests.benchmarks.paper [--corpus DIR | --packed DIR] [--row NAME] [--steps N] [--positions N]

On a GPU where there is one. The share is that of the rate at which the device multiplies two large matrices, measured here in the same precision;
the work of a position is taken as 6 floating-point operations a weight (4 in stage 2, where most weights are frozen), attention not counted.
Positions are those of the batches, with padding; `filled` is the part of them that is none.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from conlipa.dataset_scripts.wikiann.places import corpus_option
from conlipa.modeling.data.packed_corpus import PackedCorpus
from conlipa.modeling.data.sentences import source_languages
from conlipa.modeling.encoder import new_encoder, save_tagger, tokenizer_of
from conlipa.modeling.inference.prediction import has_bf16
from conlipa.modeling.recipe import Recipe
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.training.loop import train
from conlipa.modeling.training.ner import NerStage
from conlipa.quiet import quiet
from tests.benchmarks.rate import multiplication_rate

WORK = {"ner": 6, "ipac": 4}
"""Floating-point operations a weight and position: forward 2, gradient of what goes in 2, gradient of the weight 2."""
_WARM = 40
"""Percent of the steps that are not counted: kernels are chosen and graphs made in them."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    stage: str
    profile: str
    settings: tuple[str, ...] = ()


GPU = "ner.precision=bf16"
ROWS = {
    "paper": Row("ner", "paper"),
    "paper-bf16": Row("ner", "paper", (GPU,)),
    "paper-positions": Row("ner", "paper", (GPU, "ner.batch_positions={positions}", "ner.cuda_graphs=true")),
    "paper-compiled": Row("ner", "paper", (GPU, "ner.batch_positions={positions}", "ner.compile=true")),
    "paper-ipac": Row("ipac", "paper", ("ipac.precision=bf16",)),
    "paper-ipac-compiled": Row("ipac", "paper", ("ipac.precision=bf16", "ipac.compile=true", "ipac.batch_size=1024")),
    "mini-eager": Row("ner", "mini", ("ner.accumulate=1",)),
    "mini": Row("ner", "mini", ("ner.accumulate=1", "ner.cuda_graphs=true")),
    "mini-compiled": Row("ner", "mini", ("ner.accumulate=1", "ner.compile=true")),
}


class Clock:
    """Counts and times the steps after the first ones, each batch as the stage collates it."""

    def __init__(self, stage: Any, steps: int) -> None:
        self.stage, self.first, self.last = stage, steps * _WARM // 100, steps
        self.seconds = 0.0

    def __call__(self, step: int) -> None:
        """Called when a step is through."""
        if step in (self.first, self.last):
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            self.seconds = time.perf_counter() - self.seconds

    def positions(self) -> tuple[int, int]:
        """Of the timed steps: with padding, and without."""
        batches = [self.stage.collate(rows) for rows in self._rows()[self.first :]]
        masks = [tensor for batch in batches for name, tensor in batch.items() if name.endswith("attention_mask")]
        return sum(mask.numel() for mask in masks), sum(int(mask.sum()) for mask in masks)

    def _rows(self) -> list[Any]:
        found: list[Any] = []
        epoch = 0
        while len(found) < self.last:
            found += self.stage.batches(epoch)
            epoch += 1
        return found[: self.last]


class ForSteps:
    """A stage of one epoch of a few batches; without what is not asked for, such as saving."""

    def __init__(self, stage: Any, steps: int) -> None:
        self.stage, self.name, self.module, self.collate = stage, stage.name, stage.module, stage.collate
        self.settings = replace(stage.settings, epochs=1, minutes=None)
        self.rows = Clock(stage, steps)._rows()

    def batches(self, epoch: int) -> list[Any]:
        return self.rows

    def save(self, folder: Path) -> None:
        """Nothing: random weights."""


def stage_of(row: Row, recipe: Recipe, corpus: Any, folder: Path) -> Any:
    """The stage of a row, with random weights."""
    languages = source_languages(corpus, recipe.ner.languages)
    if row.stage == "ner":
        return NerStage(recipe, corpus, languages)
    save_tagger(new_encoder(recipe.encoder), tokenizer_of(recipe.encoder), folder / "start")
    from conlipa.modeling.training.ipac import IpacStage  # by `datasets`, which stage 1 does without

    return IpacStage(recipe, str(folder / "start"), corpus, languages)


def recipe_of(row: Row, positions: int) -> Recipe:
    """The recipe of a row, for random weights; `positions`: of a batch, where the papers' sentences come by positions."""
    recipe = read_recipe(row.profile, [each.format(positions=positions) for each in row.settings])
    return replace(recipe, encoder=replace(recipe.encoder, repo=None))


def corpus_of(recipe: Recipe, packed: Path | None, corpus: str | None) -> Any:
    """Sentences for a recipe: packed ones, those of the papers' rows in the folder `paper`, or a corpus."""
    if packed:
        return PackedCorpus.load(packed / "paper" if recipe.name != "conlipa-mini" else packed)
    from conlipa.modeling.data.corpus import Corpus  # by `datasets`, which stage 1 does without

    return Corpus(corpus)


def measured(name: str, packed: Path | None, corpus: str | None, steps: int, positions: int) -> str:
    """One line of the table."""
    row = ROWS[name]
    recipe = recipe_of(row, positions)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        stage = ForSteps(stage_of(row, recipe, corpus_of(recipe, packed, corpus), folder), steps)
        clock = Clock(stage, steps)
        record = train(stage, folder / "out", folder / "work", {}, watch=clock)
    weights = sum(p.numel() for name, p in stage.module.named_parameters() if "embeddings" not in name)
    padded, filled = clock.positions()
    settings = getattr(recipe, row.stage)
    rate = multiplication_rate(settings.precision == "bf16" and has_bf16())
    share = padded / clock.seconds * weights * WORK[row.stage] / rate
    losses = [each["loss"] for each in record["loss"]]
    return (
        f"| {name} | {weights / 1e6:.1f} | {steps - clock.first} | {losses[0]:.3f} | {losses[-1]:.3f} | {padded / clock.seconds:,.0f} "
        f"| {filled / padded:.2f} | {record['waited']:.3f} | {rate / 1e12:.1f} | {share:.3f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    corpus_option(parser)
    parser.add_argument("--packed", type=Path, metavar="DIR", help="a packed corpus; that of the papers' rows lies in its folder `paper`")
    parser.add_argument("--row", action="append", choices=ROWS, help="repeatable (default: all)")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--positions", type=int, default=32768, help="of a batch, where the papers' sentences come by positions")
    arguments = parser.parse_args()
    quiet()

    print(
        "| row | million weights | steps | first loss | last loss | positions/s | filled | waited | product, TFLOPS | share of the product's rate |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for name in arguments.row or ROWS:
        print(measured(name, arguments.packed, arguments.corpus, arguments.steps, arguments.positions), flush=True)


if __name__ == "__main__":
    main()
