"""The command line's streams: closed ones, full ones, and lines that cannot be tagged."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, complaint, conlipa

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell's redirections")
LINES = ["London", "თბილისი", "", "Душанбе"]
UNTOLD = "cannot be derived from its script"


def shell(arguments: str, redirection: str) -> subprocess.CompletedProcess[str]:
    command = f"{shlex.quote(sys.executable)} -m conlipa {arguments} {redirection}"
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=300, cwd=ROOT, input="London\n")


@pytest.mark.parametrize(
    ("arguments", "redirection", "said"),
    [
        ("phonemize --lang eng", "<&-", "standard input is closed; name a file"),
        ("tag --lang eng", "<&-", "standard input is closed; name a file"),
        ("phonemize --lang eng", ">&-", "standard output is closed"),
        ("languages", ">&-", "standard output is closed"),
    ],
)
def test_a_closed_stream_is_one_line(arguments: str, redirection: str, said: str) -> None:
    done = shell(arguments, redirection)
    assert (done.returncode, done.stderr) == (1, f"conlipa: error: {said}\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_one_line() -> None:
    done = shell("phonemize --lang eng", ">/dev/full")
    assert (done.returncode, done.stderr) == (1, "conlipa: error: No space left on device\n")


def test_what_is_said_on_a_closed_standard_error_is_not_said_on_standard_output() -> None:
    done = shell("phonemize --lang eng nowhere.txt", "2>&-")
    assert (done.returncode, done.stdout) == (1, "")


def test_a_line_whose_language_cannot_be_told_does_not_end_the_job() -> None:
    done = conlipa("tag", stdin="\n".join(LINES), code=1)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == LINES
    assert [UNTOLD in row.get("error", "") for row in rows] == [True, False, False, True]
    assert rows[0]["entities"] == rows[3]["entities"] == []
    assert "entities" in rows[1]
    assert rows[2] == {"text": "", "entities": []}
    (line,) = done.stderr.splitlines()
    assert line.startswith("conlipa: error: 2 of the lines could not be tagged; the first: the language of 'London'")


@pytest.mark.parametrize("form", ["conll", "doccano", "brat"])
def test_other_forms_say_it_beside(tmp_path: Path, form: str) -> None:
    done = conlipa("tag", "--format", form, *(["--out", str(tmp_path / "out")] if form == "brat" else []), stdin="\n".join(LINES), code=1)
    *each, last = done.stderr.splitlines()
    assert [line.startswith("conlipa: not tagged: the language of") for line in each] == [True, True]
    assert last.startswith("conlipa: error: 2 of the lines")
    text = (tmp_path / "out" / "stdin.txt").read_text(encoding="utf-8") if form == "brat" else done.stdout
    assert "London" in text
    assert "თბილისი" in text


@pytest.mark.parametrize("command", [["phonemize", "--lang", "tgk"], ["tag", "--lang", "tgk"]])
def test_a_line_without_end_is_refused_before_it_fills_the_memory(command: list[str]) -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no /dev/zero on this system")
    said = complaint(*command, "/dev/zero", code=1)
    assert said.startswith("/dev/zero:1: a line of more than 2,000,000 characters")
