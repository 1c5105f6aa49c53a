"""The notebooks of the documentation run as they are, and hold no output of some earlier run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT, run

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 2
    assert not any(cell["outputs"] for cell in cells)
    script = tmp_path / "cells.py"
    script.write_text("\n\n".join("".join(cell["source"]) for cell in cells), encoding="utf-8")
    run(str(script))


def test_there_are_two() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["loanword-pairs", "tagging"]
