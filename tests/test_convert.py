"""Corpora of other forms as a corpus folder, by the command."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conlipa.dataset_scripts.wikiann import convert
from conlipa.dataset_scripts.wikiann.wikiann import Folder
from tests.conftest import run

Convert = Callable[..., dict[str, dict[str, int]]]

GOLD = [
    [("Bonn", "B-LOC"), ("Köln", "B-LOC"), ("und", "O"), ("Marie", "B-PER"), ("Curie", "I-PER")],
    [("UNO", "B-ORG"), ("tagt", "O")],
]
OTHER_SCHEMES = {
    "IOB1": ["I-LOC", "B-LOC", "O", "I-PER", "I-PER", "I-ORG", "O"],
    "BILOU": ["U-LOC", "U-LOC", "O", "B-PER", "L-PER", "U-ORG", "O"],
    "BIOES": ["S-LOC", "S-LOC", "O", "B-PER", "E-PER", "S-ORG", "O"],
    "IOB2": [tag for sentence in GOLD for _, tag in sentence],
}


@pytest.fixture
def converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Convert:
    """The command in this process, into tmp_path/out; what it prints."""

    def call(name: str, text: str, *options: str, lang: str = "deu") -> dict[str, dict[str, int]]:
        (tmp_path / name).write_text(text, encoding="utf-8")
        monkeypatch.setattr(sys, "argv", ["convert", str(tmp_path / name), "--lang", lang, "--out", str(tmp_path / "out"), *options])
        convert.main()
        return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]

    return call


def written(tmp_path: Path, split: str = "validation") -> list[list[tuple[str, str]]]:
    return [list(zip(s.tokens, s.tags, strict=True)) for s in Folder(tmp_path / "out", strict=True).sentences("deu", split)]


def conll(tags: list[str], line: str = "{token} X {tag}") -> str:
    left = iter(tags)
    return "-DOCSTART- -X- O\n\n" + "\n".join("".join(line.format(token=t, tag=next(left)) + "\n" for t, _ in s) for s in GOLD)


@pytest.mark.parametrize("scheme", OTHER_SCHEMES)
def test_every_scheme_becomes_iob2(converted: Convert, tmp_path: Path, scheme: str) -> None:
    said = converted("my.dev.conll", conll(OTHER_SCHEMES[scheme]))
    assert written(tmp_path) == GOLD
    assert said["validation"] == {"sentences": 2, "LOC": 2, "ORG": 1, "PER": 1, "begun_by_I": 3 if scheme == "IOB1" else 0}


def test_columns_are_named_from_either_end(converted: Convert, tmp_path: Path) -> None:
    converted("dev.tsv", conll(OTHER_SCHEMES["IOB2"], "{tag}\tx y\t{token}\tz"), "--columns=-2,1")
    assert written(tmp_path) == GOLD


def test_universal_ner_has_comments_and_numbers(converted: Convert, tmp_path: Path) -> None:
    lines = ["# sent_id = 1\n# text = Bonn\ttagt #1\n1\tBonn\tB-LOC\t-\t-\n2\t#1\tB-OTH\t-\tme\n3\tx\tI-OTH\t-\tme\n"]
    converted("de_x-ud-test.iob2", "\n".join(lines), "--map", "OTH=O", "--set", "2")
    assert written(tmp_path, "test") == [[("Bonn", "B-LOC"), ("#1", "O"), ("x", "O")]]
    assert (tmp_path / "out" / "deu_2" / "test.tsv").is_file()


def test_comments_trailing_tabs_and_hard_spaces_are_read(converted: Convert, tmp_path: Path) -> None:
    converted("dev.conll", "# newdoc id = 1\n# text = Bonn zahlt\nBonn\tB-LOC\t\nzahlt\tO\n\n#\tO\n10\u00a0000 O\n")
    assert written(tmp_path) == [[("Bonn", "B-LOC"), ("zahlt", "O")], [("#", "O"), ("10 000", "O")]]


@pytest.mark.parametrize("one_list", [False, True])
def test_json_by_line_or_as_one_list(converted: Convert, tmp_path: Path, one_list: bool) -> None:
    rows = [{"tokens": [t for t, _ in s], "ner_tags": [tag for _, tag in s]} for s in GOLD]
    converted("train.json", json.dumps(rows, indent=1) if one_list else "\n".join(map(json.dumps, rows)))
    assert written(tmp_path, "train") == GOLD


def test_numbers_are_named_and_blank_tokens_left_out(converted: Convert, tmp_path: Path) -> None:
    row = {"words": ["a\tb", "\u200a", "c"], "tags": [1, 1, 2]}
    converted("train.jsonl", json.dumps(row), "--labels", "O,B-GPE,I-GPE", "--map", "GPE=LOC")
    assert written(tmp_path, "train") == [[("a b", "B-LOC"), ("c", "I-LOC")]]


@pytest.mark.parametrize(
    ("name", "text", "options", "said"),
    [
        (
            "dev.conll",
            "a B-MISC\nb I-MISC\nc B-GPE\n",
            [],
            "LOC, ORG, PER: MISC (2 tokens), GPE (1 tokens); say what each becomes, as in --map GPE=O --map MISC=O",
        ),
        ("dev.conll", "a B-GPE\n", ["--map", "GPE=LOK"], "--map GPE=LOK: expected TYPE=TYPE, the second one of LOC, ORG, PER, O; did you mean LOC?"),
        ("some.conll", "a O\n", [], "some.conll: its name does not tell the split"),
        ("dev.conll", "a O\nb\n", [], "dev.conll:2: one column"),
        ("dev.conll", "a O\n", ["--columns", "1,4"], "dev.conll:1: 2 columns: 'a O'; name those of token and tag with --columns"),
        ("dev.conll", "a O\n", ["--columns", "0,4"], "--columns 0,4: expected two numbers"),
        ("dev.conll", "\n", [], "dev.conll: holds no sentence"),
        ("dev.conll", "1\tAnna\tB-PER\n2\tsings\tO\n", [], "dev.conll: its first column numbers the words"),
        ("dev.jsonl", '{"tokens": ["a"], "ner_tags": [null]}', [], "dev.jsonl:1: None is no tag"),
        ("dev.jsonl", '{"tokens": ["a"], "ner_tags": [1]}', [], "dev.jsonl:1: tag 1 is a number; name what the numbers stand for with --labels"),
        ("dev.jsonl", '{"tokens": ["a"], "ner_tags": [7]}', ["--labels", "O"], "dev.jsonl:1: tag 7, but --labels names 1"),
        ("dev.jsonl", '\n{"tokens": ["a"], "ner_tags": []}', [], "dev.jsonl:2: 1 tokens and 0 tags"),
        ("dev.jsonl", '{"text": "a"}', [], "dev.jsonl:1: expected an object with the lists"),
        ("dev.jsonl", "{", [], "dev.jsonl:1: no JSON"),
    ],
)
def test_what_cannot_be_converted_is_an_error(
    converted: Convert, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, options: list[str], said: str
) -> None:
    with pytest.raises(SystemExit):
        converted(name, text, *options)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("conlipa: error: ")
    assert said in line
    assert not (tmp_path / "out").exists()


def test_files_of_one_split_are_joined_and_none_is_written_over(tmp_path: Path) -> None:
    for name in ("a.train.conll", "b.train.conll", "c.test.conll"):
        (tmp_path / name).write_text(f"{name} B-LOC\n", encoding="utf-8")
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    command = ["-m", "conlipa.dataset_scripts.wikiann.convert", *files, "--lang", "German", "--out", str(tmp_path / "out")]
    run(*command)
    assert written(tmp_path, "train") == [[("a.train.conll", "B-LOC")], [("b.train.conll", "B-LOC")]]
    assert written(tmp_path, "test") == [[("c.test.conll", "B-LOC")]]
    assert "is there already; name another set with --set 2" in run(*command, code=1).stderr


def test_json_that_no_corpus_can_hold_is_one_line(converted: Convert, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = '{"tokens": ["Bonn", "%s"], "ner_tags": ["B-LOC", "O"]}\n'
    for text, said in (
        (row % "ist" + row % r"\ud83d", r"dev.jsonl:2: '\ud83d' has half of a surrogate pair"),
        (row % "ist" + row % r"i\u0000st", r"dev.jsonl:2: 'i\x00st' has a NUL character"),
        ("[" * 100_000, "dev.jsonl: no JSON"),
    ):
        with pytest.raises(SystemExit):
            converted("dev.jsonl", text)
        assert said in capsys.readouterr().err
        assert not (tmp_path / "out").exists()
    converted("dev.jsonl", '{"tokens": [], "ner_tags": []}\n' + row % "ist")
    assert written(tmp_path) == [[("Bonn", "B-LOC"), ("ist", "O")]]
