from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.modeling.alignment import LABEL_IDS, encode, inside, word_labels
from conlipa.modeling.tokenizer import phoneme_tokenizer

TOKENIZER = phoneme_tokenizer()
SENTENCES = st.lists(st.tuples(st.lists(st.sampled_from("ptkaiu"), min_size=1, max_size=9), st.integers(0, 6)), min_size=1, max_size=40)


def named(ids: list[int]) -> str:
    return " ".join(LABELS[i] for i in ids)


@pytest.mark.parametrize(
    ("words", "labels", "expected"),
    [
        ([["k", "a"]], ["B-LOC"], "O B-LOC I-LOC O"),
        ([["k", "a"], ["t"]], ["B-PER", "I-PER"], "O B-PER I-PER O I-PER O"),
        ([["k"], ["t", "a"]], ["O", "I-ORG"], "O O O I-ORG I-ORG O"),
        ([["k"], ["t"]], ["B-LOC", "B-LOC"], "O B-LOC O B-LOC O"),
    ],
)
def test_phoneme_labels_worked_by_hand(words: list[list[str]], labels: list[str], expected: str) -> None:
    example = encode(TOKENIZER, words, [LABEL_IDS[label] for label in labels], 128)
    assert named(example["labels"]) == expected


def test_an_entity_cut_at_the_end_keeps_what_fits() -> None:
    example = encode(TOKENIZER, [["a"] * 120, ["t"] * 20], [0, LABEL_IDS["B-LOC"]], 128)
    assert len(example["input_ids"]) == len(example["labels"]) == 128
    assert named(example["labels"][-7:]) == "O B-LOC I-LOC I-LOC I-LOC I-LOC O"
    assert example["input_ids"][-1] == TOKENIZER.eos_token_id


@given(SENTENCES, st.integers(8, 128))
def test_lengths_agree_and_ends_are_outside(sentence: list[tuple[list[str], int]], limit: int) -> None:
    words, labels = [w for w, _ in sentence], [label for _, label in sentence]
    example = encode(TOKENIZER, words, labels, limit)
    assert len(example["input_ids"]) == len(example["labels"]) == len(example["word_ids"]) <= limit
    assert example["labels"][0] == example["labels"][-1] == 0
    for label, word in zip(example["labels"], example["word_ids"], strict=True):
        assert label in ((0,) if word < 0 else (labels[word], inside(labels[word])))


@given(SENTENCES)
def test_word_labels_undo_the_encoding(sentence: list[tuple[list[str], int]]) -> None:
    words, labels = [w for w, _ in sentence], [label for _, label in sentence]
    example = encode(TOKENIZER, words, labels, 128)
    whole = [word for word in range(len(words)) if word in example["word_ids"]]
    expected = [label if number in whole else 0 for number, label in enumerate(labels)]
    assert word_labels(example["labels"], example["word_ids"], len(words)) == expected
