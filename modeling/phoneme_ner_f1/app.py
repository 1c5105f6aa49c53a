"""The metric as a page: JSON lists in, scores out (`/score` over the API).

python app.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

# Gradio reports home at launch unless it is disabled before it is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import evaluate
import gradio as gr
from gradio import processing_utils

METRIC = evaluate.load(str(Path(__file__).with_name("phoneme_ner_f1.py")), keep_in_memory=True)
INPUTS = ("predictions", "references", "word_ids")
EXAMPLE = ("[[0, 1, 2, 0, 2, 2, 0, 0, 0]]", "[[0, 1, 2, 0, 2, 2, 0, 5, 0]]", "[[-1, 0, 0, -1, 1, 1, -1, 2, -1]]")
MAX_RESAMPLES = 10_000
MAX_CHARACTERS = 1_000_000
MAX_NUMBER = 100_000
"""Of a label or word."""
MAX_WORDS = 1_000_000
"""Of all sentences: of each a list as long as its largest word number is made, and a few characters are a sentence."""


def score(predictions: str, references: str, word_ids: str, bootstrap: float) -> dict[str, Any]:
    """Scores of sentences given as JSON lists of lists; every complaint is a plain message on the page."""
    sentences: dict[str, list[list[int]]] = {}
    for name, text in zip(INPUTS, (predictions, references, word_ids), strict=True):
        if len(text) > MAX_CHARACTERS:
            raise gr.Error(f"{name}: {MAX_CHARACTERS:,} characters at most", print_exception=False)
        try:
            sentences[name] = _numbers(json.loads(text))
        except (ValueError, RecursionError):
            raise gr.Error(f"{name} is not a JSON list of lists of whole numbers", print_exception=False) from None
        if any(abs(number) > MAX_NUMBER for labels in sentences[name] for number in labels):
            raise gr.Error(f"{name}: numbers up to {MAX_NUMBER:,} at most", print_exception=False)
    if sum(max(numbers, default=-1) + 1 for numbers in sentences["word_ids"]) > MAX_WORDS:
        raise gr.Error(f"word_ids: {MAX_WORDS:,} words at most", print_exception=False)
    try:
        result: dict[str, Any] = METRIC.compute(**sentences, bootstrap=min(int(bootstrap or 0), MAX_RESAMPLES))
    except (ValueError, OverflowError) as error:
        raise gr.Error(str(error), print_exception=False) from None
    return result


def _numbers(raw: Any) -> list[list[int]]:
    """What JSON gave, as it is; `int` would cut 0.9 to 0, and take "1", true and the keys of an object for numbers."""
    if type(raw) is not list or not all(type(labels) is list and all(type(number) is int for number in labels) for labels in raw):
        raise ValueError
    return raw


async def _refused(url: str, cache_dir: str) -> str:
    raise gr.Error("Nothing is fetched from an address.", print_exception=False)


def build() -> gr.Blocks:
    """The page."""
    # Gradio would fetch a file that a request names by its address, whole, before any handler looks at it.
    processing_utils.async_ssrf_protected_download = _refused
    with gr.Blocks(title="Phoneme NER F1") as page:
        gr.Markdown(f"# Phoneme NER F1\n{METRIC.description}\n\nLabels: 0 O, 1 B-PER, 2 I-PER, 3 B-ORG, 4 I-ORG, 5 B-LOC, 6 I-LOC.")
        boxes = [gr.Textbox(label=name, value=value, lines=2, max_length=MAX_CHARACTERS) for name, value in zip(INPUTS, EXAMPLE, strict=True)]
        bootstrap = gr.Number(label="bootstrap (resamples)", value=0, precision=0, minimum=0, maximum=MAX_RESAMPLES)
        button = gr.Button("Score", variant="primary")
        button.click(score, [*boxes, bootstrap], gr.JSON(label="scores"), api_name="score")
    return page


if __name__ == "__main__":
    build().launch()
