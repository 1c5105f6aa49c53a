"""The pairs of stage 2: which are taken, and which of them meet in a batch."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from sklearn.neighbors import NearestNeighbors

from conlipa.dataset_scripts.g2p.similarity import features, similarity
from conlipa.dataset_scripts.loanwords.builder import GROUPS, paper_size
from conlipa.modeling.data.batches import epoch_batches
from conlipa.modeling.recipe import Ipac

_CANDIDATES, _HARD_NEGATIVES = 20, 4
"""Words whose features add up to nearly the same, and how many of them that align best may be a word's hard negatives."""


class Loanwords:
    """CONLIPA as a recipe wants it."""

    def __init__(self, settings: Ipac) -> None:
        self.settings = settings
        wanted = list(settings.languages or GROUPS["all"]) + (GROUPS["extra"] if settings.extra else [])
        self.rows = paper_size(settings.korean_pairs, settings.seed, wanted)
        if settings.shuffled:  # the control: as many words, as often, but in pairs that mean nothing
            others = random.Random(settings.seed).sample(self.rows, len(self.rows))
            self.rows = [{**row, **{name: other[name] for name in ("english", "english_ipa")}} for row, other in zip(self.rows, others, strict=True)]
        words = {word: number for number, word in enumerate(sorted({str(row["english"]) for row in self.rows}))}
        self.english_ids = [words[str(row["english"])] for row in self.rows]

    def epoch(self, epoch: int) -> list[list[int]]:
        """Indices of each batch. The rest of an epoch that fills no batch is left to the next shuffle."""
        settings = self.settings
        draw = random.Random(f"pairs/{settings.seed}/{epoch}")
        order = self._evenly(draw) if settings.balanced else list(range(len(self.rows)))
        if settings.hard_negatives:
            batches = list(self._with_hard_negatives(order, draw))
        else:
            batches = [[order[i] for i in batch] for batch in epoch_batches([0] * len(order), settings.batch_size, settings.seed, epoch)]
        return [batch for batch in batches if len(batch) == settings.batch_size] or batches

    def _evenly(self, draw: random.Random) -> list[int]:
        """As many pairs as there are, the same number of each language: a small language's come more than once."""
        by_language: dict[str, list[int]] = defaultdict(list)
        for i, row in enumerate(self.rows):
            by_language[str(row["language"])].append(i)
        share = len(self.rows) // len(by_language)
        taken = []
        for own in by_language.values():
            whole, rest = divmod(share, len(own))
            taken += own * whole + draw.sample(own, rest)
        return taken

    def _with_hard_negatives(self, order: list[int], draw: random.Random) -> Iterator[list[int]]:
        """Batches of which a share are hard negatives: words that sound like another of the batch and are not it."""
        left = dict.fromkeys(draw.sample(order, len(order)))  # an ordered set
        while left:
            batch: list[int] = []
            while left and len(batch) < self.settings.batch_size:
                taken = next(iter(left))
                negatives = [i for i in self.hard_negatives_of[taken] if i in left] if draw.random() < self.settings.hard_negatives else []
                for i in (taken, *negatives[:1]):
                    left.pop(i, None)
                    batch.append(i)
            yield batch[: self.settings.batch_size]

    @cached_property
    def hard_negatives_of(self) -> list[list[int]]:
        """For each pair the pairs of other English words that sound most like it (articulatory alignment)."""
        spoken = [str(row["english_ipa"]) for row in self.rows]
        vectors = np.array([_outline(ipa) for ipa in spoken])
        count = min(_CANDIDATES, len(spoken))
        near = NearestNeighbors(n_neighbors=count).fit(vectors).kneighbors(vectors, return_distance=False)
        found = []
        for i, candidates in enumerate(near.tolist()):
            others = [j for j in candidates if self.english_ids[j] != self.english_ids[i]]
            found.append(sorted(others, key=lambda j: -similarity(spoken[i], spoken[j]))[:_HARD_NEGATIVES])
        return found


def _outline(ipa: str) -> np.ndarray:
    """Summed articulatory features of a word's first, middle and last third."""
    vectors = np.array([values for phoneme in ipa.split() if (values := features(phoneme))] or [features("ə")])
    return np.concatenate([part.sum(0) for part in np.array_split(vectors, 3)])
