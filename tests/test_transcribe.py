"""A corpus as parquet: what the command writes, that it resumes where it was killed, and that two workers write the same."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from conlipa.dataset_scripts.g2p.phonemizer import ipa_string, phonemizer
from conlipa.dataset_scripts.g2p.words import words
from conlipa.dataset_scripts.wikiann.transcribe import transcribe_corpus
from conlipa.dataset_scripts.wikiann.wikiann import source
from conlipa.errors import ConlipaError
from tests.conftest import ROOT, run

SHARDS = 4


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    sentences = [sentence.tokens for sentence in source("sample").sentences("tgk", "validation")]
    folder = tmp_path / "in"
    (folder / "more").mkdir(parents=True)
    for number in range(SHARDS):
        part = sentences[number::SHARDS]
        table = pa.table({"id": range(len(part) + 1), "text": [*map(" ".join, part), None], "tokens": [*part, None]})
        parquet.write_table(table, folder / ("more" if number % 2 else ".") / f"{number}.parquet", row_group_size=5)
    return folder


def transcribe(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    return run("-m", "conlipa.dataset_scripts.wikiann.transcribe", *arguments, code=code)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_ipa_stands_beside_what_was_there(corpus: Path, tmp_path: Path) -> None:
    done = transcribe(str(corpus), "--out", str(tmp_path / "out"), "--lang", "tgk")
    assert json.loads(done.stdout) == {"shards": SHARDS, "done_before": 0, "rows": 80 + SHARDS}
    for path in corpus.rglob("*.parquet"):
        before, after = (parquet.read_table(place) for place in (path, tmp_path / "out" / path.relative_to(corpus)))
        assert after.column_names == ["id", "text", "tokens", "ipa", "ipa_tokens"]
        assert after.select(before.column_names).equals(before)
        for row in after.to_pylist()[:-1]:
            assert row["ipa_tokens"] == [" ".join(phonemes) for phonemes in phonemizer("tgk")(row["tokens"])]
            assert row["ipa"] == ipa_string(phonemizer("tgk")([word.text for word in words(row["text"])]))
        assert after.to_pylist()[-1]["ipa"] is after.to_pylist()[-1]["ipa_tokens"] is None


def test_what_is_finished_is_left_alone(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    transcribe_corpus(corpus, out, "tgk")
    whole = content(out)
    (out / "0.parquet").rename(out / "0.parquet.partial")
    times = {name: (out / name).stat().st_mtime_ns for name in whole if name != "0.parquet"}
    assert transcribe_corpus(corpus, out, "tgk") == {"shards": SHARDS, "done_before": SHARDS - 1, "rows": 21}
    assert content(out) == whole
    assert all((out / name).stat().st_mtime_ns == written for name, written in times.items())


def test_another_table_of_the_same_name_is_another_engine(corpus: Path, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("Orth,Phon\nа,a\n", encoding="utf-8")
    done = transcribe_corpus(corpus, tmp_path / "out", "tgk", f"map:{table}")
    assert transcribe_corpus(corpus, tmp_path / "out", "tgk", f"map:{table}") == {**done, "done_before": SHARDS, "rows": 0}
    table.write_text("Orth,Phon\nа,o\n", encoding="utf-8")
    with pytest.raises(ConlipaError, match="as its table is now; name another --out"):
        transcribe_corpus(corpus, tmp_path / "out", "tgk", f"map:{table}")


def test_a_changed_input_is_not_answered_with_its_old_output(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transcribe_corpus(corpus / "0.parquet", tmp_path / "out", "tgk")
    monkeypatch.setattr("conlipa.dataset_scripts.wikiann.transcribe.digest", lambda: "another kit")
    with pytest.raises(ConlipaError, match="was made by another version of the kit or of an engine; name another --out"):
        transcribe_corpus(corpus / "0.parquet", tmp_path / "out", "tgk")
    monkeypatch.undo()
    parquet.write_table(parquet.read_table(corpus / "0.parquet").slice(1), corpus / "0.parquet")
    with pytest.raises(ConlipaError, match=r"was made of another 0\.parquet"):
        transcribe_corpus(corpus / "0.parquet", tmp_path / "out", "tgk")


def test_without_ray_one_process_does_it(corpus: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['ray'] = None\n"
        "from pathlib import Path; from conlipa.dataset_scripts.wikiann.transcribe import transcribe_corpus\n"
        f"print(transcribe_corpus(Path({str(corpus)!r}), Path({str(tmp_path / 'out')!r}), 'tgk', workers=2)['rows'])"
    )
    done = run("-c", code)
    assert done.stdout == f"{80 + SHARDS}\n"
    assert "ray is not installed (pip install 'conlipa[ray]'): one process does it all" in done.stderr


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (pa.table({"words": ["a"]}), "expected a column 'text' of strings or 'tokens' of lists of strings (it has words: string)"),
        (pa.table({"text": [1]}), "(it has text: int64)"),
        (pa.table({"text": ["a"], "ipa": ["a"]}), "has a column 'ipa' already"),
        (None, "cannot be read as parquet"),
    ],
)
def test_a_shard_that_cannot_be_read_stops_no_other(corpus: Path, tmp_path: Path, table: pa.Table | None, reason: str) -> None:
    bad = corpus / "bad.parquet"
    parquet.write_table(table, bad) if table is not None else bad.write_bytes(b"PAR1 no parquet")
    done = transcribe(str(corpus), "--out", str(tmp_path / "out"), "--lang", "tgk", code=1)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("transcribe: error: ")]
    assert f"1 of {SHARDS + 1} shards failed; first: {bad}: " in line
    assert reason in line
    assert "Traceback" not in done.stderr
    assert len(content(tmp_path / "out")) == SHARDS


def test_mistakes_are_told_before_any_work(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    transcribe_corpus(corpus, out, "tgk")
    for arguments, code, reason in (
        ([str(corpus), "--out", str(out), "--lang", "tuk"], 1, "was not made by this command with --lang tuk --engine auto"),
        ([str(corpus), "--out", str(corpus), "--lang", "tgk"], 2, "is where the input lies"),
        ([str(tmp_path / "none"), "--out", str(out), "--lang", "tgk"], 1, "no such file, or a folder without any *.parquet"),
        ([str(corpus), "--out", str(tmp_path / "new"), "--lang", "tgkk"], 2, "unknown language 'tgkk'"),
    ):
        assert reason in transcribe(*arguments, code=code).stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra `ray` is not installed")
def test_two_workers_killed_and_resumed_write_what_one_writes(corpus: Path, tmp_path: Path) -> None:
    sentences = [" ".join(sentence.tokens) for sentence in source("sample").sentences("tgk", "validation")]
    for number in range(12):
        parquet.write_table(pa.table({"text": [f"{text} {number}x{i}" for i in range(60) for text in sentences]}), corpus / f"more{number}.parquet")
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    transcribe_corpus(corpus, alone, "tgk")
    command = [
        sys.executable,
        "-m",
        "conlipa.dataset_scripts.wikiann.transcribe",
        str(corpus),
        "--out",
        str(shared),
        "--lang",
        "tgk",
        "--workers",
        "2",
    ]
    first = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list(shared.rglob("*.parquet")) and first.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    finished = len(list(shared.rglob("*.parquet")))
    done = run(*command[1:])
    counts = json.loads(done.stdout)
    assert counts["shards"] == 12 + SHARDS
    assert finished <= counts["done_before"] < counts["shards"]
    assert content(shared) == content(alone)
