"""The Gradio Space: `app.py` is what is uploaded, and what `conlipa demo` opens."""

from __future__ import annotations

from pathlib import Path


def space_files() -> list[Path]:
    """The files of the Space, its card aside."""
    return [Path(__file__).parent / name for name in ("app.py", "requirements.txt")]
