"""Figures as SVG text: the same bytes for the same drawing, and letters that stay text."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

from conlipa.errors import ConlipaError

_STYLE = {
    "svg.hashsalt": "conlipa",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def svg(draw: Callable[[Any], None], rows: int = 1, columns: int = 1, size: tuple[float, float] = (3.5, 2.7), **shared: Any) -> str:
    """A figure of `rows` x `columns` panels, each of a size in inches; `draw` is given their axes, (rows, columns), and fills them.

    Args:
        shared: of `Figure.subplots`: `sharex`, `sharey`.

    Raises:
        ConlipaError: matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConlipaError("matplotlib is needed for the report's figures (pip install matplotlib)") from error
    with rc_context(_STYLE):
        figure = Figure(figsize=(columns * size[0], rows * size[1]), layout="constrained")
        draw(figure.subplots(rows, columns, squeeze=False, **shared))
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
