"""What a visitor may choose: the languages with an example each, an example of own letters, and where to read on."""

from __future__ import annotations

import csv
import os
from functools import cache
from pathlib import Path

from conlipa.dataset_scripts.languages import by_case, languages

_FOLDER = Path(__file__).parent
FIRST = "sin"
"""The language that the page opens with: one that no model of the kit was trained on."""
LETTERS_TEXT = "თბილისი საქართველოს დედაქალაქია."
"""Tbilisi is the capital of Georgia."""


def choices() -> list[tuple[str, str]]:
    """Name with code, and code, by name: typing either finds the language."""
    return sorted((f"{languages()[iso].name} ({iso})", iso) for iso in by_case("source", "1", "2", "3", "conlipa"))


@cache
def examples() -> dict[str, str]:
    """One sentence each, by language."""
    with (_FOLDER / "examples.csv").open(encoding="utf-8", newline="") as lines:
        return {row["iso"]: row["text"] for row in csv.DictReader(lines)}


def example(lang: str, text: str) -> str:
    """The language's example, unless the visitor has written a text of his own."""
    return examples().get(lang, text) if not text.strip() or text in examples().values() else text


def example_letters() -> str:
    """An `Orth,Phon` table for `LETTERS_TEXT`."""
    return (_FOLDER / "georgian.csv").read_text(encoding="utf-8")


def links() -> str:
    """Markdown: the papers, and the repos beside this Space where it runs on the Hub (which then sets SPACE_ID)."""
    papers = [("Phoneme NER", "https://arxiv.org/abs/2406.16030"), ("IPAC and CONLIPA", "https://arxiv.org/abs/2503.07214")]
    namespace, _, name = os.environ.get("SPACE_ID", "").partition("/")
    repos = {"tagger": "conlipa-mini-ner", "adapter": "conlipa-mini-ipac", "pairs": "datasets/conlipa", "sentences": "datasets/wikiann-ipa"}
    cards = [(what, f"https://huggingface.co/{_placed(repo, namespace)}") for what, repo in repos.items()] if name else []
    return "Papers: " + _joined(papers) + (". Cards: " + _joined(cards) if cards else "") + "."


def _placed(repo: str, namespace: str) -> str:
    kind, _, name = repo.rpartition("/")
    return f"{kind}/{namespace}/{name}" if kind else f"{namespace}/{name}"


def _joined(named: list[tuple[str, str]]) -> str:
    return ", ".join(f"[{name}]({address})" for name, address in named)
