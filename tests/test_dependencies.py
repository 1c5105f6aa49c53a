"""What is imported is declared, and what is declared is imported; nothing asks for a call that only Linux has."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT, run

DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = DECLARED["project"]
ROOMS = ("dataset_scripts", "hub_cards", "modeling", "space", "src/conlipa")
WITH_AN_EXTRA = {
    "dataset_scripts/wikiann/make_sample.py": "dev",
    "modeling/inference/spacy_component.py": "spacy",
    "modeling/report/page.py": "report",
}
"""Modules that are of no use without an extra."""
TOOLS = {"mypy", "ruff", "pre-commit", "types-pyyaml", "pytest-xdist", "playwright", "tensorboard", "onnxscript", "conlipa"} | {
    "axe-playwright-python",
    "mkdocs-material",
    "mkdocstrings",
}
"""Run, or needed by what is imported, and not imported by name."""


def requirements(extra: str | None = None) -> set[str]:
    """Canonical names; an extra's with those of the extras that it names."""
    lines = PROJECT["dependencies"] if extra is None else PROJECT["optional-dependencies"][extra]
    found = set[str]()
    for requirement in map(Requirement, lines):
        found.add(canonicalize_name(requirement.name))
        for other in requirement.extras if requirement.name == "conlipa" else ():
            found |= requirements(other)
    return found


distributions = cache(packages_distributions)


@cache
def files(*rooms: str) -> list[Path]:
    found = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    return sorted(path for path in found if not any(parent.is_symlink() for parent in path.parents))


def imports(path: Path, everywhere: bool) -> Iterator[str]:
    """Distributions that a file imports: everywhere in it, or as soon as it is imported itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if everywhere else tree.body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        for top in {name.partition(".")[0] for name in names} - {"conlipa", "tests", ""} - sys.stdlib_module_names:
            yield canonicalize_name(distributions().get(top, [top])[0])


def test_what_a_module_imports_first_comes_with_a_plain_installation() -> None:
    missing = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in files(*ROOMS)
        for name in imports(path, everywhere=False)
        if name not in requirements() | requirements(WITH_AN_EXTRA.get(path.relative_to(ROOT).as_posix()))
    }
    assert not missing


def test_what_is_imported_later_comes_with_an_extra_and_what_tests_import_with_theirs() -> None:
    extras = set().union(*map(requirements, PROJECT["optional-dependencies"]))
    assert not {(str(path), name) for path in files(*ROOMS) for name in imports(path, everywhere=True)} - {
        (str(path), name) for path in files(*ROOMS) for name in requirements() | extras
    }
    tests = [path for path in files("tests") if "benchmarks" not in path.parts]
    assert {name for path in tests for name in imports(path, everywhere=False)} <= requirements() | requirements("test") | {"pillow"}


def test_nothing_is_declared_that_nobody_imports() -> None:
    used = {name for path in files(*ROOMS, "tests") for name in imports(path, everywhere=True)}
    declared = requirements().union(*map(requirements, PROJECT["optional-dependencies"]))
    assert declared - used <= TOOLS
    assert not requirements() - {name for path in files(*ROOMS) for name in imports(path, everywhere=True)}


def test_torch_is_new_enough_for_muon() -> None:
    (torch,) = (Requirement(line) for line in PROJECT["dependencies"] if line.startswith("torch"))
    assert not torch.specifier.contains("2.8.0")
    assert torch.specifier.contains("2.9.0")


def test_two_texts_are_tagged_where_linux_s_calls_are_missing() -> None:
    code = (
        "import os\n"
        "for name in ('sched_getaffinity', 'sched_setaffinity', 'memfd_create'):\n"
        "    hasattr(os, name) and delattr(os, name)\n"
        "import conlipa\n"
        "found = conlipa.Tagger.from_pretrained(lang='eng', backend='onnx')(['Marie Curie was born in Warsaw .'] * 2)\n"
        "print(len(found), bool(found[0]), found[0] == found[1])"
    )
    assert run("-c", code).stdout.split() == ["2", "True", "True"]


def test_a_wheel_holds_every_package_and_what_it_reads() -> None:
    setuptools = DECLARED["tool"]["setuptools"]
    packages = {path.parent for path in files(*ROOMS) if path.name == "__init__.py"}
    named = {
        "conlipa" if place == ROOT / "src" / "conlipa" else f"conlipa.{place.relative_to(ROOT).as_posix().replace('/', '.')}" for place in packages
    }
    assert named | {"conlipa.modeling.phoneme_ner_f1"} == set(setuptools["packages"])
    carried = {path for name, patterns in setuptools["package-data"].items() for pattern in patterns for path in _folder(name).glob(pattern)}
    tracked = subprocess.run(["git", "ls-files", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    left = {path for path in tracked.split() if not path.endswith((".py", "screenshot.png")) and ROOT / path not in carried}
    assert not left


def _folder(package: str) -> Path:
    inner = package.removeprefix("conlipa").removeprefix(".").replace(".", "/")
    return ROOT / inner if inner else ROOT / "src" / "conlipa"
