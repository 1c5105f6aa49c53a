"""`conlipa evaluate --predictions`: a file of labels scored as a model is, and refused by its line where it does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conlipa.cli import main
from conlipa.dataset_scripts.tables import FOLDER
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.modeling.data.corpus import Corpus, encoded
from conlipa.modeling.encoder import load_adapted, max_length
from conlipa.modeling.evaluation.evaluation import tagged
from conlipa.modeling.evaluation.significance import paired_bootstrap
from conlipa.modeling.inference.packaged import packaged
from conlipa.modeling.phoneme_ner_f1.phoneme_ner_f1 import entity_counts
from tests.conftest import conlipa

GOLD = FOLDER / "sample" / "tgk" / "dev.tsv"
LINES = GOLD.read_text(encoding="utf-8").splitlines()
WORDS = [line.partition("\t")[0] for line in LINES]
"""Each of the first two sentences has two words."""


@pytest.fixture
def evaluate(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """The command in this process; the scores that it writes."""

    def run(*arguments: str) -> dict[str, Any]:
        out = tmp_path / "scores.json"
        main(["evaluate", *arguments, "--json", str(out)])
        return json.loads(out.read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    return run


def test_the_truth_has_all_points(tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    shown = conlipa("evaluate", "--predictions", str(GOLD), "--langs", "tgk", "--json", str(out)).stdout
    expected = {"paper_f1": 100.0, "paper_f1_interval": [100.0, 100.0], "entity_f1": 100.0, "entity_f1_interval": [100.0, 100.0], "n": 80}
    assert json.loads(out.read_text(encoding="utf-8"))["languages"] == {"tgk": expected}
    assert "| Tajik (tgk) | 80 | 100.00 (100.00 to 100.00) | 100.00 (100.00 to 100.00) |" in shown


def test_labels_alone_and_windows_line_ends(evaluate: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    alone = tmp_path / "labels.txt"
    alone.write_bytes("\r\n".join(line.rpartition("\t")[2] for line in LINES).encode("utf-8-sig"))
    result = evaluate("--predictions", str(alone), "--langs", "Tajik")
    assert result["average"] == {"paper_f1": 100.0, "entity_f1": 100.0}


def test_several_languages_come_from_a_folder(evaluate: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    for iso in ("tgk", "sin"):
        text = (FOLDER / "sample" / iso / "dev.tsv").read_text(encoding="utf-8")
        (tmp_path / f"{iso}.tsv").write_text(text if iso == "tgk" else text.replace("\tB-LOC", "\tB-ORG"), encoding="utf-8")
    found = evaluate("--predictions", str(tmp_path))
    assert list(found["languages"]) == ["sin", "tgk"]
    assert found["languages"]["sin"]["entity_f1"] < 100
    assert found["average"]["entity_f1"] == pytest.approx((100 + found["languages"]["sin"]["entity_f1"]) / 2)
    assert list(evaluate("--predictions", str(tmp_path), "--langs", "tgk")["languages"]) == ["tgk"]


def test_a_model_s_own_predictions_have_the_model_s_scores(evaluate: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    where, (model, tokenizer), corpus = packaged("mini", None), load_adapted(*packaged("mini", None)), Corpus("sample")
    said, rows = tagged(model, tokenizer, corpus, "tgk", "validation"), list(corpus.split("tgk", "validation"))

    def written(sentences: list[int], labels: list[list[int]], path: Path) -> str:
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (
            f"{word}\t{LABELS[label]}\n" if word else "\n"
            for i in sentences
            for word, label in [*zip(rows[i]["tokens"], labels[i], strict=True), ("", 0)]
        )
        path.write_text("".join(lines), encoding="utf-8")
        return str(path)

    everything = evaluate("--predictions", written(list(range(80)), said.predicted_words, tmp_path / "all.tsv"), "--langs", "tgk")["languages"]["tgk"]
    counts = entity_counts(said.words, said.predicted_words)
    own = evaluate("--model", where[0], "--adapter", str(where[1]), "--langs", "tgk")["languages"]["tgk"]
    assert everything["entity_f1"] == own["entity_f1"]
    low, high = everything["entity_f1_interval"]
    nothing = paired_bootstrap(counts, np.multiply(counts, [0, 0, 1]), 0, 1000)  # a model that finds nothing has 0 in every resample
    assert (low, high) == pytest.approx((nothing.low, nothing.high))
    # A file knows one label a word. Where the model gives a word's phonemes labels that agree, its positions are the file's: there both scores do.
    length = max_length(tokenizer)
    spread = encoded([{**row, "ner_tags": tags} for row, tags in zip(rows, said.predicted_words, strict=True)], tokenizer, length)
    whole = [i for i, example in enumerate(spread) if example["labels"] == said.predicted_positions[i]]
    assert 20 < len(whole) < 80
    folder, predicted = tmp_path / "wikiann", tmp_path / "whole.tsv"
    written(whole, said.words, folder / "tgk" / "dev.tsv")
    of_file = evaluate("--predictions", written(whole, said.predicted_words, predicted), "--langs", "tgk", "--wikiann", str(folder))
    assert 0 < of_file["average"]["entity_f1"] < 100
    assert of_file["average"] == evaluate("--model", "mini", "--langs", "tgk", "--wikiann", str(folder))["average"]


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[Any, str]:
    """Exit code and the one line of complaint."""
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", *arguments])
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("conlipa: error: "))
    return stopped.value.code, line.removeprefix("conlipa: error: ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [*lines[:4], "x" + lines[4], *lines[5:]], f":5: word 2 of sentence 2 is {'x' + WORDS[4]!r}, expected {WORDS[4]!r}"),
        (lambda lines: [*lines[:4], WORDS[4] + "\tB-LCO", *lines[5:]], ":5: unknown label 'B-LCO'; did you mean B-LOC"),
        (lambda lines: [*lines[:4], "B-PRE", *lines[5:]], ":5: unknown label 'B-PRE'; did you mean B-PER"),
        (lambda lines: lines[1:], f":1: word 1 of sentence 1 is {WORDS[1]!r}, expected {WORDS[0]!r}"),
        (lambda lines: [lines[0], *lines[2:]], f":2: sentence 1 ends here, expected its word 2, {WORDS[1]!r}"),
        (lambda lines: [*lines[:2], *lines[3:]], ":3: expected an empty line after the 2 words of sentence 1, found "),
        (lambda lines: [*lines, "", "x\tO"], f":{len(LINES) + 2}: expected the end of the file after 80 sentences (the tgk validation split)"),
        (lambda lines: lines[:3], ":2: ends after 1 sentences, expected 80 (the tgk validation split)"),
        (lambda lines: lines[:1], ":2: sentence 1 ends here, expected its word 2"),
        (lambda lines: [], ":1: ends after 0 sentences, expected 80"),
        (lambda lines: [*lines[:6], "\udcff\tO", *lines[7:]], ":7: not UTF-8"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_its_line(
    change: Callable[[list[str]], list[str]], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.tsv"
    path.write_bytes("\n".join(change(list(LINES))).encode("utf-8", "surrogateescape"))
    code, line = said(["--predictions", str(path), "--langs", "tgk", "--json", str(tmp_path / "out.json")], capsys)
    assert code == 1
    assert line.startswith(f"{path}{message}")
    assert not (tmp_path / "out.json").exists()


def test_titles_and_running_text_are_never_one_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tgk").mkdir()
    (tmp_path / "tgk" / "dev.tsv").write_text("Душанбе\tB-LOC\n", encoding="utf-8")
    code, line = said(["--predictions", str(GOLD), "--langs", "tgk", "--corpus", f"titles=sample:running={tmp_path}"], capsys)
    assert code == 2
    assert "has tgk as titles and as running, which are never one score" in line


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([str(GOLD)], 2, "dev.tsv: is the file of one language; name it with --langs"),
        ([str(GOLD), "--langs", "tgk,sin"], 2, "dev.tsv: is the file of one language; name it with --langs"),
        ([str(GOLD), "--langs", "tha"], 1, "no validation split of Thai"),
        (["none.tsv", "--langs", "tgk"], 1, "none.tsv: No such file or directory"),
        ([str(FOLDER / "letters")], 2, "letters: holds no ISO.tsv"),
    ],
)
def test_what_is_missing_is_an_error(arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    found, line = said(["--predictions", *arguments], capsys)
    assert found == code
    assert message in line
