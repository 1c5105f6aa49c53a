"""The page's parts for documents: paste or upload, tag, look at the names, download; and for correcting an answer."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from conlipa.errors import ConlipaError
from conlipa.modeling.inference.entities import Entity
from conlipa.modeling.inference.entity_formats import Tagged
from conlipa.space import documents, rendering, tagging

_INTRODUCTION = (
    "Paste text with a sentence or paragraph on each line, or upload a file: such text, CSV or TSV with a header, JSON Lines, or CoNLL; "
    f"{documents.MAX_BYTES // 1_000_000} MB at most. It is tagged in the language chosen above."
)
_DIRECTION = """() => {
    document.getElementById("names").style.direction = getComputedStyle(document.querySelector("#text textarea")).direction;
}"""
"""The stretches stand in the order that the text is read in."""
MAX_PASTE = 100_000
"""Characters of a text that is pasted as a document: what the guard lets through; a longer one is uploaded."""
MAX_KEPT = 20_000
"""Characters of the sentences that a visitor has corrected: a hundred or two, which `conlipa adapt` begins with."""
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


def tag_document(path: str | None, column: str | None, pasted: str, lang: str, progress: Any = None) -> tuple[str, Any]:
    """The table of names, and the files to download: of what is pasted, a text on each line, or of the upload."""
    if progress is None:
        progress = gr.Progress()
    try:
        texts = _texts(path, column, pasted)
        found = []
        for tagged in tagging.tag_all(texts, lang):
            found.append(tagged)
            progress((len(found), len(texts)), desc="tagging", unit="texts")
    except ConlipaError as error:
        return rendering.message(str(error)), gr.File(visible=False)
    folder = _folder()
    files = [str(documents.write(found, form, folder)) for form in documents.FORMATS]
    return rendering.counts_table(len(texts), documents.counts(found)), gr.File(files, visible=True)


def _texts(path: str | None, column: str | None, pasted: str) -> list[str]:
    """Those of a document.

    Raises:
        ConlipaError: there is none, or it is not to be tagged.
    """
    if pasted.strip():
        whole = tagging.checked(pasted, MAX_PASTE, "pasted text")
        return documents.checked([line for line in whole.splitlines() if line.strip()], "pasted text")
    if not path:
        raise ConlipaError("Paste a text or upload a file first.")
    return documents.texts(Path(path), column)


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


def corrected(stretches: list[dict[str, Any]] | None, kept: list[Tagged]) -> tuple[Any, list[Tagged], str]:
    """What the visitor has corrected until now, as a CoNLL file, with the present answer: a sentence on each line of its text.

    Args:
        stretches: each a `token` with its `class_or_confidence`, as `gr.HighlightedText` gives them.
        kept: the sentences before; one with the same text is replaced.
    """
    new = _sentences(stretches or [])
    if not new:
        raise gr.Error("There is no text to keep: take one first.", print_exception=False)
    texts = {text for text, _ in new}
    sentences = [*(each for each in kept if each[0] not in texts), *new]
    if sum(len(text) for text, _ in sentences) > MAX_KEPT:
        raise gr.Error(f"These are too many sentences for the page (characters: {MAX_KEPT:,} at most): download them.", print_exception=False)
    names = sum(len(entities) for _, entities in sentences)
    file = gr.File(str(documents.write(sentences, "CoNLL", _folder())), visible=True)
    return file, sentences, f"Kept: {len(sentences)} sentences with {names} names."


def _sentences(stretches: Sequence[dict[str, Any]]) -> list[Tagged]:
    """The lines of a corrected text, each with its names."""
    lines: list[tuple[str, list[Entity]]] = [("", [])]
    for stretch in stretches:
        piece, label = stretch["token"], _label(stretch["class_or_confidence"])
        text, entities = lines[-1]
        if label and (name := piece.strip()):  # who selects a word by hand may have a space with it
            start = len(text) + piece.index(name)
            entities.append(Entity(start, start + len(name), name, label, 1.0))
        first, *more = [piece] if label else piece.split("\n")
        lines[-1] = (text + first, entities)
        lines += [(line, []) for line in more]
    return [(text, entities) for text, entities in lines if text.strip()]


def _label(typed: Any) -> str | None:
    """The label that a visitor means, by its code or its name; None for none."""
    wanted = str(typed or "").removeprefix("label").strip()  # the word "label" stands in Gradio's field, and what is typed comes after it
    if not wanted:
        return None
    known = {name: label for label, word in rendering.KINDS.items() for name in (label.casefold(), word)}
    found = known.get(wanted.casefold())
    if found is None:
        raise gr.Error(f"'{wanted[:40]}' is no label: type PER (person), ORG (organisation) or LOC (place).", print_exception=False)
    return found


def build(lang: Any, text: Any) -> None:
    """Both parts, within the page."""
    with gr.Accordion("Documents", open=False, elem_id="documents"):
        gr.Markdown(_INTRODUCTION)
        pasted = gr.Textbox("", label="Pasted text", lines=3, max_lines=12, max_length=2 * MAX_PASTE + 1, elem_id="pasted")
        upload = gr.UploadButton("Upload a file", file_types=list(documents.KINDS), elem_id="document")
        column = gr.Dropdown([], label="Column", visible=False, elem_id="column")
        button = gr.Button("Tag the document", variant="primary", elem_id="tag-document")
        table = gr.HTML(elem_id="document-result")
        files = gr.File(label="Download", visible=False, interactive=False, elem_id="document-files")
    with gr.Accordion("Correct the answer", open=False, elem_id="correct"):
        gr.Markdown(
            "Select a word (by a double click) and type its label: PER, ORG or LOC. Choose a label to change it, its cross to take it away. "
            "Then keep the sentences, those without a name too. "
            "With twenty of them in the file `conlipa adapt` fits the tagger to your language."
        )
        start = gr.Button("Take the text above", elem_id="correct-start")
        marked = gr.HighlightedText(
            label="Names",
            interactive=True,
            elem_id="names",
            combine_adjacent=False,
            color_map=dict(zip(rendering.KINDS, ("#b45309", "#7c3aed", "#047857"), strict=True)),
        )
        kept = gr.State([], time_to_live=3600)
        save = gr.Button("Keep these sentences", elem_id="correct-save")
        said = gr.Markdown(elem_id="kept")
        made = gr.File(label="Download", visible=False, interactive=False, elem_id="corrected")
    upload.upload(choose, upload, [column, table], api_visibility="private")
    button.click(tag_document, [upload, column, pasted, lang], [table, files], api_visibility="private", concurrency_limit=2)
    start.click(spans, [text, lang], marked, api_visibility="private").then(None, None, None, js=_DIRECTION, api_visibility="private")
    save.click(corrected, [marked, kept], [made, kept, said], api_visibility="private")
    gr.api(tag_batch, api_name="tag_batch")
