"""The page and its endpoints, in Gradio."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import gradio as gr

from conlipa.dataset_scripts.g2p.phonemizer import ipa_string
from conlipa.errors import ConlipaError
from conlipa.modeling.inference.entities import Entity
from conlipa.space import choices, document_page, letters, quality, rendering, tagging
from conlipa.space.guard import fetch_nothing
from conlipa.space.neighbours import nearest

_INTRODUCTION = """# Zero-shot NER on phonemes
Text is transcribed to IPA, and a small phoneme encoder marks persons, organisations and places, also in languages that it never saw annotated."""
_OWN_LETTERS = (
    """A table of letters and their IPA is enough to read a language that is not listed. CSV with the header `Orth,Phon`; the longest match wins."""
)
_LIMIT_IN_BROWSER = 2 * tagging.MAX_CHARACTERS + 1
"""UTF-16 units: the browser cuts a huge paste here, and what it has cut is still too long, so that the visitor gets the error."""
_SHARE = """async (text, lang) => {
    const hash = "#" + new URLSearchParams({lang, text}), framed = window !== window.top;
    history.replaceState(null, "", hash);
    const link = framed ? location.origin + location.pathname + hash : location.href;
    let copied = true;
    try { await navigator.clipboard.writeText(link); } catch { copied = false; }
    if (!framed) return "The link is in the address bar";
    return copied ? "The link is copied" : "Not copied: open the Space in a tab of its own";
}"""
"""What a link holds stands behind its `#`, which a browser sends to nobody. The Hub shows a Space in a frame, whose address no visitor sees."""
_COPY = "Copy a link to this"
_RESTORE = f"""() => new Promise(done => setTimeout(() => done({_COPY!r}), 3000))"""
_OPEN = """(text, lang) => {
    addEventListener("hashchange", () => location.reload());
    const given = new URLSearchParams(location.hash.slice(1));
    return [given.get("text") ?? text, CODES.includes(given.get("lang")) ? given.get("lang") : lang];
}"""
"""A link may hold any language: one that is none of the page's leaves the one that is chosen."""

_ANOTHER = """(lang, text) => {
    const own = SENTENCES[lang] ?? [text];
    return own[(own.indexOf(text) + 1) % own.length];
}"""
"""The language's next example after the text, the first where it is none of them; the text where the language has none."""
_EXAMPLE = """(lang, text) => {
    const own = SENTENCES, untouched = !text.trim() || Object.values(own).some(sentences => sentences.includes(text));
    return untouched ? own[lang]?.[0] ?? "" : text;
}"""
"""The language's example, if it has one, unless the visitor wrote a text of their own; an answer of the server could overwrite what they type."""


def _choice(entities: list[Any], spoken: rendering.Spoken, given: int) -> Any:
    """A button for each name; its value is where it stands, its label, its phonemes, and `_given`."""
    buttons: dict[tuple[str, str], tuple[str, str]] = {}
    labels = {entity.text: {other.label for other in entities if other.text == entity.text} for entity in entities}
    for entity in entities:
        ipa = ipa_string([p for word, p in spoken if entity.start <= word.start and word.end <= entity.end])
        chosen = json.dumps([entity.start, entity.end, entity.label, entity.text, ipa, given], ensure_ascii=False)
        several = f" · {rendering.KINDS.get(entity.label, entity.label)}" if len(labels[entity.text]) > 1 else ""
        buttons.setdefault((entity.text, entity.label), (_short(entity.text) + several, chosen))
    return gr.Radio(choices=list(buttons.values()), value=None, visible=bool(buttons))


def _given(text: str, lang: str) -> int:
    """A digest of what was tagged."""
    return zlib.crc32(f"{lang}\n{text}".encode(errors="surrogatepass"))


def _short(name: str, most: int = 60) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def show(text: str, lang: str, compare: bool) -> tuple[str, Any, str]:
    """The result of the text box, the entities to choose from, and an empty table."""
    try:
        spoken = tagging.spoken(text, lang)
        entities = tagging.tag(text, lang)
        sections = [rendering.tagged(text, spoken, entities, "With IPAC" if compare else "Entities", lang)]
        if compare:
            sections.append(rendering.tagged(text, spoken, tagging.tag(text, lang, with_adapter=False), "Without IPAC", lang))
    except ConlipaError as error:
        return rendering.message(str(error)), _choice([], [], 0), ""
    return rendering.side_by_side(sections), _choice(entities, spoken, _given(text, lang)), ""


def show_by_letters(text: str, table: str) -> str:
    """The result of a text read by the visitor's own letters."""
    try:
        with letters.engine(table) as engine:
            entities, spoken = tagging.by_letters(text, engine)
    except ConlipaError as error:
        return rendering.message(str(error))
    return rendering.tagged(text, spoken, entities, "Entities")


def show_chosen(choice: str | None, text: str, lang: str) -> str:
    """Why the chosen entity was found, as long as text and language are still those that were tagged, and the words that sound like it."""
    if not choice:
        return ""
    try:
        start, end, label, name, ipa, given = json.loads(tagging.checked(choice, 4 * tagging.MAX_CHARACTERS))
        why = ""
        if given == _given(text, lang) and text[start:end] == name and label in rendering.KINDS:
            why = rendering.reasons_table(name, tagging.explain(text, lang, Entity(start, end, name, label, 0.0)))
        return why + rendering.nearest_table(name, nearest(name, ipa))
    except ConlipaError as error:
        return rendering.message(str(error))
    except (ValueError, TypeError, AttributeError, RecursionError):  # of a caller that is not the page
        return rendering.message("The choice is none of the page's: choose an entity again.")


