"""`conlipa adapt`: a tagger fitted to a few sentences, as a PEFT repo with its card."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from conlipa.atomic_files import write_text
from conlipa.dataset_scripts.wikiann.convert import type_pair
from conlipa.hub_cards.cards import adapted_card
from conlipa.modeling.adaptation.adapt import adapt
from conlipa.modeling.adaptation.tagged_file import read_tagged_file
from conlipa.modeling.inference.packaged import PACKAGED, located


def adapted_repo(corpus: Path, lang: str | None, out: Path, model: str, adapter: str | None, engine: str, mapping: Sequence[str]) -> None:
    """Write the repo, and print what the fitting brings.

    Raises:
        UsageError: the language is unknown, or not given and not told by the script.
        ConlipaError: the file, the model or `out` is not what it should be.
    """
    lang, rows = read_tagged_file(corpus, lang, engine, dict(type_pair(text) for text in mapping))
    record = adapt(*located(model, adapter), rows, lang, out, base_name=f"conlipa-{model}-ner" if model in PACKAGED else model)
    write_text(adapted_card(record, out.name, model), out / "README.md")
    change = f"{record['after'] - record['before']:+.2f}, 95% interval {record['low']:+.2f} to {record['high']:+.2f}"
    print(f"entity F1 of sentences left out in turn: {record['before']:.2f} before, {record['after']:.2f} after ({change})")
    print(f"{out}: use it with conlipa tag --lang {lang} --model {model} --adapter {out}", file=sys.stderr)
