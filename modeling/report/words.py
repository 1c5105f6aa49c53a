"""What is said of pairs of words as vectors: similarity, retrieval, alignment, uniformity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch.nn.functional import normalize

from conlipa.modeling.recipe import GRAPHEMES


def sides(pair: Mapping[str, Any], input_kind: str) -> tuple[str, str]:
    """English and target side of a pair of CONLIPA, as a model of this input kind reads them."""
    names = ("english", "target") if input_kind == GRAPHEMES else ("english_ipa", "target_ipa")
    return str(pair[names[0]]), str(pair[names[1]])


Space = Mapping[str, torch.Tensor]
"""A word, as the model reads it, to its unit vector."""


class Pairs(NamedTuple):
    """The pairs of one language, as the model reads them."""

    lang: str
    labels: list[str]
    """The English words as they are written."""
    english: list[str]
    """Each once."""
    target: list[str]
    own: torch.Tensor
    """(targets,) the number of each one's English word."""

    def vectors(self, space: Space) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What `similarity` takes."""
        return torch.stack([space[word] for word in self.english]), torch.stack([space[word] for word in self.target]), self.own


def pairs_of(lang: str, rows: Sequence[Mapping[str, Any]], input_kind: str) -> Pairs:
    """Of rows with both sides in graphemes and in phonemes."""
    read = [sides(row, input_kind) for row in rows]
    numbers = {word: number for number, word in enumerate(dict.fromkeys(english for english, _ in read))}
    own = torch.tensor([numbers[english] for english, _ in read])
    return Pairs(lang, [str(row["english"]) for row in rows], list(numbers), [target for _, target in read], own)


class Similarity(NamedTuple):
    """Of the pairs of one language. Mean cosines, -1 to 1."""

    pairs: float
    others: float
    """Each target word with the English words that are not its own."""
    centred: float
    """Of the pairs, once the mean of all words is taken off: a rise that all words share does not show."""
    retrieved: float
    """Share of the target words whose nearest English word is their own."""

    @property
    def gap(self) -> float:
        """How much nearer a word is to its own than to the others."""
        return self.pairs - self.others


def cosines(english: torch.Tensor, target: torch.Tensor, own: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the pairs, and of all that are none.

    Args:
        english: (m, d) distinct English words; target: (n, d), both unit vectors.
        own: (n,) the row of `english` that each target word belongs to.
    """
    every = target @ english.T
    true = torch.zeros_like(every, dtype=torch.bool).scatter_(1, own[:, None], True)
    return every[true], every[~true]


def similarity(english: torch.Tensor, target: torch.Tensor, own: torch.Tensor) -> Similarity:
    """`Similarity` of pairs; arguments as of `cosines`."""
    pairs, others = cosines(english, target, own)
    centre = torch.cat([english, target]).mean(0)
    centred, _ = cosines(normalize(english - centre, dim=-1), normalize(target - centre, dim=-1), own)
    nearest = (target @ english.T).argmax(1)
    return Similarity(float(pairs.mean()), float(others.mean()), float(centred.mean()), float((nearest == own).float().mean()))


def alignment(english: torch.Tensor, target: torch.Tensor) -> float:
    """Mean squared distance of the pairs' unit vectors, row by row: 0 where they are the same, 2 at right angles."""
    return float((english - target).pow(2).sum(-1).mean())


def uniformity(vectors: torch.Tensor) -> float:
    """log mean exp(-2 d²) over all pairs of unit vectors: 0 where all are one point, lower the more evenly they spread."""
    return float(torch.pdist(vectors).pow(2).mul(-2).exp().mean().log())
