"""Zero-shot NER on phonemes: a page and a JSON endpoint (`/tag`) on one tagger.

python app.py            # CONLIPA_MODEL and CONLIPA_ADAPTER name another model

This file is the Space; the page itself (`conlipa.space.page`) comes with the package that requirements.txt names.
"""

from __future__ import annotations

import os

# Gradio reports home at launch unless it is disabled before it is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")  # calls that its queue keeps a record of

import gradio as gr
from starlette.middleware import Middleware

from conlipa.space import STYLE
from conlipa.space.guard import Guard
from conlipa.space.page import build
from conlipa.space.tagging import load

QUEUE = 512
"""Calls that may wait; the next one gets the error that the queue is full."""
SESSIONS = 512
"""Visitors whose choices are remembered, as many as may wait: of each one Gradio keeps a copy of the page, 140 kB."""


def _theme() -> gr.themes.Default:
    """Fonts of the machine, none fetched; a primary button dark enough for its white letters (WCAG AA)."""
    theme = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    fills = dict.fromkeys(("button_primary_background_fill", "button_primary_background_fill_dark"), "*primary_700")
    hovers = dict.fromkeys(("button_primary_background_fill_hover", "button_primary_background_fill_hover_dark"), "*primary_800")
    return theme.set(**fills, **hovers)


def launch(model: str | None = None, adapter: str | None = None, port: int | None = None) -> None:
    """Serve the page on this machine only, or wherever GRADIO_SERVER_NAME says.

    Raises:
        ConlipaError: model or adapter cannot be loaded; said before the page opens.
    """
    if model:
        os.environ["CONLIPA_MODEL"] = model
    if adapter:
        os.environ["CONLIPA_ADAPTER"] = adapter
    load()
    build().queue(max_size=QUEUE).launch(
        server_port=port,
        app_kwargs={"middleware": [Middleware(Guard)]},
        theme=_theme(),
        css_paths=STYLE,
        footer_links=["api"],
        state_session_capacity=SESSIONS,
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
    )


if __name__ == "__main__":
    launch()
