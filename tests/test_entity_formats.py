"""Each export is read back: the spans are those that went in."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conlipa.dataset_scripts.g2p.words import words
from conlipa.modeling.inference.entities import Entity
from conlipa.modeling.inference.entity_formats import conll, doccano, json_line, write_brat
from tests.conftest import complaint, conlipa


@st.composite
def tagged(draw: st.DrawFn) -> tuple[str, list[Entity]]:
    """A line and entities of whole words that do not overlap."""
    text = draw(st.text(st.sampled_from("ab é,.-'\t\r\f\u2028中👩\u200d\u202eලං"), max_size=40))
    found, entities, at = words(text), list[Entity](), 0
    while at < len(found):
        size = draw(st.integers(0, 3))
        if size and at + size <= len(found):
            start, end = found[at].start, found[at + size - 1].end
            entities.append(Entity(start, end, text[start:end], draw(st.sampled_from(["PER", "ORG", "LOC"])), 0.5))
        at += max(size, 1)
    return text, entities


def spans(entities: list[Entity]) -> list[tuple[int, int, str]]:
    return [(entity.start, entity.end, entity.label) for entity in entities]


def read_conll(block: str, text: str) -> list[tuple[int, int, str]]:
    """Tokens found in the text one after the other, tags joined to spans."""
    found: list[tuple[int, int, str]] = []
    at = 0
    for line in filter(None, block.split("\n")):
        token, tag = line.split("\t")
        at = text.index(token, at)
        if tag.startswith("B-"):
            found.append((at, at + len(token), tag[2:]))
        elif tag.startswith("I-"):
            assert found[-1][2] == tag[2:]
            found[-1] = (found[-1][0], at + len(token), tag[2:])
        at += len(token)
    return found


@pytest.mark.parametrize(
    ("text", "entities", "tags"),
    [
        ("Paris-Berlin flight", [("Paris", "LOC"), ("Berlin", "LOC")], ["B-LOC", "O"]),
        ("وباريس بعيدة", [("باريس", "LOC")], ["B-LOC", "O"]),
        ("Anna Ben Smith", [("Anna", "PER"), ("Ben Smith", "PER")], ["B-PER", "B-PER", "I-PER"]),
    ],
)
def test_a_name_marked_within_a_word_is_that_word_and_no_other(text: str, entities: list[tuple[str, str]], tags: list[str]) -> None:
    found = [Entity(text.index(name), text.index(name) + len(name), name, label, 1.0) for name, label in entities]
    assert [line.split("\t")[1] for line in conll(text, found).splitlines()] == tags


@settings(deadline=None)
@given(tagged())
def test_conll_and_json_lines_give_the_spans_back(line: tuple[str, list[Entity]]) -> None:
    text, entities = line
    assert read_conll(conll(text, entities), text) == spans(entities)
    read = json.loads(doccano(text, entities))
    assert (read["text"], [tuple(span) for span in read["label"]]) == (text, spans(entities))
    assert [Entity(**entity) for entity in json.loads(json_line(text, entities))["entities"]] == entities


@settings(deadline=None)
@given(st.lists(tagged(), max_size=4))
def test_brat_gives_the_spans_back(tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, list[Entity]]]) -> None:
    folder = tmp_path_factory.mktemp("brat") / "out"
    write_brat(folder, [("a.b", lines)])
    text, raw = (folder / "a.b.txt").read_bytes().decode(), (folder / "a.b.ann").read_bytes().decode()
    assert text == "".join(f"{line}\n" for line, _ in lines)
    expected = [(entity.label, entity.text) for _, entities in lines for entity in entities]
    assert len(raw.splitlines()) == len(expected)  # whatever a reader takes for the end of a line
    read = [row.split("\t") for row in raw.split("\n")[:-1]]
    assert [name for name, *_ in read] == [f"T{number}" for number in range(1, len(read) + 1)]
    for (_, where, surface), (label, whole) in zip(read, expected, strict=True):
        said, _, pieces = where.partition(" ")
        spans = [tuple(map(int, piece.split())) for piece in pieces.split(";")]
        assert (said, text[spans[0][0] : spans[-1][1]]) == (label, whole)
        assert " ".join(text[start:stop] for start, stop in spans) == surface
        gaps = "".join(text[stop:start] for (_, stop), (start, _) in pairwise(spans))
        assert not gaps.strip("\t\r\f\u2028")


def test_the_formats_by_the_command_line_agree(tmp_path: Path) -> None:
    lines = ["Marie Curie was born in Warsaw , Poland .", "", "London"]
    (tmp_path / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    said = [json.loads(line) for line in conlipa("tag", "--lang", "eng", str(tmp_path / "a.txt")).stdout.splitlines()]
    assert [row["text"] for row in said] == lines
    expected = [[(e["start"], e["end"], e["label"]) for e in row["entities"]] for row in said]
    assert any(expected)
    blocks = re.split(r"\n{2,}", conlipa("tag", "--lang", "eng", "--format", "conll", stdin="\n".join(lines)).stdout.strip())
    assert [read_conll(block, text) for block, text in zip(blocks, lines[::2], strict=True)] == expected[::2]
    rows = [json.loads(line) for line in conlipa("tag", "--lang", "eng", "--format", "doccano", stdin="\n".join(lines)).stdout.splitlines()]
    assert [[tuple(span) for span in row["label"]] for row in rows] == expected
    assert conlipa("tag", "--lang", "eng", "--format", "brat", "--out", str(tmp_path / "brat"), str(tmp_path / "a.txt")).stdout == ""
    assert sorted(path.name for path in (tmp_path / "brat").iterdir()) == ["a.ann", "a.txt"]
    assert len((tmp_path / "brat" / "a.ann").read_text(encoding="utf-8").splitlines()) == sum(map(len, expected))


def test_what_does_not_go_together_is_said(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x", encoding="utf-8")
    assert "is not empty" in complaint("tag", "--lang", "eng", "--format", "brat", "--out", str(tmp_path), code=2, stdin="London\n")
    assert (tmp_path / "precious").is_file()
    assert "--out DIR" in complaint("tag", "--lang", "eng", "--format", "brat", code=2)
    assert "--out DIR" in complaint("tag", "--lang", "eng", "--out", str(tmp_path / "x"), code=2)
    (tmp_path / "sub").mkdir()
    for folder in (tmp_path, tmp_path / "sub"):
        (folder / "a.txt").write_text("London\n", encoding="utf-8")
    files = [str(tmp_path / "a.txt"), str(tmp_path / "sub" / "a.txt")]
    assert "two files are named a" in complaint("tag", "--lang", "eng", "--format", "brat", "--out", str(tmp_path / "y"), *files, code=2)
    assert not (tmp_path / "y").exists()
