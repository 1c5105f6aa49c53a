from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conlipa.dataset_scripts.quality.agreement import agreement, read_sentences
from conlipa.errors import ConlipaError
from tests.conftest import SHARED, run

ROWS = [
    {"tokens": ["Тоҷикистон", "китоб", "1999", "."], "ipa_tokens": ["tɔd͡ʒikistɔn", "k i t ɔː b", "n aɪ n", "."]},
    {"tokens": ["забон", "дил"], "ipa_tokens": ["zæbɔn", "дil"]},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tgk.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    return tmp_path


def test_only_tokens_of_letters_are_compared_and_in_one_normal_form(folder: Path) -> None:
    found = agreement("tgk", read_sentences(folder / "tgk.jsonl"))
    assert (found.sentences, found.tokens, found.untranscribed) == (2, 4, 1)
    assert found.phonemes == 10 + 5 + 5 + 3
    assert found.edits == 2
    assert found.differences == {"æ → a": 1, "∅ → d": 1}
    assert found.percent == pytest.approx(100 * (1 - 2 / found.phonemes))


def test_the_command_prints_a_table(folder: Path) -> None:
    printed = run("-m", "conlipa.dataset_scripts.quality.agreement", str(folder)).stdout
    assert printed.splitlines()[2].startswith("| tgk | 2 | 4 | 1 | ")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{}", "expected an object with 'tokens' and 'ipa_tokens'"),
        ("[1", "expected an object with 'tokens' and 'ipa_tokens'"),
        ('{"tokens": ["a"], "ipa_tokens": []}', "1 tokens, but 0 transcriptions"),
    ],
)
def test_a_broken_line_is_an_error(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "tgk.jsonl").write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(ConlipaError, match=re.escape(f"tgk.jsonl:2: {reason}")):
        read_sentences(tmp_path / "tgk.jsonl")


@pytest.mark.skipif(not (SHARED / "data/paper_ipa").is_dir(), reason="the papers' own transcription is not beside the repository")
@pytest.mark.parametrize("iso", ["tgk", "ina"])
def test_the_papers_transcription_is_much_like_ours(iso: str) -> None:
    found = agreement(iso, read_sentences(SHARED / f"data/paper_ipa/{iso}.jsonl"))
    assert found.sentences == 100
    assert found.percent > 75
