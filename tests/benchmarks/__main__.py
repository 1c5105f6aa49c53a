"""All benchmarks, as a Markdown table.

python -m tests.benchmarks [--corpus DIR]
"""

from __future__ import annotations

import argparse
import platform

import torch

from conlipa.dataset_scripts.wikiann.places import corpus_option
from tests.benchmarks import space, tagging
from tests.benchmarks.g2p import transcription
from tests.benchmarks.training import training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    corpus_option(parser)
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, {arguments.corpus}\n")
    print("| what | ours | the plain way | ratio |\n|---|---:|---:|---:|")
    for name, unit, ours, plain in (*transcription(arguments.corpus), *training(arguments.corpus)):
        print(f"| {name} | {ours:,.0f} {unit} | {plain:,.0f} {unit} | {ours / plain:.1f} |", flush=True)
    print()
    tagging.main()
    print()
    space.main()


if __name__ == "__main__":
    main()
