"""Corpora that look like the kit's form and are not: read right, or refused with file, line and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conlipa.cli import main
from conlipa.dataset_scripts.wikiann.wikiann import Folder
from conlipa.errors import ConlipaError

GOLD = "Париж\tB-LOC\nЛион\tB-LOC\nи\tO\nМария\tB-PER\nКюри\tI-PER\n\nООН\tB-ORG\n\n"
TOKENS = [["Париж", "Лион", "и", "Мария", "Кюри"], ["ООН"]]
TAGS = [["B-LOC", "B-LOC", "O", "B-PER", "I-PER"], ["B-ORG"]]
IOB1 = GOLD.replace("Париж\tB", "Париж\tI").replace("Мария\tB", "Мария\tI").replace("ООН\tB", "ООН\tI")


def folder(tmp_path: Path, content: bytes) -> Path:
    (tmp_path / "tgk").mkdir(exist_ok=True)
    (tmp_path / "tgk" / "dev.tsv").write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOLD.encode("utf-8-sig"), ""),
        (GOLD.encode("utf-16"), ""),
        (b"\xfe\xff" + GOLD.encode("utf-16-be"), ""),
        (f"-DOCSTART-\tO\n{GOLD}-DOCSTART- -X- O O\n".encode(), ""),
        ("".join(f"tg:{line}" if line.strip() else line for line in GOLD.splitlines(keepends=True)).encode(), "as in PAN-X"),
        (IOB1.encode(), "is in IOB1"),
    ],
    ids=["BOM", "UTF-16", "UTF-16 BE", "DOCSTART", "PAN-X", "IOB1"],
)
def test_what_can_be_read_is_read_right(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes, said: str) -> None:
    read = Folder(folder(tmp_path, content))
    sentences = read.sentences("tgk", "validation")
    assert [s.tokens for s in sentences] == TOKENS
    assert [s.tags for s in sentences] == TAGS
    assert read.orphans["tgk/validation"] == 0
    assert said in caplog.text
    assert bool(said) == bool(caplog.text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Париж\tNNP\tI-NP\tB-LOC\n", r"dev\.tsv:1: 4 columns, expected token and tag; `python -m \S+convert --columns 1,4`"),
        ("а\tO\nПариж NNP I-NP B-LOC\n", r"dev\.tsv:2: no tab between .*convert --columns 1,4`"),
        ("а\tO\n\nа\tB-MISC\n", r"dev\.tsv:3: unknown tag 'B-MISC'.*`python -m \S+convert` turns other schemes and types"),
        ("а\tU-LOC\n", r"dev\.tsv:1: unknown tag 'U-LOC'"),
        ("P\0a\0\t\0O\0\n\0", r"dev\.tsv:1: holds NUL bytes, as UTF-16 without a byte order mark"),
    ],
)
def test_what_cannot_is_refused_with_its_line_and_a_way(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConlipaError, match=said):
        Folder(folder(tmp_path, text.encode())).sentences("tgk", "validation")


@pytest.mark.parametrize("text", ["a:b\tO\na:c\tO\n", "tg:a\tO\nb\tO\n", "re:a\tO\nre:b\tO\n", "tg:\tO\n"])
def test_a_token_with_a_colon_stays_as_it_is(tmp_path: Path, text: str) -> None:
    (sentence,) = Folder(folder(tmp_path, text.encode())).sentences("tgk", "validation")
    assert "".join(f"{token}\tO\n" for token in sentence.tokens) == text


def test_iob1_is_refused_where_strict(tmp_path: Path) -> None:
    with pytest.raises(ConlipaError, match=r"dev\.tsv:1: I-LOC continues no entity"):
        Folder(folder(tmp_path, IOB1.encode()), strict=True).sentences("tgk", "validation")


def test_iob1_scored_against_itself_has_all_points(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    where = folder(tmp_path, IOB1.encode())
    main(["evaluate", "--predictions", str(where / "tgk" / "dev.tsv"), "--langs", "tgk", "--corpus", str(where), "--json", str(tmp_path / "o.json")])
    assert json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))["average"] == {"paper_f1": 100.0, "entity_f1": 100.0}
    assert "is in IOB1" in caplog.text


def test_evaluate_says_how_many_i_tags_continue_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = folder(tmp_path, (GOLD + "Рим\tI-LOC\nи\tO\nООН\tI-ORG\n").encode())
    main(["evaluate", "--model", "mini", "--langs", "tgk", "--corpus", str(where)])
    main(["evaluate", "--model", "mini", "--langs", "tgk", "--corpus", str(where)])  # from the cache, it is said again
    assert capsys.readouterr().err.count("evaluate: 2 I- tags continue nothing; no entity of entity_f1 (tgk 2)") == 2
