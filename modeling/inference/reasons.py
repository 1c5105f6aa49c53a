"""Why a tagger found an entity: what becomes of its label when a part of what the model reads is taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import mean

from conlipa.errors import ConlipaError
from conlipa.modeling.inference.backend import Backend
from conlipa.modeling.inference.entities import KINDS, Entity, word_probabilities
from conlipa.modeling.inference.name_prior import NamePrior
from conlipa.modeling.inference.windows import Spoken, Window

CAPITAL, SOUND, CONTEXT, LISTED = "capital", "sound", "context", "listed"
DECISIVE = 0.1
"""A part whose removal takes less than this from the label's share is no reason."""


@dataclass(frozen=True)
class Reasons:
    """Shares are mean probabilities over the entity's words, 0 to 1."""

    label: str
    shares: dict[str, float]
    """Of PER, ORG, LOC, and O: together 1."""
    without: dict[str, float]
    """The label's share without a part: `capital`, its case marks; `sound`, with the phonemes of each word in reverse order; `context`, the name
    alone; `listed`, the model without the names that are known, where the name is one. Only the parts that there are."""

    @property
    def decisive(self) -> str | None:
        """The part that the label owes most to; None where no part is decisive alone."""
        part, left = min(self.without.items(), key=lambda item: item[1])
        return part if self.shares[self.label] - left >= DECISIVE else None


def reasons(
    backend: Backend, encoded: Callable[[Sequence[Spoken]], dict[str, list[int]]], windows: Iterable[Window], known: NamePrior, entity: Entity
) -> Reasons:
    """One batch: the sentence as it is, and once without each part.

    Args:
        encoded: words as `alignment.encode` makes them for the backend.
        windows: of the text.
        known: what is known of the names in the text.

    Raises:
        ConlipaError: no word of the text stands where the entity does.
    """
    for window in windows:
        inside = [entity.start <= spoken.word.start and spoken.word.end <= entity.end for spoken in window.words]
        if any(inside[number] for number in window.own):
            break
    else:
        raise ConlipaError(f"the text has no word from character {entity.start} to {entity.end}")
    variants = _variants(window, inside, backend.case_marks, known)
    examples = [encoded(words) for words, *_ in variants.values()]
    shares = [
        _shares(word_probabilities(example, prior.raised(logits, example, words), backend.temperature).tolist(), members)
        for (words, members, prior), example, logits in zip(variants.values(), examples, backend(examples), strict=True)
    ]
    whole, *others = shares
    return Reasons(entity.label, whole, {part: share[entity.label] for part, share in zip(list(variants)[1:], others, strict=True)})


_Variant = tuple[list[Spoken], list[int], NamePrior]
"""What the model reads, which of the words are the entity's, and what is known of names."""


def _variants(window: Window, inside: Sequence[bool], case_marks: bool, known: NamePrior) -> dict[str, _Variant]:
    """By the part that is taken away; the first is the sentence as it is."""
    words, members = window.words, [number for number, of_entity in enumerate(inside) if of_entity]
    made: dict[str, _Variant] = {"": (words, members, known)}
    if case_marks and any(words[number].capital for number in members):
        made[CAPITAL] = [replace(word, capital=word.capital and not own) for word, own in zip(words, inside, strict=True)], members, known
    reversed_ = [replace(word, phonemes=word.phonemes[::-1]) if own else word for word, own in zip(words, inside, strict=True)]
    made[SOUND] = reversed_, members, known
    if len(members) < len(words):
        made[CONTEXT] = [words[number] for number in members], list(range(len(members))), known
    if any(list(name) == members for name, kind in known.among(words) if kind != "O"):
        made[LISTED] = words, members, replace(known, names=None)
    return made


def _shares(probabilities: Sequence[Sequence[float]], members: Sequence[int]) -> dict[str, float]:
    """Label to its mean share over the members that the model saw."""
    rows = [probabilities[number] for number in members if number < len(probabilities)] or [[1.0, *[0.0] * 6]]
    return {kind: mean(sum(row[i] for i in labels) for row in rows) for kind, labels in KINDS.items()}
