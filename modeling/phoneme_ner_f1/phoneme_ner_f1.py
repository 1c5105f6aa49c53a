"""The two scores of named entity recognition on phonemes, with error bars, as a module of `evaluate`.

It stands alone: `evaluate.load("./modeling/phoneme_ner_f1")` needs nothing but `evaluate`, `datasets` and `numpy`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import NDArray

LABELS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
TYPES = ("PER", "ORG", "LOC")
NO_WORD = -1
DRAWS_AT_ONCE = 4_000_000
"""Sentences drawn in one go; bounds the memory of the bootstrap to about 100 MB."""

DESCRIPTION = """Macro F1 over the positions of phoneme sequences (`paper_f1`: the number of the papers' tables) and, beside it,
strict IOB2 F1 of the entities over words (`entity_f1`), each with a bootstrap interval over sentences on demand."""

INPUTS = """
Args:
    predictions: label ids, 0 to 6, at every position of each phoneme sequence but padding; one list a sentence.
    references: the true ones, in the same form.
    word_ids: the number of the word that each position belongs to, from 0; -1 at separators and at both ends.
    words: the number of words of each sentence, those that truncation cut off included; they are O. Default: as many as `word_ids` shows.
    word_references: true label ids of all words of each sentence, for sentences that truncation cut: entities cut off then count as missed.
        Default: the label of each word's first position in `references`.
    bootstrap: number of resamples over sentences; 0 (the default): no intervals.
    confidence: of the intervals, between 0 and 1. Default 0.95.
    seed: of the resamples. Default 0.

Returns, every score in percent:
    paper_f1, entity_f1;
    per_type: for PER, ORG and LOC `precision`, `recall`, `f1` and `support` (true entities);
    confusion: 7 rows (true label) of 7 counts (predicted label) of positions;
    n: number of sentences;
    paper_f1_interval, entity_f1_interval, if bootstrap > 0: [low, high], percentile bootstrap.

Raises:
    ValueError: sentences of unequal length, an unknown label or word number (sentence and position named), or no sentence.
"""

CITATION = """@inproceedings{sohn2024zero,
  title={Zero-Shot Cross-Lingual {NER} Using Phonemic Representations for Low-Resource Languages},
  author={Sohn, Jimin and Jung, Haeji and Cheng, Alex and Kang, Jooeon and Du, Yilin and Mortensen, David R.},
  year={2024}
}"""

Labels = Sequence[Sequence[int]]
Counts = NDArray[np.int64]
Scores = NDArray[np.float64]


def position_counts(references: Labels, predictions: Labels) -> Counts:
    """Positions of each sentence by (true, predicted) label: `(n, 7, 7)`. Each pair of lists is of one length."""
    lengths = np.fromiter(map(len, references), np.int64, len(references))
    true, predicted = (np.fromiter(chain.from_iterable(side), np.int64, int(lengths.sum())) for side in (references, predictions))
    sentence = np.repeat(np.arange(len(lengths)), lengths)
    cells = (sentence * len(LABELS) + true) * len(LABELS) + predicted
    shape = (len(lengths), len(LABELS), len(LABELS))
    return np.bincount(cells, minlength=len(lengths) * len(LABELS) ** 2).reshape(shape).astype(np.int64)


def entities(labels: Sequence[int]) -> set[tuple[int, int, int]]:
    """(index in TYPES, first word, word after the last) of each entity, strict IOB2: an I- that continues nothing is none."""
    found = []
    open_type = NO_WORD
    for place, label in enumerate(labels):
        kind = (label - 1) // 2 if label else NO_WORD
        if label % 2:
            found.append([kind, place, place + 1])
        elif label and kind == open_type:
            found[-1][2] = place + 1
        else:
            kind = NO_WORD
        open_type = kind
    return {(kind, start, end) for kind, start, end in found}


def entity_counts(references: Labels, predictions: Labels) -> Counts:
    """Entities of each sentence by type, as (hits, predicted, true): `(n, 3, 3)`. The labels are those of words."""
    counts = np.zeros((len(references), len(TYPES), 3), dtype=np.int64)
    for row, gold, guess in zip(counts, map(entities, references), map(entities, predictions), strict=True):
        for column, group in enumerate((gold & guess, guess, gold)):
            for kind, _, _ in group:
                row[kind, column] += 1
    return counts


def _ratio(part: Any, whole: Any) -> Scores:
    """`part / whole` in percent, 0 where `whole` is 0."""
    result: Scores = np.divide(100.0 * part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)
    return result


def paper_f1(counts: NDArray[Any]) -> Scores:
    """Macro F1 in percent of `(..., 7, 7)` counts, over the labels that occur on either side, as scikit-learn's."""
    seen = counts.sum(axis=-1) + counts.sum(axis=-2)
    each = _ratio(2 * np.diagonal(counts, axis1=-2, axis2=-1), seen)
    return _ratio(each.sum(axis=-1) / 100, (seen > 0).sum(axis=-1))


def entity_f1(counts: NDArray[Any]) -> Scores:
    """F1 in percent over all types together of `(..., 3, 3)` counts (type by hits, predicted, true), as seqeval's."""
    hits, predicted, true = np.moveaxis(counts.sum(axis=-2), -1, 0)
    return _ratio(2 * hits, predicted + true)


def resampled(counts: Counts, resamples: int, seed: int) -> Scores:
    """Sums of the counts over sentences drawn with replacement, as many as there are: `(n, ...)` to `(resamples, ...)`."""
    sentences = len(counts)
    table = counts.reshape(sentences, -1).astype(np.float64)
    rng = np.random.default_rng(seed)
    totals = []
    step = max(1, DRAWS_AT_ONCE // sentences)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(0, sentences, (rows, sentences)) + sentences * np.arange(rows)[:, None]
        totals.append(np.bincount(drawn.ravel(), minlength=rows * sentences).reshape(rows, sentences).astype(np.float64) @ table)
    return np.concatenate(totals).reshape(resamples, *counts.shape[1:])


def interval(values: Scores, confidence: float) -> list[float]:
    """[low, high] between which the middle `confidence` of the values lies."""
    tail = (1 - confidence) / 2
    return [float(value) for value in np.quantile(values, [tail, 1 - tail])]


def word_labels(positions: Sequence[int], word_ids: Sequence[int], words: int) -> list[int]:
    """The label of each word: that of its first position; O where truncation left none."""
    labels = [0] * words
    previous = NO_WORD
    for label, word in zip(positions, word_ids, strict=True):
        if word not in (NO_WORD, previous):
            labels[word] = label
        previous = word
    return labels


def _check_labels(name: str, sentences: Labels) -> None:
    known = set(range(len(LABELS)))
    for number, labels in enumerate(sentences):
        if not known.issuperset(labels):
            place, label = next((place, label) for place, label in enumerate(labels) if label not in known)
            names = ", ".join(f"{known_id} {known_name}" for known_id, known_name in enumerate(LABELS))
            raise ValueError(f"sentence at index {number}, position {place}: {name} holds {label!r}, not a label; labels are {names} (no padding)")


def _check_lengths(references: Labels, **others: Labels) -> None:
    for name, sentences in others.items():
        if len(sentences) != len(references):
            raise ValueError(f"{name} holds {len(sentences)} sentences, references {len(references)}")
        for number, (labels, true) in enumerate(zip(sentences, references, strict=True)):
            if len(labels) != len(true):
                raise ValueError(f"sentence at index {number}: {name} has {len(labels)} positions, references {len(true)}")


def _word_numbers(word_ids: Labels, words: Sequence[int] | None, word_references: Labels | None) -> list[int]:
    """How many words each sentence has; every word number lies below.

    Raises:
        ValueError: it does not, or the arguments contradict each other.
    """
    for number, ids in enumerate(word_ids):
        if any(word is None or word < NO_WORD for word in ids):
            raise ValueError(f"sentence at index {number}: word_ids must hold a word's number, 0 or more, or -1 for no word")
    numbers = [max(ids, default=NO_WORD) + 1 for ids in word_ids]
    lengths = None if word_references is None else [len(labels) for labels in word_references]
    for name, given in (("words", words), ("word_references", lengths)):
        if given is None:
            continue
        if len(given) != len(word_ids):
            raise ValueError(f"{name} is given for {len(given)} sentences, word_ids for {len(word_ids)}")
        exact = name == "word_references" and words is not None
        for number, (least, count) in enumerate(zip(numbers, given, strict=True)):
            if count < least or (exact and count != least):
                raise ValueError(f"sentence at index {number}: {name} says {count} words, {'words' if exact else 'word_ids'} {least}")
        numbers = [int(count) for count in given]
    return numbers


class PhonemeNerF1(evaluate.Metric):
    """`paper_f1` and `entity_f1` of phoneme sequences; see `inputs_description`."""

    def _info(self) -> Any:
        sequence = datasets.Sequence(datasets.Value("int64"))
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": sequence, "references": sequence, "word_ids": sequence}),
            license="apache-2.0",
            reference_urls=["https://arxiv.org/abs/2406.16030", "https://arxiv.org/abs/2503.07214"],
        )

    def _compute(
        self,
        predictions: Labels,
        references: Labels,
        word_ids: Labels,
        bootstrap: int = 0,
        confidence: float = 0.95,
        seed: int = 0,
        words: Sequence[int] | None = None,
        word_references: Labels | None = None,
    ) -> dict[str, Any]:
        if not len(references):
            raise ValueError("there is no sentence to score")
        if bootstrap < 0 or not 0 < confidence < 1:
            raise ValueError(f"bootstrap is {bootstrap} and confidence {confidence}; they must be 0 or more, and between 0 and 1")
        _check_lengths(references, predictions=predictions, word_ids=word_ids)
        for name, labels in (
            ("predictions", predictions),
            ("references", references),
            ("word_references", [] if word_references is None else word_references),
        ):
            _check_labels(name, labels)
        numbers = _word_numbers(word_ids, words, word_references)
        guessed = [word_labels(*sentence) for sentence in zip(predictions, word_ids, numbers, strict=True)]
        true = word_references
        if true is None:
            true = [word_labels(*sentence) for sentence in zip(references, word_ids, numbers, strict=True)]
        positions, found = position_counts(references, predictions), entity_counts(true, guessed)
        result: dict[str, Any] = {
            "paper_f1": float(paper_f1(positions.sum(axis=0))),
            "entity_f1": float(entity_f1(found.sum(axis=0))),
            "per_type": {name: _type_scores(*row) for name, row in zip(TYPES, found.sum(axis=0).tolist(), strict=True)},
            "confusion": positions.sum(axis=0).tolist(),
            "n": len(references),
        }
        if bootstrap:
            result["paper_f1_interval"] = interval(paper_f1(resampled(positions, bootstrap, seed)), confidence)
            result["entity_f1_interval"] = interval(entity_f1(resampled(found, bootstrap, seed)), confidence)
        return result


def _type_scores(hits: int, predicted: int, true: int) -> dict[str, float]:
    """Scores of one type in percent, and its support."""
    precision, recall, f1 = (float(_ratio(part, whole)) for part, whole in ((hits, predicted), (hits, true), (2 * hits, predicted + true)))
    return {"precision": precision, "recall": recall, "f1": f1, "support": true}
