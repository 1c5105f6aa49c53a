"""Documents of the Space: what is read, what is refused in plain words, and what is written."""

from __future__ import annotations

import codecs
import csv
import io
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from conlipa.errors import ConlipaError
from conlipa.modeling.inference.entities import Entity
from conlipa.space import document_page, documents, rendering
from conlipa.space.stretches import with_name

PARIS = ("Anna saw Paris.", [Entity(0, 4, "Anna", "PER", 0.9), Entity(9, 14, "Paris", "LOC", 0.8)])


def placed(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "columns", "column", "texts"),
    [
        ("a.txt", "One.\n\nTwo.\r\n", [], None, ["One.", "Two."]),
        ("a.txt", "Душанбе".encode("utf-16"), [], None, ["Душанбе"]),
        ("a.tsv", codecs.BOM_UTF16_BE + "id\tbody\n1\tOne".encode("utf-16-be"), ["id", "body"], "body", ["One"]),
        ("a.conll", "Anna\tB-PER\nsaw\tO\n".encode("utf-16"), [], None, ["Anna saw"]),
        ("a.csv", '\ufeffid,body\n1,"Anna, and\nBen"\n2,\n3,Two', ["id", "body"], "body", ["Anna, and\nBen", "", "Two"]),
        ("a.csv", "PK,text\n1,Paris\n", ["PK", "text"], "text", ["Paris"]),
        ("a.csv", 'id;body\n1;"Anna; and Ben, too"\n', ["id", "body"], "body", ["Anna; and Ben, too"]),
        ("a.tsv", "id\tbody\n1\tOne, two\n", ["id", "body"], "body", ["One, two"]),
        ("a.csv", "body\nBerlin, die Hauptstadt\n", ["body"], "body", ["Berlin, die Hauptstadt"]),
        ("a.csv", 'body\n"Ja", sagte er\n', ["body"], "body", ["Ja, sagte er"]),
        ("a.jsonl", '{"text": null}\n{"text": "Two"}\n', ["text"], "text", ["", "Two"]),
        ("a.jsonl", '{"n": 1, "text": "One"}\n\n{"text": "Two"}\n{"n": 2}\n', ["text"], "text", ["One", "Two", ""]),
        ("a.conll", "Anna\tB-PER\nsaw\tO\n\nParis\tO\n", [], None, ["Anna saw", "Paris"]),
    ],
)
def test_each_form_is_read(tmp_path: Path, name: str, content: str | bytes, columns: list[str], column: str | None, texts: list[str]) -> None:
    path = placed(tmp_path, name, content)
    assert documents.columns(path) == columns
    assert documents.texts(path, column) == texts


def bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * 50_000_000)
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "column", "complaint"),
    [
        ("a.csv", bomb(), "a", "unpack an archive"),
        ("a.txt", codecs.BOM_UTF16_LE + b"a", None, "not UTF-8; save it in that encoding"),
        ("a.txt", "Anna".encode("utf-32"), None, "not UTF-8; save it in that encoding"),
        ("a.csv", "a," * 400_000, "a", r"a.csv:1: 400,001 columns \(200 at most\)"),
        ("a.csv", "a,b\n" + "," * 300, "a", r"a.csv:2: 301 columns"),
        ("a.txt", b"one\0two", None, "bytes that are no text"),
        ("a.txt", b"one\ntwo \xff", None, "a.txt:2: not UTF-8"),
        ("a.txt", "x" * 1_000_001, None, "too large"),
        ("a.txt", "x" * 30_000, None, "text 1 is too long"),
        ("a.txt", "x\n" * 30_000, None, "30,000 texts"),
        ("a.txt", " \n", None, "holds no text"),
        ("a.exe", "x", None, "expected a file of text"),
        ("a.csv", "id,body\n1,x", "bodi", r"no column 'bodi'.*body.*there: id, body"),
        ("a.csv", "", "a", "no column"),
        ("a.csv", 'a\n"' + "x" * 200_000, "a", "a.csv:.*: no CSV"),
        ("a.csv", "id,body\n1,Hello, world\n", "body", "a.csv:2: 3 columns, the header has 2; a text with ',' in it stands in quotation marks"),
        ("a.tsv", 'id\tbody\n1\t"Where?\n2\tHere\n', "body", "a.tsv: a quotation mark is never closed"),
        ("a.jsonl", '{"text": "a"}\n[1]', "text", "a.jsonl:2: expected a JSON object"),
        ("a.conll", "1\tAnna\tO\n2\tsings\tO\n", None, "^a.conll: its first column numbers the words"),
        ("a.jsonl", "[" * 100_000, "text", "a.jsonl:1: expected a JSON object"),
        ("a.jsonl", '{"text": 5}', "text", "no column 'text'.*there: none"),
    ],
)
def test_hostile_files_are_refused_in_one_line(tmp_path: Path, name: str, content: str | bytes, column: str | None, complaint: str) -> None:
    with pytest.raises(ConlipaError, match=complaint) as refused:
        documents.texts(placed(tmp_path, name, content), column)
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 300


