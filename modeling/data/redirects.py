"""The words that mark a redirect in Wikipedias (`#REDIRECT`), which a good part of WikiANN's titles begin with, transcribed.

    python -m conlipa.modeling.data.redirects      # transcribes the words of redirects.csv anew

The words are MediaWiki's own. They stand transcribed in the file, so that a machine that only trains needs no G2P engine.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from conlipa.atomic_files import write_text
from conlipa.modeling.data.packed_corpus import REDIRECTS, PackedSet

FILE = Path(__file__).with_suffix(".csv")


def read() -> list[dict[str, str]]:
    """Rows of `iso`, `word` and `ipa`, as the file has them."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def redirects(exclude: Sequence[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """By language, each word as a sentence of the WikiANN-IPA form in which no name is; without those that a recipe excludes (`redirects/urd`)."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in read():
        if PackedSet(row["iso"], REDIRECTS, row["iso"]).is_among(exclude):
            continue
        found.setdefault(row["iso"], []).append({"tokens": [row["word"]], "ipa_tokens": [row["ipa"]], "ner_tags": [0]})
    return found


@cache
def _beginnings(iso: str) -> frozenset[str]:
    """What the first token of a redirect may be in a language's Wikipedia: each understands the English word as well."""
    return frozenset({"redirect"} | {row["word"].casefold() for row in read() if row["iso"] == iso})


def is_redirect(tokens: Sequence[str], iso: str) -> bool:
    """Whether a sentence of WikiANN begins with the word for a redirect; a `#` before it may stand apart or be lost."""
    first = next((word for token in tokens if (word := token.lstrip("#"))), "")
    return first.casefold() in _beginnings(iso)


def transcribed(iso: str, word: str) -> str:
    """The phonemes of a word of a language, separated by spaces."""
    from conlipa.dataset_scripts.g2p.phonemizer import phonemizer

    return " ".join(phonemizer(iso)([word])[0])


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    lines = io.StringIO()
    table = csv.DictWriter(lines, ["iso", "word", "ipa"], lineterminator="\n")
    table.writeheader()
    table.writerows({**row, "ipa": transcribed(row["iso"], row["word"])} for row in read())
    write_text(lines.getvalue(), FILE)


if __name__ == "__main__":
    main()
