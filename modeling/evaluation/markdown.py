"""How figures are written in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev

Cell = str | float | None


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[Cell]], digits: int = 2) -> str:
    """A Markdown table: first column left, the others right; floats with so many digits, None as a dash."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for row in rows:
        cells = ("–" if cell is None else f"{cell:.{digits}f}" if isinstance(cell, float) else str(cell) for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def spread(values: Sequence[float]) -> str:
    """Mean ± sample standard deviation, of a single value itself."""
    return f"{mean(values):.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")


def signed(points: float) -> str:
    """With its sign, and no negative zero."""
    return f"{round(points, 2) + 0.0:+.2f}"


def with_interval(difference: float, low: float, high: float) -> str:
    """`+0.41 (-0.10 to +0.92)`."""
    return f"{signed(difference)} ({signed(low)} to {signed(high)})"
