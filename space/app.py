"""Zero-shot NER on phonemes: a page and a JSON endpoint (`/tag`) on one tagger.

python app.py            # CONLIPA_MODEL and CONLIPA_ADAPTER name another model
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

# Gradio reports home at launch unless it is told not to before it is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr

from conlipa import ConlipaError, Tagger
from dataset_scripts.languages import by_case, languages

MAX_CHARACTERS = 5000
LANGUAGES = [(f"{languages()[iso].name} ({iso})", iso) for iso in by_case("source", "1", "2", "3", "conlipa")]
EXAMPLES = [
    ["Душанбе — пойтахти Тоҷикистон .", "tgk"],
    ["ශ්‍රී ලංකාව ඉන්දියාවේ අසල්වැසියෙකි .", "sin"],
    ["لاہور پاکستان کا ایک شہر ہے ۔", "urd"],
    ["አዲስ አበባ የኢትዮጵያ ዋና ከተማ ናት ።", "amh"],
    ["Ашхабад — Түркмөнстандын борбору .", "kir"],
    ["Nairobi ni mji mkuu wa Kenya .", "swa"],
]


@cache
def _tagger(model: str, adapter: str | None) -> Any:
    return Tagger.from_pretrained(model, adapter)


def _entities(text: str, lang: str) -> list[dict[str, Any]]:
    """Spans of one text; every complaint is a plain message on the page."""
    if len(text) > MAX_CHARACTERS:
        raise gr.Error(f"The text has {len(text)} characters; {MAX_CHARACTERS} at most.", print_exception=False)
    tagger = _tagger(os.environ.get("CONLIPA_MODEL", "mini"), os.environ.get("CONLIPA_ADAPTER") or None)
    try:
        return [entity.as_dict() for entity in tagger(text, lang=lang)]
    except ConlipaError as error:
        raise gr.Error(str(error), print_exception=False) from None


def highlight(text: str, lang: str) -> dict[str, Any]:
    """For `HighlightedText`."""
    return {"text": text, "entities": [{"entity": e["label"], "start": e["start"], "end": e["end"]} for e in _entities(text, lang)]}


def tag(text: str, lang: str) -> dict[str, Any]:
    """The JSON endpoint: spans in code points, with scores."""
    return {"text": text, "entities": _entities(text, lang)}


def build() -> gr.Blocks:
    """The page."""
    with gr.Blocks(title="Zero-shot NER on phonemes") as page:
        gr.Markdown("# Zero-shot NER on phonemes\nText is transcribed to IPA, and a small phoneme encoder marks persons, organisations and places.")
        with gr.Row():
            text = gr.Textbox(label="Text", lines=4, max_length=MAX_CHARACTERS, value=EXAMPLES[0][0])
            lang = gr.Dropdown(LANGUAGES, label="Language", value=EXAMPLES[0][1], filterable=True)
        button = gr.Button("Tag", variant="primary")
        shown = gr.HighlightedText(label="Entities", combine_adjacent=False, show_legend=True)
        gr.Examples(EXAMPLES, [text, lang])
        button.click(highlight, [text, lang], shown, api_name="highlight")
        text.submit(highlight, [text, lang], shown, api_visibility="private")
        gr.api(tag, api_name="tag")
    return page


def launch(model: str | None = None, adapter: str | None = None, port: int | None = None) -> None:
    """Serve the page on this machine only, or wherever GRADIO_SERVER_NAME says."""
    if model:
        os.environ["CONLIPA_MODEL"] = model
    if adapter:
        os.environ["CONLIPA_ADAPTER"] = adapter
    _tagger(os.environ.get("CONLIPA_MODEL", "mini"), os.environ.get("CONLIPA_ADAPTER") or None)  # a missing model is said before the page opens
    build().queue(max_size=64).launch(server_port=port)


if __name__ == "__main__":
    launch()
