"""The two datasets: `load_pairs()` and `load_wikiann_ipa()`, or `load_dataset("conlipa")` and `load_dataset("wikiann_ipa")`."""

from __future__ import annotations

import importlib.abc
import sys
import warnings
from types import ModuleType
from typing import TYPE_CHECKING, Any

from conlipa.errors import ConlipaError, UsageError, nearest

if TYPE_CHECKING:  # half a second to import
    from datasets import Dataset, DatasetDict

_DATASETS = {"conlipa": "conlipa.dataset_scripts.loanwords.builder", "wikiann_ipa": "conlipa.dataset_scripts.wikiann.wikiann_ipa"}


def load_pairs(name: str = "all") -> Dataset:
    """The CONLIPA loanword pairs, from the package: English words and what another language made of them, each with its phonemes.

    >>> pairs = load_pairs("kor")
    >>> pairs.column_names
    ['language', 'target', 'english', 'target_ipa', 'english_ipa', 'origin', 'similarity']

    Args:
        name: a language (ISO 639-3), `all` (the paper's ten) or `extra` (the others).

    Returns:
        One row a pair; phonemes are separated by spaces, words by ` ▁ `; `similarity` is from 0 to 1.

    Raises:
        UsageError: no pairs of that name.
    """
    from conlipa.dataset_scripts.loanwords.builder import Conlipa

    return _loaded("conlipa", Conlipa, name)["train"]


def load_wikiann_ipa(lang: str, data_dir: str = "sample", engine: str = "auto", strict: bool = False) -> DatasetDict:
    """WikiANN in one language, with the phonemes of each token beside it.

    >>> load_wikiann_ipa("sin")["validation"].column_names
    ['tokens', 'ner_tags', 'ipa_tokens']

    Args:
        lang: ISO 639-3.
        data_dir: a WikiANN folder (`ISO/{train,dev,test}.tsv`), `hub`, or the built-in `sample`.
        engine: what transcribes, as `conlipa phonemize --engine`.
        strict: refuse I- tags that continue no entity.

    Returns:
        The splits that the source has, of `train`, `validation` and `test`.

    Raises:
        UsageError: an unknown language.
        ConlipaError: the source lacks it, or cannot be read.
    """
    from conlipa.dataset_scripts.languages import language
    from conlipa.dataset_scripts.wikiann.wikiann_ipa import WikiannIpa

    return _loaded("wikiann_ipa", WikiannIpa, language(lang).iso, data_dir=data_dir, engine=engine, strict=strict)


def _loaded(dataset: str, builder: Any, name: str, **config: Any) -> DatasetDict:
    from datasets.exceptions import DatasetGenerationError

    from conlipa.dataset_scripts.tables import digest

    if name not in builder.builder_configs:
        raise UsageError(f"{dataset} has no '{name}'{nearest(name, builder.builder_configs)}")
    made = builder(dataset_name=dataset, config_name=name, hash=digest(), **config)
    try:
        made.download_and_prepare()
    except DatasetGenerationError as error:
        if isinstance(error.__cause__, ConlipaError):
            raise error.__cause__ from None
        raise
    return made.as_dataset()


class _WhenImported(importlib.abc.MetaPathFinder):
    """Registers the two datasets once somebody imports `datasets`, which takes half a second and is not always wanted.

    Others ask where the module is without importing it (`transformers` does), any number of times and from any thread:
    the finder answers as those behind it do, and is removed only when the module has been run.
    """

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "datasets":
            return None
        behind = sys.meta_path[sys.meta_path.index(self) + 1 :] if self in sys.meta_path else []
        found = (finder.find_spec(name, path, target) for finder in behind)
        spec = next((spec for spec in found if spec), None)
        if spec and spec.loader:
            spec.loader = _Registering(spec.loader, self)
        return spec


class _Registering(importlib.abc.Loader):
    """A loader that registers the two datasets when it has run the module; otherwise the loader given, which alone the module keeps."""

    def __init__(self, loader: Any, finder: _WhenImported) -> None:
        self._loader, self._finder = loader, finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        _register_or_warn()


def register() -> None:
    """Make `load_dataset("conlipa")` and `load_dataset("wikiann_ipa")` known to `datasets`; importing `conlipa` does it.

    `datasets` has no public way for it. `load_pairs` and `load_wikiann_ipa` need none.

    Raises:
        ConlipaError: a version of `datasets` with other internals.
    """
    try:
        from datasets import load, packaged_modules
        from datasets.data_files import DataFilesDict

        known = packaged_modules._PACKAGED_DATASETS_MODULES
        original = load.PackagedDatasetModuleFactory.get_module
    except (ImportError, AttributeError) as error:
        raise ConlipaError(f"this version of datasets cannot be told of a new name ({error}); use conlipa.load_pairs()") from error
    if "conlipa" in known:
        return
    from conlipa.dataset_scripts.tables import digest

    def get_module(self: Any) -> Any:
        if self.name not in _DATASETS:
            return original(self)
        if self.data_files is not None:  # dropped below: the built-in data would be answered for them
            raise UsageError(f"{self.name}: expected no data_files; name a folder of sentences (ISO/train.tsv) as wikiann_ipa's data_dir=")
        # The library looks for data files in the working folder, and fails where there are none: ours come with the package.
        return load.DatasetModule(*known[self.name], {"data_files": DataFilesDict(), "dataset_name": self.name})

    load.PackagedDatasetModuleFactory.get_module = get_module
    known.update((name, (module, digest())) for name, module in _DATASETS.items())


def register_when_imported() -> None:
    """Register now where `datasets` is imported already, and otherwise once it is."""
    finder = _WhenImported()
    sys.meta_path.insert(0, finder)
    if "datasets" in sys.modules:
        sys.meta_path.remove(finder)
        _register_or_warn()


def _register_or_warn() -> None:
    try:
        register()
    except ConlipaError as error:  # whoever imports `datasets` or `conlipa` must get it
        warnings.warn(str(error), stacklevel=2)
