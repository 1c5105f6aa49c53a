"""Stage 1 against the training loop of commit 192ed3a, by the command line of each, one after the other on one machine:

    git worktree add --detach /tmp/landed 192ed3a
    python -m tests.benchmarks.landed --landed /tmp/landed --corpus DIR [--rounds N] [--sentences N]

The same encoder (`mini`'s then: 6 layers, no case marks) on the same sentences, from random weights. Each run is a process of its own, and every
way is taken once a round; the figures are the best of the rounds. Speed is that of the record, without start-up and transcription.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

LANGUAGES = ["eng", "deu", "rus"]
SENTENCES = 6000
"""Of each, once; fewer where the landed loop is slow: it computes in bfloat16, which takes a processor without it a hundred times as long."""
SHAPE = {"layers": 6, "max_positions": 130, "case_marks": False}
"""Of the landed `mini`, where the present one is another."""
PRESENT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Measured:
    """One run."""

    phonemes: float
    """A second."""
    peak: float
    """GB that the process took at most, transcription included."""
    waited: float | None
    """Share of the time; the landed loop did not measure it."""


def recipe_of(checkout: Path, settings: dict[str, Any], encoder: dict[str, Any], sentences: int) -> dict[str, Any]:
    """`mini`'s recipe of a checkout, for one epoch of the sentences measured."""
    recipe: dict[str, Any] = yaml.safe_load((checkout / "modeling" / "recipes" / "mini.yaml").read_text(encoding="utf-8"))
    recipe["encoder"] |= encoder
    recipe["ner"] = {name: value for name, value in recipe["ner"].items() if name not in ("start", "sentences_of", "exclude")}
    recipe["ner"] |= {"languages": LANGUAGES, "sentences_per_language": sentences, "epochs": 1, **settings}
    return recipe


def measured(checkout: Path, recipe: dict[str, Any], corpus: str) -> Measured:
    """Train by a checkout's own command."""
    with TemporaryDirectory() as temporary:
        profile, out = Path(temporary) / "recipe.yaml", Path(temporary) / "ner"
        profile.write_text(yaml.safe_dump(recipe), encoding="utf-8")
        rooms = [str(checkout / "src"), str(checkout)]
        command = [sys.executable, "modeling/train.py", "ner", "--profile", profile, "--wikiann", corpus, "--out", out]
        process = subprocess.Popen(
            [str(each) for each in command],
            cwd=checkout,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(rooms)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"{checkout}: {said[-2000:]}")
        record = json.loads((out / "training.json").read_text(encoding="utf-8"))
        return Measured(record["tokens_per_second"], usage.ru_maxrss / 2**20, record.get("waited"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landed", type=Path, required=True, metavar="DIR", help="a checkout of 192ed3a")
    parser.add_argument("--corpus", required=True, metavar="DIR", help="WikiANN, with English, German and Russian")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--sentences", type=int, default=SENTENCES, help="of each language (default: %(default)s)")
    arguments = parser.parse_args()
    ways = {
        "landed": (arguments.landed.resolve(), {}, {}),
        "4,096 positions": (PRESENT, {"batch_positions": 4096, "accumulate": 1}, SHAPE),
        "as mini": (PRESENT, {}, SHAPE),
    }
    found: dict[str, list[Measured]] = {name: [] for name in ways}
    for number in range(arguments.rounds):
        for name, (checkout, settings, encoder) in ways.items():
            found[name].append(measured(checkout, recipe_of(checkout, settings, encoder, arguments.sentences), arguments.corpus))
            print(f"round {number + 1}, {name}: {found[name][-1]}", file=sys.stderr, flush=True)
    first = max(run.phonemes for run in found["landed"])
    print("| stage 1 | phonemes/s | of the landed loop | waiting for a batch | peak, GB |\n|---|---:|---:|---:|---:|")
    for name, runs in found.items():
        best = max(runs, key=lambda run: run.phonemes)
        waited = "" if best.waited is None else f"{best.waited:.2%}"
        print(f"| {name} | {best.phonemes:,.0f} | {best.phonemes / first:.2f} | {waited} | {min(run.peak for run in runs):.2f} |")


if __name__ == "__main__":
    main()
