"""The tables of the README and of the page of scores are those of the files that programs wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from conlipa.errors import ConlipaError
from conlipa.hub_cards.readme import tables_of, with_block
from tests.conftest import ROOT, run


def test_the_page_of_scores_quotes_the_report() -> None:
    report = ROOT / "docs" / "report"
    text = (ROOT / "docs" / "scores.md").read_text(encoding="utf-8")
    sections = [path for path in report.glob("*.md") if f"<!-- {path.stem} -->" in text]
    assert sections
    for path in sections:
        assert with_block(text, path.stem, tables_of(path)) == text, path.name


def test_a_block_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "control.md").write_text("## Control\n\nWords.\n\n| a |\n|---|\n| 1 |\n\nMade by `x`\n", encoding="utf-8")
    file = tmp_path / "README.md"
    file.write_text("before\n<!-- control -->\nold\n<!-- /control -->\nafter\n", encoding="utf-8")
    run("-m", "conlipa.hub_cards.readme", str(file), "--report", str(tmp_path))
    assert file.read_text(encoding="utf-8") == "before\n<!-- control -->\n| a |\n|---|\n| 1 |\n\nMade by `x`\n<!-- /control -->\nafter\n"


def test_missing_marks_are_named() -> None:
    with pytest.raises(ConlipaError, match="no <!-- scores -->"):
        with_block("no marks", "scores", "x")
