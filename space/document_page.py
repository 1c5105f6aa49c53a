"""The page's part for documents: upload, choose the column, tag, look at the names, download."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from conlipa.errors import ConlipaError
from conlipa.modeling.inference.entities import Entity
from conlipa.space import documents, rendering, tagging

_INTRODUCTION = (
    f"Text with a sentence or paragraph on each line, CSV or TSV with a header, JSON Lines, or CoNLL; {documents.MAX_BYTES // 1_000_000} MB at most. "
    "It is tagged in the language chosen above."
)
_DIRECTION = """text => {
    const probe = Object.assign(document.createElement("div"), {dir: "auto", textContent: text});
    document.body.append(probe);
    document.getElementById("names").style.direction = getComputedStyle(probe).direction;
    probe.remove();
}"""
"""The stretches stand in the order that the text is read in."""
MAX_BATCH, MAX_BATCH_CHARACTERS = 200, 100_000
"""Texts and characters of one call of the batch endpoint."""


def choose(path: str | None) -> tuple[Any, str]:
    """The columns of an upload to choose from, and what it holds or what is wrong with it."""
    if not path:
        return gr.Dropdown(visible=False), ""
    try:
        found = documents.columns(Path(path))
        said = _uploaded(Path(path), found)
    except ConlipaError as error:
        return gr.Dropdown(visible=False), rendering.message(str(error))
    return gr.Dropdown(choices=found, value=found[0] if found else None, visible=bool(found)), said


def _uploaded(path: Path, columns: list[str]) -> str:
    """What was understood of an upload."""
    holds = f"{len(columns)} columns" if columns else f"{len(documents.texts(path)):,} texts"
    return f'<p class="quiet">{rendering.shown(path.name)}: {holds}.</p>'


def tag_document(path: str | None, column: str | None, lang: str, progress: Any = None) -> tuple[str, Any]:
    """The table of names, and the files to download."""
    if progress is None:
        progress = gr.Progress()
    if not path:
        return rendering.message("Upload a file first."), gr.File(visible=False)
    try:
        texts = documents.texts(Path(path), column)
        found = []
        for tagged in tagging.tag_all(texts, lang):
            found.append(tagged)
            progress((len(found), len(texts)), desc="tagging", unit="texts")
    except ConlipaError as error:
        return rendering.message(str(error)), gr.File(visible=False)
    folder = _folder()
    files = [str(documents.write(found, form, folder)) for form in documents.FORMATS]
    return rendering.counts_table(len(texts), documents.counts(found)), gr.File(files, visible=True)


def _folder() -> Path:
    """A new folder for files to download, in Gradio's own, which it empties (`delete_cache`)."""
    uploads = Path(get_upload_folder())
    uploads.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="conlipa-", dir=uploads))


def tag_batch(texts: list[str], lang: str) -> list[dict[str, Any]]:
    """The batch endpoint: up to 200 texts, each with its entities as `/tag` gives them."""
    try:
        if not isinstance(texts, list):
            raise ConlipaError("The texts must be a list of strings.")
        wanted = documents.checked(texts, most=MAX_BATCH)
        if sum(map(len, wanted)) > MAX_BATCH_CHARACTERS:
            raise ConlipaError(f"The texts are too long (characters: {MAX_BATCH_CHARACTERS:,} at most, together).")
        return [{"text": text, "entities": [entity.as_dict() for entity in entities]} for text, entities in tagging.tag_all(wanted, lang)]
    except ConlipaError as error:
        raise gr.Error(str(error), print_exception=False) from None


def spans(text: str, lang: str) -> list[tuple[str, str | None]]:
    """A text as the stretches that `gr.HighlightedText` shows: its names with their labels, and each word between them."""
    try:
        entities, words = tagging.tag(text, lang), [word for word, _ in tagging.spoken(text, lang)]
    except ConlipaError as error:
        raise gr.Error(str(error), print_exception=False) from None
    made: list[tuple[str, str | None]] = []
    at = 0
    inside = {word.start for word in words for entity in entities if entity.start <= word.start < entity.end}
    pieces: list[tuple[int, int, str | None]] = [(one.start, one.end, one.label) for one in entities]
    pieces += [(word.start, word.end, None) for word in words if word.start not in inside]
    for start, end, label in sorted(pieces):
        if start > at:
            made.append((text[at:start], None))
        made.append((text[start:end], label))
        at = end
    return [*made, (text[at:], None)] if at < len(text) else made


def corrected(stretches: list[dict[str, Any]] | None) -> Any:
    """What the visitor corrected, as a CoNLL file; each stretch is a `token` with its `class_or_confidence`, as `gr.HighlightedText` gives them."""
    text, entities = "", []
    for stretch in stretches or []:
        piece, label = stretch["token"], stretch["class_or_confidence"]
        if label in rendering.KINDS:
            entities.append(Entity(len(text), len(text) + len(piece), piece, label, 1.0))
        text += piece
    if not text.strip():
        raise gr.Error("There is no text to download: tag one first.", print_exception=False)
    folder = _folder()
    return gr.File(str(documents.write([(text, entities)], "CoNLL", folder)), visible=True)


def build(lang: Any, text: Any) -> None:
    """Both parts, within the page."""
    with gr.Accordion("Documents", open=False, elem_id="documents"):
        gr.Markdown(_INTRODUCTION)
        upload = gr.UploadButton("Upload a file", file_types=list(documents.KINDS), elem_id="document")
        column = gr.Dropdown([], label="Column", visible=False, elem_id="column")
        button = gr.Button("Tag the document", variant="primary", elem_id="tag-document")
        table = gr.HTML(elem_id="document-result")
        files = gr.File(label="Download", visible=False, interactive=False, elem_id="document-files")
    with gr.Accordion("Correct the answer", open=False, elem_id="correct"):
        gr.Markdown(
            "Choose a word to give it a label, or a label to change it; then download the sentences. "
            "With twenty of them `conlipa adapt` fits the tagger to your language."
        )
        start = gr.Button("Take the text above", elem_id="correct-start")
        marked = gr.HighlightedText(
            label="Names",
            interactive=True,
            elem_id="names",
            combine_adjacent=False,
            color_map=dict(zip(rendering.KINDS, ("#b45309", "#7c3aed", "#047857"), strict=True)),
        )
        save = gr.Button("Make the file", elem_id="correct-save")
        made = gr.File(label="Download", visible=False, interactive=False, elem_id="corrected")
    upload.upload(choose, upload, [column, table], api_visibility="private")
    button.click(tag_document, [upload, column, lang], [table, files], api_visibility="private", concurrency_limit=2)
    start.click(spans, [text, lang], marked, api_visibility="private").then(None, text, None, js=_DIRECTION, api_visibility="private")
    save.click(corrected, marked, made, api_visibility="private")
    gr.api(tag_batch, api_name="tag_batch")