def read_upload(path: str) -> str:
    """An uploaded letter table, as text to look at; what is no UTF-8 shows as such."""
    with Path(path).open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        return lines.read(letters.MAX_CHARACTERS + 1)


def tag(text: str, lang: str) -> dict[str, Any]:
    """The JSON endpoint: spans in code points, with scores."""
    try:
        return {"text": text, "entities": [entity.as_dict() for entity in tagging.tag(text, lang)]}
    except ConlipaError as error:
        raise gr.Error(str(error), print_exception=False) from None


def phonemize(text: str, lang: str, case_marks: bool = False) -> dict[str, Any]:
    """The text in IPA: phonemes separated by spaces, words by ` ▁ `; with `case_marks` a `^` before those of a capitalised word."""
    try:
        return {"text": text, "ipa": ipa_string(tagging.phonemes(text, lang, case_marks))}
    except ConlipaError as error:
        raise gr.Error(str(error), print_exception=False) from None


def open_script() -> str:
    """What runs when the page opens: text and language of the link, if it has them."""
    return _OPEN.replace("CODES", json.dumps([code for _, code in choices.choices()]))


def build() -> gr.Blocks:  # long: a page reads from top to bottom, as it is seen
    """The page."""
    fetch_nothing()
    start = choices.examples()[choices.FIRST]
    with gr.Blocks(title="Zero-shot NER on phonemes", delete_cache=(600, 600)) as page:
        gr.Markdown(_INTRODUCTION)
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                text = gr.Textbox(
                    start, label="Text", info="Shift+Enter tags it.", lines=3, max_lines=12, max_length=_LIMIT_IN_BROWSER, elem_id="text"
                )
            with gr.Column(scale=1, min_width=240):
                lang = gr.Dropdown(choices.choices(), value=choices.FIRST, label="Language", filterable=True, elem_id="language")
                expected = gr.Markdown(elem_id="expected")
                compare = gr.Checkbox(False, label="Compare with and without IPAC", visible=tagging.chosen()[1] is not None, elem_id="compare")
        with gr.Row():
            button = gr.Button("Tag", variant="primary", elem_id="tag")
            another = gr.Button("Another example", elem_id="example")
            share = gr.Button(_COPY, elem_id="share")
        result = gr.HTML(elem_id="result")
        entity = gr.Radio([], label="Why, and what sounds like it", visible=False, elem_id="entity")
        neighbours = gr.HTML(elem_id="nearest")
        document_page.build(lang, text)
        with gr.Accordion("Bring your own letters", open=False, elem_id="letters"):
            gr.Markdown(_OWN_LETTERS)
            with gr.Row():
                own_text = gr.Textbox(choices.LETTERS_TEXT, label="Text", lines=3, max_length=_LIMIT_IN_BROWSER, elem_id="own-text")
                own_table = gr.Textbox(
                    choices.example_letters(), label="Letters", lines=6, max_lines=12, max_length=2 * letters.MAX_CHARACTERS + 1, elem_id="own-table"
                )
            with gr.Row():
                own_button = gr.Button("Tag by these letters", variant="primary", elem_id="own-tag")
                upload = gr.UploadButton("Upload a table", file_types=[".csv", ".txt"], elem_id="own-upload")
            own_result = gr.HTML(elem_id="own-result")
        gr.Markdown(choices.links())

        marked, given = [result, entity, neighbours], [text, lang, compare]
        shared = share.click(None, [text, lang], share, js=_SHARE, api_visibility="private")
        shared.then(None, None, share, js=_RESTORE, api_visibility="private")
        opened = page.load(None, [text, lang], [text, lang], js=open_script(), api_visibility="private")
        opened.then(show, given, marked, api_visibility="private", show_progress="minimal")
        opened.then(quality.expected, lang, expected, api_visibility="private", show_progress="hidden")
        gr.on(
            [button.click, text.submit, compare.input],
            show,
            given,
            marked,
            api_visibility="private",
            show_progress="minimal",
            trigger_mode="always_last",
        )
        for event, script in ((lang.input, _EXAMPLE), (another.click, _ANOTHER)):
            written = script.replace("SENTENCES", json.dumps(choices.sentences()))
            chosen = event(None, [lang, text], text, js=written, api_visibility="private", trigger_mode="always_last")
            # Also a choice made while the one before is still being tagged: what is shown is of the last.
            chosen.then(show, given, marked, api_visibility="private", trigger_mode="always_last")
        lang.change(quality.expected, lang, expected, api_visibility="private", show_progress="hidden", trigger_mode="always_last")
        lang.change(choices.box, lang, text, api_visibility="private", show_progress="hidden", trigger_mode="always_last")
        # As it comes: a server that has forgotten the visitor knows no choices, and `show_chosen` looks at it.
        looked_at = entity.input(
            show_chosen, [entity, text, lang], neighbours, preprocess=False, api_visibility="private", trigger_mode="always_last"
        )
        # A new result takes the choice away; what comes of it later belongs to no result any more.
        looked_at.then(None, [entity, neighbours], neighbours, js="(choice, found) => choice ? found : ''", api_visibility="private")
        own_button.click(show_by_letters, [own_text, own_table], own_result, api_visibility="private", trigger_mode="always_last")
        upload.upload(read_upload, upload, own_table, api_visibility="private", trigger_mode="always_last")
        gr.api(tag, api_name="tag")
        gr.api(phonemize, api_name="phonemize")
    return page
