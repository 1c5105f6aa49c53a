"""The CONLIPA words that sound like a name to the encoder: cosine similarity of mean-pooled last hidden states."""

from __future__ import annotations

import threading
from functools import cache, partial
from typing import Any

from conlipa.space.tagging import chosen

_LOCK = threading.Lock()


class Neighbours:
    """All words of CONLIPA, both sides, as unit vectors of one encoder."""

    def __init__(self, model: str, adapter: str | None) -> None:
        from conlipa.dataset_scripts.loanwords.builder import GROUPS
        from conlipa.dataset_scripts.loanwords.pairs import pairs_path, read_pairs
        from conlipa.modeling.encoder import load_adapted
        from conlipa.modeling.inference.word_vectors import embedded

        pairs = [pair for group in GROUPS.values() for lang in group for pair in read_pairs(pairs_path(lang))]
        sides = [(str(pair["language"]), str(pair["target"]), str(pair["target_ipa"])) for pair in pairs]
        sides += [("eng", str(pair["english"]), str(pair["english_ipa"])) for pair in pairs]
        self.words = list(dict.fromkeys(sides))
        """Language, word and phonemes."""
        self._embedded = partial(embedded, *load_adapted(model, adapter))
        self._vectors = self._embedded([ipa for *_, ipa in self.words])

    def nearest(self, ipa: str, many: int = 5) -> list[tuple[str, str, str, float]]:
        """Language, word, phonemes and similarity (-1 to 1) of the nearest words, best first."""
        similarities, rows = (self._vectors @ self._embedded([ipa])[0]).topk(many)
        return [(*self.words[row], similarity) for row, similarity in zip(rows.tolist(), similarities.tolist(), strict=True)]


@cache
def _neighbours(model: str, adapter: str | None) -> Neighbours:
    return Neighbours(model, adapter)


def nearest(ipa: str) -> list[tuple[str, str, str, float]]:
    """The words nearest to a name's phonemes; the first call embeds all words, which takes seconds."""
    with _LOCK:
        model: Any = _neighbours(*chosen())
        return list(model.nearest(ipa))
