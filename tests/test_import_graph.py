"""The rooms and what they import: data flows one way, no circle, no room from above; files and functions that fit a screen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

FOLDERS = {"conlipa": "src/conlipa"} | {f"conlipa.{room}": room for room in ("dataset_scripts", "modeling", "hub_cards", "space")}
FLOORS = {
    "conlipa": 0,
    "conlipa.dataset_scripts": 1,
    "conlipa.modeling": 2,
    "conlipa.hub_cards": 3,
    "conlipa.space": 3,
    "conlipa.cli": 4,
    "conlipa.__main__": 4,
}
"""A room imports from its own floor and from those below. Errors, atomic files and the like are the ground; the command line is the roof."""
FRONT_DOORS = {"conlipa.cli", "conlipa.__main__"}
LINES, FUNCTION_LINES = 300, 40
REASON = "# long: "
"""Beside the `def` of a function that is longer, and why."""


def modules() -> dict[str, Path]:
    """Name and file of each module of the package."""
    found = {}
    for name, folder in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            if name == "conlipa" and parts[0] in ("dataset_scripts", "modeling", "hub_cards", "space"):
                continue  # the links that `make` lays for mypy
            found[".".join([name, *(part for part in parts if part != "__init__")])] = path
    return found


MODULES = modules()


def imported(path: Path, everywhere: bool = False) -> Iterator[str]:
    """The modules of the package that a file imports when it is imported itself; everywhere: inside of functions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree)) if everywhere else list(_top(tree.body))
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "conlipa":
            for alias in node.names:
                longer = f"{node.module}.{alias.name}"
                yield longer if longer in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)


def _top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If):
            checking = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            yield from [] if checking else _top([*node.body, *node.orelse])
        else:
            yield node


def floor(module: str) -> int:
    """The floor of the longest known beginning of a module's name."""
    parts = module.split(".")
    return next(FLOORS[name] for end in range(len(parts), 0, -1) if (name := ".".join(parts[:end])) in FLOORS)


def room(module: str) -> str:
    """`conlipa.modeling.data.corpus` lies in `modeling/data`."""
    parts = module.split(".")[1:-1] if MODULES[module].name != "__init__.py" else module.split(".")[1:]
    return "/".join(parts) or "conlipa"


def mermaid() -> str:
    """The rooms as a graph, for the documentation: an arrow leads from a room to one that it imports."""
    arrows = {
        (room(name), room(other)) for name, path in MODULES.items() if name not in FRONT_DOORS for other in imported(path) if other != "conlipa"
    }
    return "\n".join(["graph TD", *sorted(f"    {a.replace('/', '_')}[{a}] --> {b.replace('/', '_')}[{b}]" for a, b in arrows if a != b)])


def test_the_import_graph_has_no_circle() -> None:
    graph = {name: {other for other in imported(path) if other not in (name, "conlipa")} for name, path in MODULES.items()}
    assert len(graph) > 100
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError, naming the circle
    assert set(order) == set(graph)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_from_its_own_floor_or_below(name: str) -> None:
    for other in imported(MODULES[name]):
        assert floor(other) <= floor(name), f"{name} imports {other}, from above"
        assert other not in FRONT_DOORS or name in FRONT_DOORS


def test_only_the_front_door_reaches_for_the_front_door() -> None:
    inner = [name for name in MODULES if name.count(".") > 1]
    for name in inner:
        text = MODULES[name].read_text(encoding="utf-8")
        assert "from conlipa import Tagger" not in text, f"{name} takes the tagger from the front door instead of from its room"


@pytest.mark.parametrize("name", MODULES)
def test_files_and_functions_fit_a_screen(name: str) -> None:
    lines = MODULES[name].read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LINES, f"{MODULES[name]}: {len(lines)} lines"
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            own = (node.end_lineno or node.lineno) - node.lineno + 1
            explained = REASON in "\n".join(lines[node.lineno - 2 : node.body[0].lineno])
            assert own <= FUNCTION_LINES or explained, f"{MODULES[name]}:{node.lineno}: {node.name} has {own} lines and no '{REASON}' beside it"
