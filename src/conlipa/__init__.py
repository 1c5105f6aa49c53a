"""Zero-shot named entity recognition on phonemes.

import conlipa                              # registers the two datasets
load_dataset("conlipa", "kor")
conlipa.Tagger.from_pretrained()("Душанбе — пойтахти Тоҷикистон .", lang="tgk")
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from conlipa.errors import ConlipaError, UsageError
from conlipa.hf_datasets import register, register_when_imported

if TYPE_CHECKING:
    from conlipa.modeling.inference.tagger import Tagger

__all__ = ["ConlipaError", "Tagger", "UsageError", "register"]
__version__ = version("conlipa")


def __getattr__(name: str) -> Any:
    if name == "Tagger":  # torch is slow to import: only when it is wanted
        from conlipa.modeling.inference.tagger import Tagger

        return Tagger
    raise AttributeError(f"module 'conlipa' has no attribute '{name}'")


register_when_imported()
