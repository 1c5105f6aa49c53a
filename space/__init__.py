"""The Gradio Space: `app.py` is what is uploaded, and what `conlipa demo` opens; its page is made here."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent
STYLE = _FOLDER / "style.css"


def space_files() -> list[Path]:
    """The files of the Space, its card aside; the modules beside `app.py` reach it with the package."""
    return [_FOLDER / name for name in ("app.py", "requirements.txt")]
