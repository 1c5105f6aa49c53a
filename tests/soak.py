"""A soak: one tagger, many threads, many languages, for minutes; every answer equal to the serial one, and memory flat.

python -m tests.soak [--minutes 10] [--threads 8] [--texts 40]
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil

from conlipa import Tagger
from conlipa.dataset_scripts.wikiann.wikiann import source

LANGS = ("eng", "bel", "urd", "swa", "tgk", "sin", "kor", "amh")
"""Of espeak-ng (one voice a process), epitran, and letter tables."""


def resident() -> float:
    """Memory of this process, in MB."""
    return float(psutil.Process().memory_info().rss) / 2**20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--texts", type=int, default=40, help="of each language")
    arguments = parser.parse_args()
    corpus = source("sample")
    work = [(" ".join(sentence.tokens), lang) for lang in LANGS for sentence in corpus.sentences(lang, "validation")[: arguments.texts]]
    work = [pair for start in range(len(LANGS)) for pair in work[start :: len(LANGS)]]  # languages in turns
    sys.setswitchinterval(1e-5)  # threads take turns as often as on a busy machine
    tagger = Tagger.from_pretrained()
    expected = [tagger(text, lang=lang) for text, lang in work]
    began, rounds, different, memory = time.monotonic(), 0, 0, [resident()]
    with ThreadPoolExecutor(arguments.threads) as pool:
        while time.monotonic() - began < 60 * arguments.minutes:
            found = list(pool.map(lambda pair: tagger(pair[0], lang=pair[1]), work))
            different += sum(one != other for one, other in zip(found, expected, strict=True))
            rounds += 1
            memory.append(resident())
    half = memory[len(memory) // 2 :]
    share = f"{arguments.threads} threads, {arguments.minutes:g} minutes"
    print(f"{rounds} rounds of {len(work)} texts in {len(LANGS)} languages, {share}: {different} differ")
    print(f"memory: {memory[0]:.0f} MB before, {memory[1]:.0f} after a round, second half {min(half):.0f} to {max(half):.0f} MB")
    return 1 if different else 0


if __name__ == "__main__":
    raise SystemExit(main())
