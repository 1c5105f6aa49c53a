"""What every part of the report is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.recipe import Recipe


@dataclass(frozen=True)
class Inputs:
    """The models and data that a report is about."""

    ner: str
    """Stage 1's folder."""
    adapter: str
    """Stage 2's."""
    recipe: Recipe
    corpus: Corpus
    langs: tuple[str, ...]
    """The languages of Cases 1 to 3 that the corpus has and stage 1 was not trained on, in the papers' order."""
    out: Path
    """The report's folder; a section keeps what it has done under `out / "work" / its key`, and does it once."""
    seeds: int = 3
    sentences: int | None = None
    """Of each language, the first so many; None: all."""
    jobs: int = 1
    """Runs of stage 2 at once."""
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Other models that were evaluated: name → the JSON of `conlipa evaluate`."""


@dataclass(frozen=True)
class Section:
    """One part of the report."""

    key: str
    """Name for files and links: `korean`."""
    title: str
    body: str
    """Markdown: paragraphs, tables, and figures as `![what it shows](NAME.svg)`."""
    figures: dict[str, str] = field(default_factory=dict)
    """File name, which begins with the key, → SVG text."""
    data: dict[str, Any] = field(default_factory=dict)
    """The numbers, for programs; written as `KEY.json`."""


Maker = Callable[[Inputs], Section]
