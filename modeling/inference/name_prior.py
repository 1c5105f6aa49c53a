"""Names that CLDR knows, as a prior on the scores: what a model misses most in a language it was not trained on, or without capitals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from conlipa.dataset_scripts.known_names import KnownNames
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.modeling.alignment import word_labels
from conlipa.modeling.inference.entities import spans
from conlipa.modeling.inference.windows import Spoken

RAISE = 4.0
"""What is added to the scores (logits) of the name's type; chosen on source languages (`docs/trials.md`, number 98)."""
RAISE_OTHER = 1.0
"""What is added to the score of O in a word that is known as part of no name (`docs/trials.md`, number 100)."""
Found = Sequence[tuple[range, str]]
"""The numbers of the words of each name and its type; of a word that is part of none, and O."""


@dataclass(frozen=True)
class NamePrior:
    """What is known of the names in a text."""

    text: str
    names: KnownNames | None
    """Those of its language; None: none are known."""

    def among(self, words: Sequence[Spoken]) -> Found:
        """The names in some words of the text."""
        return list(self.names.find(self.text, [(spoken.word.start, spoken.word.end) for spoken in words])) if self.names else []

    def raised(self, logits: NDArray[np.float32], example: Mapping[str, Sequence[int]], words: Sequence[Spoken]) -> NDArray[np.float32]:
        """`raised` of some words of the text, which a model has scored."""
        return raised(logits, example, self.among(words))


def among_tokens(names: KnownNames, tokens: Sequence[str]) -> Found:
    """The names in a sentence that is given as tokens."""
    ends = list(accumulate(len(token) + 1 for token in tokens))
    return list(names.find(" ".join(tokens), [(end - len(token) - 1, end - 1) for token, end in zip(tokens, ends, strict=True)]))


def raised(logits: NDArray[np.float32], example: Mapping[str, Sequence[int]], found: Found) -> NDArray[np.float32]:
    """The scores with those of its type raised in each name that stands alone: in words without a label, or in all words of one entity.

    So a name within a longer one (Bank of China) stays what the model says. In words that are part of no name, those of O are raised.

    Args:
        logits: (positions, labels) of a sentence; not changed.
        example: with the `word_ids` of its positions.
    """
    if not found:
        return logits
    scores, word_ids = logits.copy(), np.array(example["word_ids"])
    scores[np.isin(word_ids, [words[0] for words, kind in found if kind == "O"]), 0] += RAISE_OTHER
    labels = word_labels(logits.argmax(-1).tolist(), example["word_ids"], max(*word_ids.tolist(), found[-1][0][-1]) + 1)
    entities = {(members[0], members[-1]) for _, members in spans(labels)}
    for words, kind in ((words, kind) for words, kind in found if kind != "O"):
        inside = np.flatnonzero((word_ids >= words[0]) & (word_ids <= words[-1]))
        whole = set(words) == set(word_ids[inside].tolist())  # else the encoder was not given all of it
        if whole and (not any(labels[word] for word in words) or (words[0], words[-1]) in entities):
            scores[inside[0], LABELS.index(f"B-{kind}")] += RAISE
            scores[inside[1:], LABELS.index(f"I-{kind}")] += RAISE
    return scores
