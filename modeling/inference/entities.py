"""Word labels to entities: spans of the text as given."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conlipa.dataset_scripts.g2p.words import Word
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.modeling.alignment import NO_WORD

KINDS = {kind: [number for number, label in enumerate(LABELS) if label.endswith(kind)] for kind in ("PER", "ORG", "LOC", "O")}
"""Type of entity, or O, → its labels."""


@dataclass(frozen=True)
class Entity:
    """`text[start:end]` in code points of the text as given; `score` is the mean probability of its words' labels."""

    start: int
    end: int
    text: str
    label: str
    score: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def spans(labels: Iterable[int]) -> list[tuple[str, list[int]]]:
    """Type and word numbers of each entity: an I- that continues nothing begins an entity of its own."""
    found: list[tuple[str, list[int]]] = []
    open_type = ""
    for number, label in enumerate(LABELS[i] for i in labels):
        prefix, _, kind = label.partition("-")
        if prefix == "I" and kind == open_type:
            found[-1][1].append(number)
        elif prefix in "BI":
            found.append((kind, [number]))
        open_type = kind
    return found


def word_probabilities(example: Mapping[str, Sequence[int]], logits: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """(words, labels): of each word that has a position, the label probabilities at its first phoneme.

    A tokenizer of another kit may drop a phoneme, and with it the last word's place: then there are fewer rows than words.
    """
    word_ids = np.array(example["word_ids"])
    firsts = np.flatnonzero((word_ids != NO_WORD) & (word_ids != np.concatenate(([NO_WORD], word_ids[:-1]))))
    scores = logits[firsts] / temperature
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


class LabelledText:
    """A text whose words get their labels one after the other; a word takes 21 bytes until the text is done."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts, self._ends, self._labels, self._scores = array("l"), array("l"), array("b"), array("f")

    def add(self, word: Word, label: int, probability: float) -> None:
        """The next word that the model saw, with its label and the probability of that label."""
        self._starts.append(word.start)
        self._ends.append(word.end)
        self._labels.append(label)
        self._scores.append(probability)

    def entities(self) -> list[Entity]:
        """In order of their start."""
        result = []
        for kind, members in spans(self._labels):
            start, end = self._starts[members[0]], self._ends[members[-1]]
            score = sum(self._scores[number] for number in members) / len(members)
            result.append(Entity(start, end, self.text[start:end], kind, round(score, 4)))
        return result