def test_names_are_counted_and_written_in_four_forms(tmp_path: Path) -> None:
    tagged = [PARIS, ("=Paris", [Entity(0, 6, "=Paris", "LOC", 0.5)]), PARIS]
    assert documents.counts(tagged) == [("Anna", "PER", 2), ("Paris", "LOC", 2), ("=Paris", "LOC", 1)]
    made = {form: documents.write(tagged, form, tmp_path) for form in documents.FORMATS}
    assert made["CoNLL"].read_text(encoding="utf-8").split("\n\n")[0] == "Anna\tB-PER\nsaw\tO\nParis\tB-LOC\n.\tO"
    assert documents.texts(made["CoNLL"]) == ["Anna saw Paris .", "= Paris", "Anna saw Paris ."]
    assert [json.loads(line)["text"] for line in made["JSON Lines"].read_text(encoding="utf-8").splitlines()] == [text for text, _ in tagged]
    rows = list(csv.DictReader(made["CSV"].open(encoding="utf-8-sig", newline="")))
    assert [(row["text"], row["name"]) for row in rows] == [("1", "Anna"), ("1", "Paris"), ("2", "'=Paris"), ("3", "Anna"), ("3", "Paris")]
    with zipfile.ZipFile(made["brat"]) as archive:
        text, notes = (archive.read(name).decode() for name in ("document.txt", "document.ann"))
    for note in notes.splitlines():
        _, where, name = note.split("\t")
        start, stop = map(int, where.split()[1:])
        assert text[start:stop] == name


def test_the_table_is_nothing_but_text() -> None:
    html = rendering.counts_table("<i>.csv", "Tajik", 1, [("<b>x</b>", "LOC", 3)])
    assert "<b>" not in html
    assert "<i>" not in html
    assert "1 texts, 3 names, 1 different." in html


