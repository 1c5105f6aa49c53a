"""What a release consists of, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conlipa import modeling
from conlipa.modeling.recipe import Recipe

MANIFEST = "release.json"
METRIC = Path(modeling.__file__).parent / "phoneme_ner_f1"
"""The metric, a module of `evaluate`; on the Hub such modules are Spaces."""


@dataclass(frozen=True)
class Tree:
    """Where the parts of a release lie."""

    root: Path
    recipe: Recipe

    @property
    def conlipa(self) -> Path:
        return self.root / "conlipa"

    @property
    def wikiann(self) -> Path:
        return self.root / "wikiann-ipa"

    @property
    def ner(self) -> Path:
        return self.root / f"{self.recipe.name}-ner"

    @property
    def ipac(self) -> Path:
        return self.root / f"{self.recipe.name}-ipac"

    @property
    def space(self) -> Path:
        return self.root / "space"

    @property
    def metric(self) -> Path:
        return self.root / METRIC.name

    @property
    def scores(self) -> Path:
        return self.root / "evaluation.json"

    def repos(self) -> dict[str, str]:
        """Folder names and the kind of Hub repo that each one is."""
        datasets = {self.conlipa.name: "dataset", self.wikiann.name: "dataset"}
        models = {self.ner.name: "model", self.ipac.name: "model"}
        return datasets | models | {self.metric.name: "space", self.space.name: "space"}
