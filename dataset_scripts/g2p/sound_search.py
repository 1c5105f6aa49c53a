"""The words that sound nearest to a given one, among thousands: `similarity` over all of them at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from conlipa.dataset_scripts.g2p.similarity import gap, phonemes_of, substitution

Floats = NDArray[np.float32]


class SoundIndex:
    """Words to search, as an array of phoneme numbers."""

    def __init__(self, words: Sequence[str]) -> None:
        """`words`: phonemes separated by spaces, as `similarity` takes them."""
        split = [phonemes_of(word) for word in words]
        self._phonemes = sorted({phoneme for word in split for phoneme in word})
        number = {phoneme: i for i, phoneme in enumerate(self._phonemes)}
        self._lengths = np.array([len(word) for word in split], dtype=np.intp)
        # (longest, words): one position of all words lies together. What is past a word's end is one more symbol, and is never read.
        self._ids = np.full((max(map(len, split), default=0), len(split)), len(number), dtype=np.intp)
        for i, word in enumerate(split):
            self._ids[: len(word), i] = [number[phoneme] for phoneme in word]
        gaps = np.array([*map(gap, self._phonemes), 0.0], dtype=np.float32)
        self._gaps = gaps[self._ids]
        self._empty = np.vstack([np.zeros((1, len(split)), np.float32), self._gaps.cumsum(axis=0, dtype=np.float32)])
        """(longest + 1, words): what it costs to leave out the first so many phonemes of each word."""

    def similarities(self, word: str) -> Floats:
        """(words,): `similarity(word, other)` of each word of the index."""
        query = phonemes_of(word)
        column = self._empty
        for phoneme in query:
            costs = np.array([*(substitution(phoneme, other) for other in self._phonemes), 0.0], dtype=np.float32)[self._ids]
            cost = np.float32(gap(phoneme))
            replaced, left_out = column[:-1] + costs, column[1:] + cost
            both = np.minimum(replaced, left_out)
            made = np.empty_like(column)
            made[0] = column[0] + cost
            for j, gained in enumerate(self._gaps):
                np.minimum(both[j], made[j] + gained, out=made[j + 1])
            column = made
        each = np.arange(len(self._lengths))
        worst = self._empty[self._lengths, each] + np.float32(sum(map(gap, query)))
        alike = 1 - np.divide(column[self._lengths, each], worst, out=np.ones_like(worst), where=worst > 0)
        return np.asarray(alike, dtype=np.float32)

    def nearest(self, word: str, many: int) -> list[tuple[int, float]]:
        """Row and similarity (0 to 1) of the nearest words, best first; of equals the one that stands first."""
        similarities = self.similarities(word)
        return [(int(row), float(similarities[row])) for row in np.argsort(-similarities, kind="stable")[:many]]
