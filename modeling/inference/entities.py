"""Word labels to entities: spans of the text as given."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from conlipa.dataset_scripts.g2p.words import Word
from conlipa.dataset_scripts.wikiann.wikiann import LABELS


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