def test_what_is_corrected_is_what_conlipa_adapt_reads() -> None:
    from conlipa.dataset_scripts.wikiann.foreign import read_foreign

    stretches = [("Anna Karenina", "PER"), (" ", None), ("saw", None), (" ", None), ("Paris", "LOC"), (".", None)]
    first = (["Anna", "Karenina", "saw", "Paris", "."], ["B-PER", "I-PER", "O", "B-LOC", "O"])
    made, kept, said = document_page.corrected(_given(stretches), [])
    assert [(one.tokens, one.tags) for one in read_foreign(Path(made.value["path"]))] == [first]
    assert said == "Kept in this browser: 1 sentences with 2 names."
    lines = [("Nothing here", None), (".\n\nIn ", None), ("Oslo", "LOC"), ("\n", None)]
    made, kept, said = document_page.corrected(_given(lines), kept)
    second, third = (["Nothing", "here", "."], ["O", "O", "O"]), (["In", "Oslo"], ["O", "B-LOC"])
    assert [(one.tokens, one.tags) for one in read_foreign(Path(made.value["path"]))] == [first, second, third]
    made, kept, said = document_page.corrected(_given([("In Oslo", None)]), kept)  # corrected once more
    assert [one.tags for one in read_foreign(Path(made.value["path"]))] == [first[1], second[1], ["O", "O"]]
    assert said == "Kept in this browser: 3 sentences with 2 names."
    assert kept == json.loads(json.dumps(kept))  # as a browser keeps it
    made, _, _ = document_page.corrected(_given([("Oslo", " place "), (" and", "label"), (" Bo", "labelper")]), [])
    assert [one.tags for one in read_foreign(Path(made.value["path"]))] == [["B-LOC", "O", "B-PER"]]
    with pytest.raises(gr.Error, match="'city' is no label: type PER"):
        document_page.corrected(_given([("Oslo", "city")]), kept)
    for other in (5, [{"text": "Oslo"}], [{"text": "Oslo", "entities": [{"start": 0, "end": 2, "text": "Oslo", "label": "LOC", "score": 1.0}]}]):
        with pytest.raises(gr.Error, match="none of the page's"):
            document_page.corrected(_given([("Oslo", None)]), other)
    with pytest.raises(gr.Error, match="no text to keep"):
        document_page.corrected(_given([("\n ", None)]), [])
    again, _, _ = document_page.corrected([], kept)  # what is kept can be had after a reload
    assert len(read_foreign(Path(again.value["path"]))) == 3
    with pytest.raises(gr.Error, match="too many sentences for the page"):
        document_page.corrected(_given([("x" * 20_000, None)]), kept)


def test_the_file_of_corrected_sentences_is_of_one_language() -> None:
    from conlipa.dataset_scripts.wikiann.foreign import read_foreign

    def texts(made: Any) -> list[str]:
        return [" ".join(one.tokens) for one in read_foreign(Path(made.value["path"]))]

    _, kept, _ = document_page.corrected(_given([("Before", None)]), [])
    _, kept, said = document_page.corrected(_given([("Хучанд", "LOC")]), [{**kept[0], "lang": "tgk"}], "tgk")
    assert said == "Kept in this browser: 2 sentences with 1 names in Tajik."
    made, kept, said = document_page.corrected(_given([("Lahore", "LOC")]), kept, "urd")
    assert said == "Kept in this browser: 1 sentences with 1 names in Urdu. The 2 in other languages are not in this file."
    assert texts(made) == ["Lahore"]
    assert [each["lang"] for each in kept] == ["tgk", "tgk", "urd"]
    assert texts(document_page.corrected([], kept)[0]) == ["Lahore"]  # after a reload: the language that was kept last
    assert texts(document_page.corrected(_given([("Мехмон", None)]), kept, "tgk")[0]) == ["Before", "Хучанд", "Мехмон"]
    made, both, _ = document_page.corrected(_given([("Lahore", None)]), kept, "tgk")  # the same text in another language
    assert [(each["lang"], each["text"]) for each in both][-2:] == [("urd", "Lahore"), ("tgk", "Lahore")]
    old = [{name: value for name, value in each.items() if name != "lang"} for each in kept]  # kept before languages were
    assert texts(document_page.corrected(_given([("Мехмон", None)]), old, "tgk")[0]) == ["Before", "Хучанд", "Lahore", "Мехмон"]
    with pytest.raises(gr.Error, match="unknown language 'xyz'"):
        document_page.corrected(_given([("x", None)]), [], "xyz")


