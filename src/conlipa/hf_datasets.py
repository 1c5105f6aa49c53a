"""The two datasets as `datasets` knows them: `load_dataset("conlipa")` and `load_dataset("wikiann_ipa")`."""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
from typing import Any

_DATASETS = {"conlipa": "conlipa.dataset_scripts.loanwords.builder", "wikiann_ipa": "conlipa.dataset_scripts.wikiann.wikiann_ipa"}


class _WhenImported(importlib.abc.MetaPathFinder):
    """Registers the two datasets once somebody imports `datasets`, which alone takes half a second."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "datasets":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec and spec.loader:
            run = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                run(module)
                register()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def register() -> None:
    """Make `load_dataset("conlipa")` and `load_dataset("wikiann_ipa")` known to `datasets`; importing this module does it."""
    from datasets import load, packaged_modules
    from datasets.data_files import DataFilesDict

    from conlipa.dataset_scripts.tables import digest

    known = packaged_modules._PACKAGED_DATASETS_MODULES
    if "conlipa" in known:
        return
    for name, module in _DATASETS.items():
        known[name] = (module, digest())
    original = load.PackagedDatasetModuleFactory.get_module

    def get_module(self: Any) -> Any:
        if self.name not in _DATASETS:
            return original(self)
        # The library looks for data files in the working folder, and fails where there are none: ours come with the package.
        return load.DatasetModule(*known[self.name], {"data_files": DataFilesDict(), "dataset_name": self.name})

    load.PackagedDatasetModuleFactory.get_module = get_module


def register_when_imported() -> None:
    """Register now where `datasets` is imported already, and otherwise once it is."""
    if "datasets" in sys.modules:
        register()
    else:
        sys.meta_path.insert(0, _WhenImported())
