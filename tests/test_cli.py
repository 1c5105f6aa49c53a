"""Every command as it is typed: what it prints, and what it says to bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conlipa.dataset_scripts.languages import languages
from tests.conftest import complaint, conlipa, run

PIPED = """
import subprocess, sys
with open(sys.argv[1], "rb") as text:
    subprocess.run([sys.executable, "-m", "conlipa", *sys.argv[2:]], stdin=text, check=True)
"""


def test_phonemize_gives_a_line_for_a_line() -> None:
    text = "Washington , 1999\n\n   \nhello\n"
    lines = conlipa("phonemize", "--lang", "eng", stdin=text).stdout.split("\n")
    assert lines == ["w ɑ ʃ ɪ ŋ t ə n ▁ , ▁ 1 9 9 9", "", "", "h ə l o ʊ", ""]


def test_phonemize_reads_files_and_writes_json(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("müzik\n", encoding="utf-8")
    done = conlipa("phonemize", "--lang", "tur", "--json", str(tmp_path / "a.txt"))
    assert json.loads(done.stdout) == {"text": "müzik", "ipa": "m y z i k"}


def test_hostile_lines_keep_their_number(tmp_path: Path) -> None:
    text = tmp_path / "hostile.txt"
    text.write_bytes(
        "\n".join(["\u202e\u2067abc\u2069", "a\u0000b", "👩‍👩‍👧 🇰🇷", "x" * 200_000, "", "a\u2028b\u0085c"]).encode() + b"\n\xff\xfe broken\n"
    )
    for lang in ("eng", "urd", "cmn"):
        out = conlipa("phonemize", "--lang", lang, str(text)).stdout
        assert out.count("\n") == 7


def test_utf_16_is_read_by_its_mark(tmp_path: Path) -> None:
    text = "Кыргызстан\r\nБишкек\r\n"
    file = tmp_path / "a.txt"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-be"):
        mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
        file.write_bytes(mark + text.encode(encoding))
        read = [conlipa("phonemize", "--lang", "kir", str(file)).stdout, run("-c", PIPED, str(file), "phonemize", "--lang", "kir").stdout]
        assert read == ["q ɯ r ʁ ɯ z s t ɑ n\nb i ʃ k e k\n"] * 2


def test_a_headline_shows_the_marks_that_its_sentence_gets() -> None:
    shown = conlipa("phonemize", "--lang", "eng", "--case-marks", stdin="BREAKING NEWS. Kim visited Busan.\n").stdout
    headline, sentence = shown.split(" . ▁ ")
    assert "^" not in headline
    assert sentence.count("^") == 2


def test_an_own_letter_table_by_the_command_line(tmp_path: Path) -> None:
    table = tmp_path / "my.csv"
    table.write_text("Orth,Phon\na,a\nsh,ʃ\n", encoding="utf-8")
    assert conlipa("phonemize", "--lang", "zzz", "--engine", f"map:{table}", stdin="Sha\n").stdout == "ʃ a\n"


def test_tag_gives_spans_in_the_text(tiny_release: Path) -> None:
    text = "ශ්\u200dරී ලංකාව — Colombo , «London» .\n\nMarie Curie\n"
    done = conlipa(
        "tag", "--lang", "sin", "--model", str(tiny_release / "tiny-ner"), "--adapter", str(tiny_release / "tiny-ipac"), "--json", stdin=text
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == text.split("\n")[:3]
    assert rows[1]["entities"] == []
    for row in rows:
        for entity in row["entities"]:
            assert set(entity) == {"start", "end", "text", "label", "score"}
            assert row["text"][entity["start"] : entity["end"]] == entity["text"]
            assert entity["label"] in ("PER", "ORG", "LOC")
            assert 0 < entity["score"] <= 1


def test_evaluate_writes_the_contract_s_json(tiny_release: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    done = conlipa("evaluate", "--model", str(tiny_release / "tiny-ner"), "--wikiann", "sample", "--langs", "sin,tgk", "--json", str(out))
    scores = json.loads(out.read_text(encoding="utf-8"))
    assert list(scores["languages"]) == ["sin", "tgk"]
    assert set(scores["languages"]["sin"]) == {"paper_f1", "entity_f1", "n"}
    assert set(scores["average"]) == set(scores["std"]) == {"paper_f1", "entity_f1"}
    released = json.loads((tiny_release / "evaluation.json").read_text(encoding="utf-8"))
    assert scores["languages"]["sin"] == released["before"]["languages"]["sin"]
    assert "| Sinhala (sin) | 80 |" in done.stdout


def test_languages_are_listed() -> None:
    rows = [json.loads(line) for line in conlipa("languages", "--json").stdout.splitlines()]
    assert [row["iso"] for row in rows] == list(languages())


@pytest.mark.parametrize("command", ["", "phonemize", "tag", "evaluate", "release", "publish", "demo"])
def test_help_helps(command: str) -> None:
    text = conlipa(*filter(None, [command]), "--help").stdout
    assert text.startswith("usage: conlipa")
    assert len(text) > 200


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["phonemize", "--lang", "turkmem"], 2, "unknown language 'turkmem'; did you mean tuk (Turkmen)"),
        (["phonemize", "--lang", "eng", "nowhere.txt"], 1, "nowhere.txt: No such file or directory"),
        (["phonemize", "--lang", "kin", "--engine", "espeak"], 1, "Kinyarwanda (kin) has no engine 'espeak'"),
        (["phonemize", "--lang", "kin", "--engine", "espaek"], 2, "unknown engine 'espaek'; did you mean espeak"),
        (["phonemize", "--lang", "kin", "--engine", "map:no.csv"], 1, "no.csv: no such letter table"),
        (["phonemize", "--lang", "kin", "--engine", "espeak:xx"], 1, "espeak-ng has no voice 'xx'"),
        (["tag", "--lang", "sin", "--model", "/nowhere/model"], 1, "/nowhere/model: no such model folder"),
        (["tag", "--lang", "sin", "--model", "tests"], 1, "tests: no model folder (config.json is missing)"),
        (["evaluate", "--model", "tests", "--corpus", "nowhere"], 1, "nowhere: no such corpus folder"),
        (["evaluate", "--model", "tests", "--langs", "sim"], 2, "unknown language 'sim'; did you mean"),
        (["evaluate", "--model", "tests", "--langs", "kbd"], 1, "sample: no validation split of Kabardian (kbd)"),
        (["evaluate", "--predictions", "x.tsv", "--no-case-marks"], 2, "--predictions scores a file and no model; leave out --no-case-marks"),
        (["release", "--profile", "minni"], 2, "unknown profile 'minni'; did you mean mini"),
        (["release", "--corpus", "tests"], 1, "tests: holds no ISO639-3/{train,dev,test}.tsv"),
        (["publish", "tests", "--namespace", "my org"], 2, "--namespace 'my org': no name that the Hub allows"),
        (["publish", "tests", "--namespace", "me"], 1, "tests: no release (release.json is missing)"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: list[str], code: int, reason: str) -> None:
    assert reason in complaint(*arguments, code=code)


def test_bad_usage_exits_2() -> None:
    assert "--lang" in conlipa("phonemize", code=2).stderr
    assert "invalid choice" in conlipa("frobnicate", code=2).stderr
    assert "--out is needed" in run("modeling/train.py", "ner", code=2).stderr


@pytest.mark.parametrize(("text", "reason"), [("Paris B-LOC\n", "dev.tsv:1: no tab"), ("Paris\tB-CITY\n", "dev.tsv:1: unknown tag 'B-CITY'")])
def test_bad_wikiann_lines_stop_a_release_before_anything_is_finished(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "wikiann" / "tur").mkdir(parents=True)
    (tmp_path / "wikiann" / "tur" / "dev.tsv").write_text(text, encoding="utf-8")
    out = tmp_path / "release"
    assert reason in complaint("release", "--corpus", str(tmp_path / "wikiann"), "--out", str(out), code=1)
    assert not (out / "wikiann-ipa").exists()


def test_strict_refuses_what_is_kept_otherwise(tmp_path: Path) -> None:
    (tmp_path / "tur").mkdir()
    (tmp_path / "tur" / "dev.tsv").write_text("Ankara\tI-LOC\n", encoding="utf-8")
    reason = complaint("evaluate", "--model", "mini", "--wikiann", str(tmp_path), "--strict", code=1)
    assert "dev.tsv:1: I-LOC continues no entity" in reason or "no packaged model" in reason


def test_a_model_folder_without_weights(tiny_release: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny_release / "tiny-ner" / name).read_bytes())
    assert "no model folder (model.safetensors is missing)" in complaint("tag", "--lang", "sin", "--model", str(tmp_path), code=1)
    (tmp_path / "model.safetensors").write_bytes(b"not weights at all")
    assert "cannot be loaded" in complaint("tag", "--lang", "sin", "--model", str(tmp_path), code=1)


@pytest.mark.parametrize(
    "arguments", [["tag", "--lang", "sin", "--model", "someone/model"], ["evaluate", "--model", "someone/model"], ["release", "--corpus", "hub"]]
)
def test_a_hub_repo_without_network_is_said_plainly(tmp_path: Path, arguments: list[str]) -> None:
    out = ["--out", str(tmp_path / "r")] if arguments[0] == "release" else []
    for env in ({"HF_HUB_OFFLINE": "1"}, {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"}):
        reason = complaint(*arguments, *out, code=1, env=env, timeout=40)
        assert "is a Hub repo, and" in reason
