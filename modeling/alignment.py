"""Words and their labels to phoneme positions, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conlipa.dataset_scripts.g2p.capitals import CASE_MARK
from conlipa.dataset_scripts.g2p.phonemizer import ipa_string
from conlipa.dataset_scripts.wikiann.wikiann import LABELS

LABEL_IDS = {label: number for number, label in enumerate(LABELS)}
OUTSIDE = LABEL_IDS["O"]
NO_WORD = -1
MAX_LENGTH = 128
"""Phonemes of a sequence, at most; a longer sentence is read in windows."""


def inside(label: int) -> int:
    """`B-X` as `I-X`, any other label as it is."""
    return label + 1 if LABELS[label].startswith("B-") else label


def beginning(label: int) -> int:
    """`I-X` as `B-X`, any other label as it is."""
    return label - 1 if LABELS[label].startswith("I-") else label


NO_LABEL = -100
"""Of a position that is neither trained on nor scored: a case mark."""
MOST_MARKS = 64
"""Case marks a sequence may hold beside its phonemes: half of `max_length`, as a word has a phoneme and a separator."""


def encode(
    tokenizer: Any, words: Sequence[Sequence[str]], labels: Sequence[int] | None, max_length: int, marked: Sequence[bool] | None = None
) -> dict[str, list[int]]:
    """One sentence as `input_ids`, `labels` and `word_ids`, each as long as the other: `max_length` positions at most, case marks not counted.

    A `B-X` word labels its first phoneme `B-X` and the others `I-X`; the separator and the two ends are `O`
    (section 3.1 of the first paper). `word_ids` is -1 at those. `words` are lists of phonemes, one a word.
    `marked`: the words that get a case mark, a position without a label (-100) before their first phoneme; None: none.
    """
    input_ids = tokenizer(ipa_string(words), truncation=True, max_length=max_length)["input_ids"]
    word_ids = [NO_WORD]
    label_ids = [OUTSIDE]
    for number, phonemes in enumerate(words):
        if number:
            word_ids.append(NO_WORD)
            label_ids.append(OUTSIDE)
        word_ids += [number] * len(phonemes)
        label = labels[number] if labels is not None else OUTSIDE
        label_ids += [label, *[inside(label)] * (len(phonemes) - 1)]
    inner = len(input_ids) - 1
    example = {"input_ids": input_ids, "labels": [*label_ids[:inner], OUTSIDE], "word_ids": [*word_ids[:inner], NO_WORD]}
    return _with_marks(example, marked, tokenizer(CASE_MARK, truncation=True, max_length=3)["input_ids"][1]) if marked and any(marked) else example


def _with_marks(example: dict[str, list[int]], marked: Sequence[bool], mark: int) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {name: [] for name in example}
    previous = NO_WORD
    for token, label, word in zip(*example.values(), strict=True):
        if word not in (NO_WORD, previous) and marked[word]:
            for name, value in zip(found, (mark, NO_LABEL, NO_WORD), strict=True):
                found[name].append(value)
        for name, value in zip(found, (token, label, word), strict=True):
            found[name].append(value)
        previous = word
    return found


def word_labels(position_labels: Sequence[int], word_ids: Sequence[int], words: int) -> list[int]:
    """The label of each word: that of its first phoneme; words cut off by truncation are `O`."""
    labels = [OUTSIDE] * words
    previous = NO_WORD
    for label, word in zip(position_labels, word_ids, strict=True):
        if word not in (NO_WORD, previous):
            labels[word] = int(label)
        previous = word
    return labels
