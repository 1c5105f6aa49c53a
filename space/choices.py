"""What a visitor may choose: the languages with an example each, an example of own letters, and where to read on."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from huggingface_hub import RepoCard

from conlipa.dataset_scripts.everyday import everyday
from conlipa.dataset_scripts.languages import languages

_FOLDER = Path(__file__).parent
FIRST = "sin"
"""The language that the page opens with: one that no model of the kit was trained on."""
LETTERS_TEXT = "თბილისი საქართველოს დედაქალაქია."
"""Tbilisi is the capital of Georgia."""


def choices() -> list[tuple[str, str]]:
    """Name in English and in the language itself, with code, by name: typing any of them finds the language."""
    return sorted((_named(iso), iso) for iso in languages())


def _named(iso: str) -> str:
    known = languages()[iso]
    own = f" · {known.own_name}" if known.own_name and known.own_name.casefold() != known.name.casefold() else ""
    return f"{known.name}{own} ({iso})"


@cache
def sentences() -> dict[str, list[str]]:
    """The everyday sentences of each language: news, encyclopaedia, chat."""
    found: dict[str, list[str]] = {}
    for sentence in everyday():
        found.setdefault(sentence.language, []).append(sentence.text)
    return found


@cache
def examples() -> dict[str, str]:
    """The first sentence of each language."""
    return {lang: texts[0] for lang, texts in sentences().items()}


def box(lang: str) -> Any:
    """The text box as the language is written, from left to right or from right to left."""
    known = languages().get(lang)
    return gr.Textbox(rtl=known is not None and known.direction == "rtl")


def example_letters() -> str:
    """An `Orth,Phon` table for `LETTERS_TEXT`."""
    return (_FOLDER / "georgian.csv").read_text(encoding="utf-8")


def links() -> str:
    """Markdown: the papers, and the repos beside this Space where it runs on the Hub."""
    papers = [("Phoneme NER", "https://arxiv.org/abs/2406.16030"), ("IPAC and CONLIPA", "https://arxiv.org/abs/2503.07214")]
    cards = [(what, f"https://huggingface.co/{repo}") for what, repo in _repos().items()]
    return "Papers: " + _joined(papers) + (". Cards: " + _joined(cards) if cards else "") + "."


def _repos() -> dict[str, str]:
    """The repos of the release that the Space is of, as the card beside `app.py` names its models; none away from the Hub (which sets SPACE_ID)."""
    card = Path("README.md")
    if not (os.environ.get("SPACE_ID") and card.is_file()):
        return {}
    models = [str(repo) for repo in RepoCard.load(card).data.to_dict().get("models") or []]
    named = dict(zip(("tagger", "adapter"), models, strict=False))
    owner = models[0].partition("/")[0] if models else ""
    return {**named, "pairs": f"datasets/{owner}/conlipa", "sentences": f"datasets/{owner}/wikiann-ipa"} if owner else {}


def _joined(named: list[tuple[str, str]]) -> str:
    return ", ".join(f"[{name}]({address})" for name, address in named)
