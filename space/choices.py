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
from conlipa.hub import is_repo
from conlipa.modeling.inference.packaged import MINI

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
    """Where the models at work and their data lie: those that the Space's variables name, or the card beside `app.py`; none away from the Hub.

    The Hub sets SPACE_ID.
    """
    path = Path("README.md")
    if not (os.environ.get("SPACE_ID") and path.is_file()):
        return {}
    card = RepoCard.load(path).data.to_dict()
    models = dict(zip(("tagger", "adapter"), card.get("models") or [], strict=False))
    model, adapter = os.environ.get("CONLIPA_MODEL") or MINI, os.environ.get("CONLIPA_ADAPTER")
    if model != MINI:
        models = {"tagger": model}
    if adapter:
        models["adapter"] = adapter
    datasets = zip(("pairs", "sentences"), card.get("datasets") or [], strict=False)
    return {what: str(repo) for what, repo in models.items() if is_repo(str(repo))} | {what: f"datasets/{repo}" for what, repo in datasets}


def _joined(named: list[tuple[str, str]]) -> str:
    return ", ".join(f"[{name}]({address})" for name, address in named)
