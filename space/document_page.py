"""The page's parts for documents: paste or upload, tag, look at the names, download; and for correcting an answer."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from conlipa.dataset_scripts.languages import language
from conlipa.errors import ConlipaError
from conlipa.modeling.inference.entities import Entity
from conlipa.space import documents, rendering, stretches, tagging

_INTRODUCTION = (
    "Paste text with a sentence or paragraph on each line, or upload a file: such text, CSV or TSV with a header, JSON Lines, or CoNLL; "
    f"{documents.MAX_BYTES // 1_000_000} MB at most. It is tagged in the language chosen above."
)
_CORRECT = (
    "Select a word (by a double click) and type its label: PER, ORG or LOC. Choose a label to change it, its cross to take it away. "
    "A name of several words is typed below, whole: words that are labelled one by one are a name each. "
    "Then keep the sentences, those without a name too. With twenty of them in the file `conlipa adapt` fits the tagger to your language."
)
_DIRECTION = """() => {
    document.getElementById("names").style.direction = getComputedStyle(document.querySelector("#text textarea")).direction;
}"""
"""The stretches stand in the order that the text is read in."""
_APART = r"""given => {
    const joined = one => one.class_or_confidence === null && one.token.includes("\n") && one.token.trim();
    if (!given || !given.some(joined)) return {__type__: "update"};
    const words = one => one.token.split(/(\s+)/).filter(Boolean).map(token => ({token, class_or_confidence: null}));
    return [given.flatMap(one => joined(one) ? words(one) : [one])];
}"""
"""Gradio joins what lies between two names when a label is taken away, and counts characters wrongly from the second line on: words apart again.
In the browser, so that nothing is undone that the visitor does meanwhile; the answer, a list, is wrapped in one."""
_KEPT = """(marked, kept, taken) => {
    try { return [marked, JSON.parse(localStorage.getItem("conlipa-sentences") ?? "[]"), taken]; } catch { return [marked, kept, taken]; }
}"""
_KEEP = """(kept, said) => {
    try {
        localStorage.setItem("conlipa-sentences", JSON.stringify(kept));
        return said;
    } catch { return "This browser keeps nothing: download the file."; }
}"""
"""What the browser has is read when sentences are added to it, not when the page opens: another tab may have kept some meanwhile."""
MAX_PASTE = 100_000
"""Characters of a text that is pasted as a document: what the guard lets through; a longer one is uploaded."""
MAX_KEPT = 20_000
"""Characters of the sentences that a visitor has corrected: a hundred or two, which `conlipa adapt` begins with."""
MAX_BATCH, MAX_BATCH_CHARACTERS = 200, 100_000
"""Texts and characters of one call of the batch endpoint."""


def choose(path: str | None) -> tuple[Any, str, Any, Any]:
    """The columns of an upload to choose from, and what it holds or what is wrong with it; it takes the place of what was pasted or tagged before."""
    if not path:
        return gr.Dropdown(visible=False), "", gr.skip(), gr.skip()
    try:
        found = documents.columns(Path(path))
        said = _uploaded(Path(path), found)
    except ConlipaError as error:
        return gr.Dropdown(visible=False), rendering.message(str(error)), gr.skip(), gr.File(visible=False)
    return gr.Dropdown(choices=found, value=found[0] if found else None, visible=bool(found)), said, "", gr.File(visible=False)


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
    document = "Pasted text" if pasted.strip() or not path else Path(path).name
    return rendering.counts_table(document, language(lang).name, len(texts), documents.counts(found)), gr.File(files, visible=True)


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


def spans(text: str, lang: str) -> tuple[list[stretches.Stretch], str]:
    """A text with the names that the tagger finds, as `gr.HighlightedText` shows it, and its language."""
    try:
        return stretches.laid_out(text, [(one.start, one.end, one.label) for one in tagging.tag(text, lang)]), lang
    except ConlipaError as error:
        raise gr.Error(str(error), print_exception=False) from None


def mark(given: list[dict[str, Any]] | None, name: str, label: str) -> list[stretches.Stretch]:
    """A label for a name that has none, for who selects nothing with a mouse."""
    try:
        return stretches.with_name(_checked(given), tagging.checked(name), label if label in rendering.KINDS else "PER")
    except ConlipaError as error:
        raise gr.Error(str(error), print_exception=False) from None


def _checked(given: Any) -> list[dict[str, Any]]:
    """Stretches of a text that is not too long.

    Raises:
        ConlipaError: it is, or they are none of the page's.
    """
    try:
        tagging.checked("".join(each["token"] for each in given or []), MAX_KEPT)
    except (TypeError, KeyError):
        raise ConlipaError("The names are none of the page's: take the text again.") from None
    return given or []


def corrected(given: list[dict[str, Any]] | None, kept: Any, lang: str = "") -> tuple[Any, list[dict[str, Any]], str]:
    """What the visitor has corrected until now, as a CoNLL file, with the present answer: a sentence on each line of its text.

    The file has the sentences of one language, for `conlipa adapt` reads all of a file as one.

    Args:
        given: each a `token` with its `class_or_confidence`, as `gr.HighlightedText` gives them.
        kept: the sentences before, as the browser has them; one with the same text is replaced.
        lang: of the answer; "" where none was taken, for the language that was kept last.
    """
    try:
        new, before = stretches.sentences(_checked(given)), _kept(kept)
        lang = lang or (before[-1][0] if before else "")
        spoken = f" in {language(lang).name}" if lang else ""
    except ConlipaError as error:
        raise gr.Error(str(error), print_exception=False) from None
    if not new and not before:
        raise gr.Error("There is no text to keep: take one first.", print_exception=False)
    texts = {text for text, _ in new}
    sentences = [*(each for each in before if each[1] not in texts or each[0] not in ("", lang)), *((lang, *each) for each in new)]
    if sum(len(text) for _, text, _ in sentences) > MAX_KEPT:
        raise gr.Error(f"These are too many sentences for the page (characters: {MAX_KEPT:,} at most): download them.", print_exception=False)
    own = [(text, entities) for its, text, entities in sentences if its in ("", lang)]
    file = gr.File(str(documents.write(own, "CoNLL", _folder())), visible=True)
    said = f"Kept in this browser: {len(own)} sentences with {sum(len(entities) for _, entities in own)} names{spoken}."
    said += f" The {len(sentences) - len(own)} in other languages are not in this file." if len(own) < len(sentences) else ""
    return file, [{"lang": its, "text": text, "entities": [one.as_dict() for one in entities]} for its, text, entities in sentences], said


def _kept(given: Any) -> list[tuple[str, str, list[Entity]]]:
    """Language, text and names of each sentence that a browser has kept; "" for the language of those that were kept without.

    Raises:
        ConlipaError: they are none of the page's.
    """
    try:
        found = [(str(each.get("lang", "")), str(each["text"]), [Entity(**one) for one in each["entities"]]) for each in given]
        if any(text[one.start : one.end] != one.text or one.label not in rendering.KINDS for _, text, entities in found for one in entities):
            raise ValueError
    except (TypeError, KeyError, ValueError, AttributeError):
        raise ConlipaError("The sentences that this browser has kept are none of the page's: forget them, and keep again.") from None
    return found


def forget() -> tuple[Any, list[Any], str]:
    """Nothing kept."""
    return gr.File(visible=False), [], "Nothing is kept."


def build(lang: Any, text: Any) -> None:
    """Both parts, within the page."""
    _documents(lang)
    _corrections(lang, text)
    gr.api(tag_batch, api_name="tag_batch")


def _documents(lang: Any) -> None:
    with gr.Accordion("Documents", open=False, elem_id="documents"):
        gr.Markdown(_INTRODUCTION)
        pasted = gr.Textbox("", label="Pasted text", lines=3, max_lines=12, max_length=2 * MAX_PASTE + 1, elem_id="pasted")
        upload = gr.UploadButton("Upload a file", file_types=list(documents.KINDS), elem_id="document")
        # Any value: `documents` looks at it, and a server that has forgotten the visitor knows no choices.
        column = gr.Dropdown([], label="Column", visible=False, allow_custom_value=True, elem_id="column")
        button = gr.Button("Tag the document", variant="primary", elem_id="tag-document")
        table = gr.HTML(elem_id="document-result")
        files = gr.File(label="Download (there for ten minutes)", visible=False, interactive=False, elem_id="document-files")
    upload.upload(choose, upload, [column, table, pasted, files], api_visibility="private", trigger_mode="always_last")
    button.click(
        tag_document, [upload, column, pasted, lang], [table, files], api_visibility="private", concurrency_limit=2, trigger_mode="always_last"
    )


def _corrections(lang: Any, text: Any) -> None:
    with gr.Accordion("Correct the answer", open=False, elem_id="correct"):
        gr.Markdown(_CORRECT)
        start = gr.Button("Take the text above", elem_id="correct-start")
        marked = gr.HighlightedText(
            label="Names",
            interactive=True,
            elem_id="names",
            combine_adjacent=False,
            color_map=dict(zip(rendering.KINDS, ("#b45309", "#7c3aed", "#047857"), strict=True)),
        )
        with gr.Row():
            missed = gr.Textbox("", label="A name without a label", max_length=500, elem_id="missed")
            kind = gr.Radio([(word, label) for label, word in rendering.KINDS.items()], value="PER", label="What it is", elem_id="kind")
            by_hand = gr.Button("Label it", elem_id="label-it")
        kept, taken_in = gr.JSON([], visible=False), gr.Textbox("", visible=False)
        save = gr.Button("Keep these sentences", elem_id="correct-save")
        forgotten = gr.Button("Forget the kept sentences", elem_id="correct-forget")
        said = gr.Markdown(elem_id="kept")
        made = gr.File(label="Download (there for ten minutes)", visible=False, interactive=False, elem_id="corrected")
    taken = start.click(spans, [text, lang], [marked, taken_in], api_visibility="private", trigger_mode="always_last")
    taken.then(None, None, None, js=_DIRECTION, api_visibility="private")
    marked.change(None, marked, marked, js=_APART, api_visibility="private")
    gr.on([by_hand.click, missed.submit], mark, [marked, missed, kind], marked, api_visibility="private", trigger_mode="always_last")
    for done in (
        save.click(corrected, [marked, kept, taken_in], [made, kept, said], js=_KEPT, api_visibility="private", trigger_mode="always_last"),
        forgotten.click(forget, None, [made, kept, said], api_visibility="private"),
    ):
        done.success(None, [kept, said], said, js=_KEEP, api_visibility="private")
