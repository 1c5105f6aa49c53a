"""Zero-shot named entity recognition on phonemes.

>>> import conlipa
>>> tagger = conlipa.Tagger.from_pretrained(lang="kir")
>>> [(entity.label, entity.text) for entity in tagger("Чыңгыз Айтматов Кыргызстанда төрөлгөн .")]
[('PER', 'Чыңгыз Айтматов'), ('LOC', 'Кыргызстанда')]
>>> conlipa.load_pairs("kor").num_rows
7521

The import registers the two datasets, so that `load_dataset("conlipa", "kor")` knows them too.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from conlipa.errors import ConlipaError, UsageError
from conlipa.hf_datasets import load_pairs, load_wikiann_ipa, register, register_when_imported

if TYPE_CHECKING:
    from conlipa.dataset_scripts.g2p.phonemizer import Phonemizer
    from conlipa.modeling.evaluation.evaluation import evaluate
    from conlipa.modeling.inference.entities import Entity
    from conlipa.modeling.inference.tagger import Tagger

__all__ = ["ConlipaError", "Entity", "Phonemizer", "Tagger", "UsageError", "evaluate", "load_pairs", "load_wikiann_ipa", "register"]
__version__ = version("conlipa")

_WHERE = {
    "Entity": "modeling.inference.entities",
    "Phonemizer": "dataset_scripts.g2p.phonemizer",
    "Tagger": "modeling.inference.tagger",
    "evaluate": "modeling.evaluation.evaluation",
}
"""What is slow to import, and is imported when it is asked for."""


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"conlipa.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'conlipa' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# Nobody is told who uses the kit: each library reads this when it is imported, and onnxruntime listens to nothing else.
_SWITCHES = {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "0", "GRADIO_ANALYTICS_ENABLED": "False"}
for _switch, _state in _SWITCHES.items():
    os.environ.setdefault(_switch, _state)
# PyTorch asks for huge pages for large tensors: training on a CPU walks through gigabytes in a step.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

register_when_imported()