def test_a_quotation_over_two_lines_of_a_tsv_is_refused_and_of_a_csv_read(tmp_path: Path) -> None:
    body = 'id{0}body\n1{0}"I know Paris.\n2{0}He left Rome."\n3{0}Oslo.\n'
    (tmp_path / "a.tsv").write_text(body.format("\t"), encoding="utf-8")
    with pytest.raises(ConlipaError, match=r"a\.tsv:3: a quotation mark that an earlier line has opened"):
        documents.texts(tmp_path / "a.tsv", "body")
    (tmp_path / "a.csv").write_text(body.format(","), encoding="utf-8")
    assert documents.texts(tmp_path / "a.csv", "body") == ["I know Paris.\n2,He left Rome.", "Oslo."]


def _given(stretches: list[tuple[str, str | None]]) -> list[dict[str, Any]]:
    """As `gr.HighlightedText` gives them."""
    return [{"token": token, "class_or_confidence": label} for token, label in stretches]


def test_a_name_is_labelled_without_a_mouse() -> None:
    given = _given([("Anna", "PER"), (" met Ann in Ann Arbor.\nAnn", None), (" ", None), ("Annan", None)])
    made = document_page.mark(given, " Ann ", "PER")
    assert "".join(piece for piece, _ in made) == "Anna met Ann in Ann Arbor.\nAnn Annan"
    assert [piece for piece, label in made if label] == ["Anna", "Ann", "Ann", "Ann"]
    made = document_page.mark(_given([("ភ្នំពេញជារាជធានី", None)]), "ពេញ", "LOC")  # within words, where it is none itself
    assert ("ពេញ", "LOC") in made
    for name, complaint in (("", "Type a name"), ("Oslo", "'Oslo' does not stand in the text without a label"), ("Anna", "does not stand")):
        with pytest.raises(gr.Error, match=complaint):
            document_page.mark(given, name, "PER")


def test_an_upload_takes_the_place_of_what_was_pasted(tmp_path: Path) -> None:
    column, said, pasted, _ = document_page.choose(str(placed(tmp_path, "a.csv", "id,body\n1,Paris\n")))
    assert (column.value, "2 columns" in said, pasted) == ("id", True, "")
    _, said, pasted, _ = document_page.choose(str(placed(tmp_path, "a.csv", b"\0")))
    assert "bytes that are no text" in said
    assert pasted != ""
    table, _ = document_page.tag_document(str(tmp_path / "gone.csv"), "body", "", "eng", lambda *_, **__: None)
    assert "gone.csv: is no longer here" in table


def test_files_put_one_after_another_are_their_sentences(tmp_path: Path) -> None:
    made = documents.write([PARIS, PARIS], "CoNLL", tmp_path).read_text(encoding="utf-8")
    assert documents.texts(placed(tmp_path, "both.conll", made + made)) == ["Anna saw Paris ."] * 4


def test_a_document_may_be_pasted() -> None:
    table, files = document_page.tag_document(None, None, "Marie Curie was born in Warsaw.\n\n  \nShe worked in Paris.", "eng", lambda *_, **__: None)
    assert "2 texts, " in table
    assert "Warsaw" in table
    assert len(files.value) == 4
    for pasted, complaint in (("x" * 100_001, "pasted text is too long"), (" ", "Paste a text or upload a file first")):
        table, files = document_page.tag_document(None, None, pasted, "eng", lambda *_, **__: None)
        assert complaint in table
        assert not files.visible


def test_the_stretches_to_correct_are_the_text() -> None:
    text = "  Marie Curie was born in Warsaw.\n"
    stretches, lang = document_page.spans(text, "eng")
    assert lang == "eng"
    assert "".join(piece for piece, _ in stretches) == text
    assert {label for _, label in stretches} <= {None, "PER", "ORG", "LOC"}


def test_a_name_is_found_at_each_of_its_places_between_other_names() -> None:
    many = 1000
    given = _given([("Anna", "PER"), (" Ben ", None)] * many)
    found = with_name(given, "Ben", "PER")
    assert Counter(label for _, label in found)["PER"] == 2 * many
    with pytest.raises(ConlipaError, match="does not stand in the text without a label"):
        with_name(given, "Anna", "PER")
