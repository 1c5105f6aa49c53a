"""How alike two words sound, from the articulatory features of their phonemes (panphon)."""

from __future__ import annotations

from functools import cache

from conlipa.dataset_scripts.g2p.engines import feature_table
from conlipa.dataset_scripts.g2p.ipa import AFFRICATES, VOWELS
from conlipa.dataset_scripts.g2p.phonemizer import WORD_SEPARATOR

VOWEL_GAP, CONSONANT_GAP = 0.35, 1.0
"""Cost of a phoneme that the other word lacks. Loanwords gain and lose vowels (Christmas, 크리스마스), rarely consonants."""
_WEAK = frozenset("hɦʔjwɥʕ")
"""Glides and glottals come and go like vowels."""
_STEEPNESS = 3.0
"""Phonemes a third of whose features differ are as unlike as any."""


def similarity(first: str, second: str) -> float:
    """0 to 1: one less the cheapest alignment's cost over that of two words without a phoneme in common.

    Args:
        first, second: phonemes separated by spaces; word separators are left out.
    """
    a, b = (tuple(phoneme for phoneme in ipa.split() if phoneme != WORD_SEPARATOR) for ipa in (first, second))
    worst = sum(map(_gap, a)) + sum(map(_gap, b))
    return 1.0 - _alignment_cost(a, b) / worst if worst else 0.0


def _alignment_cost(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    row = [0.0]
    for other in b:
        row.append(row[-1] + _gap(other))
    for phoneme in a:
        diagonal, row[0] = row[0], row[0] + _gap(phoneme)
        for j, other in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + _gap(phoneme), row[j - 1] + _gap(other), diagonal + _substitution(phoneme, other))
    return row[-1]


@cache
def _gap(phoneme: str) -> float:
    return VOWEL_GAP if phoneme[0] in VOWELS or phoneme[0] in _WEAK else CONSONANT_GAP


@cache
def _substitution(first: str, second: str) -> float:
    """The share of articulatory features that differ, made steeper; at most what leaving both out costs."""
    if first == second:
        return 0.0
    most = _gap(first) + _gap(second)
    a, b = features(first), features(second)
    if not a or not b:
        return most
    return most * min(1.0, _STEEPNESS * sum(x != y for x, y in zip(a, b, strict=True)) / len(a))


@cache
def features(phoneme: str) -> tuple[int, ...]:
    """panphon's features, each -1, 0 or 1; empty for a symbol that it does not know."""
    affricate = next((pair for pair in AFFRICATES if phoneme.startswith(pair)), "")
    tied = affricate[0] + "\u0361" + phoneme[1:] if affricate else phoneme
    vectors = feature_table().word_to_vector_list(tied, numeric=True)
    return tuple(int(value) for value in vectors[0]) if vectors else ()
