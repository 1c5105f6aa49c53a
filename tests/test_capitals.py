"""Case marks: which words get one, and that the tagger, the command line and stock classes read the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from conlipa.dataset_scripts.g2p.capitals import capitals, with_case_marks
from conlipa.modeling.alignment import NO_LABEL, encode, word_labels
from conlipa.modeling.inference.packaged import packaged
from conlipa.modeling.tokenizer import phoneme_tokenizer
from tests.conftest import conlipa


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Angela Merkel visited Tokyo .", "1101 0"),
        ('"Berlin" is big', "100"),
        ("the iPhone of NATO", "0001"),
        ("ANGELA MERKEL VISITED TOKYO", "0000"),  # a headline: capitals tell nothing
        ("रवि NASA ISRO", "011"),  # no headline: its own script has no capitals
        ("ʻOumuamua flew by", "100"),
        ("NATO", "1"),
        ("NATO 2024 :", "100"),
        ("Кыргызстан жана Москва", "101"),
        ("තම රට ලංකාව", "000"),
        ("თბილისი საქართველო", "00"),  # Georgian writes its letters in one case
        ("12 Angry Men", "011"),
        ("ǅungla i Šuma", "101"),
    ],
)
def test_the_first_letter_decides(text: str, marked: str) -> None:
    assert capitals(text.split()) == [mark == "1" for mark in marked.replace(" ", "")]


@given(st.lists(st.text(max_size=6), max_size=8))
def test_a_mark_for_each_word_at_most_and_none_where_all_is_lower_case(words: list[str]) -> None:
    assert len(capitals(words)) == len(words)
    assert not any(capitals([word.lower() for word in words])) or any(c.isupper() or c.istitle() for w in words for c in w.lower())


def test_a_mark_is_a_position_without_a_label_and_the_phonemes_are_cut_as_without() -> None:
    words, labels = [["a", "n", "a"], ["ɪ", "n"], ["o", "s", "l", "o"]], [1, 0, 5]
    tokenizer = phoneme_tokenizer()
    plain = encode(tokenizer, words, labels, 9)
    marked = encode(tokenizer, words, labels, 9, [True, False, True])
    kept = [place for place, label in enumerate(marked["labels"]) if label != NO_LABEL]
    assert {name: [values[place] for place in kept] for name, values in marked.items()} == plain
    assert tokenizer.convert_ids_to_tokens(marked["input_ids"])[:3] == ["<s>", "^", "a"]
    assert word_labels(marked["labels"], marked["word_ids"], 3) == word_labels(plain["labels"], plain["word_ids"], 3)


def test_phonemize_writes_marks_where_asked() -> None:
    plain = conlipa("phonemize", "--lang", "eng", stdin="Anna met bob in Oslo\n").stdout.rstrip("\n").split(" ▁ ")
    marked = conlipa("phonemize", "--lang", "eng", "--case-marks", stdin="Anna met bob in Oslo\n").stdout.rstrip("\n").split(" ▁ ")
    assert [word.removeprefix("^ ") for word in marked] == plain
    assert [word.startswith("^ ") for word in marked] == [True, False, False, False, True]
    tokenizer = AutoTokenizer.from_pretrained(packaged("mini")[0])
    assert tokenizer.unk_token_id not in tokenizer(" ▁ ".join(marked))["input_ids"]


def test_marks_stand_before_the_phonemes() -> None:
    assert with_case_marks(["Anna", "met"], [["æ", "n", "ə"], ["m", "ɛ", "t"]]) == [["^", "æ", "n", "ə"], ["m", "ɛ", "t"]]


def test_the_packaged_model_reads_capitals() -> None:
    lines = ["Angela Merkel visited Tokyo on Monday.", "angela merkel visited tokyo on monday."]
    upper, lower = (json.loads(line) for line in conlipa("tag", "--lang", "eng", stdin="\n".join(lines) + "\n").stdout.splitlines())
    assert "Angela Merkel" in {entity["text"] for entity in upper["entities"]}
    assert upper["entities"] != lower["entities"]


def test_to_evaluate_without_case_marks_is_to_read_lower_case(tmp_path: Path) -> None:
    sentence = "Angela\tB-PER\nMerkel\tI-PER\nvisited\tO\nTokyo\tB-LOC\non\tO\nMonday\tO\n.\tO\n\n"
    scores = []
    for name, text, more in (("cased", sentence, []), ("cased", sentence, ["--no-case-marks"]), ("lower", _lower(sentence), [])):
        (tmp_path / name / "eng").mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "eng" / "dev.tsv").write_text(text, encoding="utf-8")
        out = tmp_path / "scores.json"
        conlipa("evaluate", "--model", "mini", "--corpus", tmp_path / name, "--langs", "eng", "--json", out, *more)
        scores.append(json.loads(out.read_text(encoding="utf-8"))["languages"]["eng"])
    marked, unmarked, lower = scores
    assert unmarked == lower != marked


def _lower(sentence: str) -> str:
    return "\n".join("\t".join([line.split("\t")[0].lower(), *line.split("\t")[1:]]) for line in sentence.split("\n"))
