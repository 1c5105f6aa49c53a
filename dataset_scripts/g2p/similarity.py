"""How alike two words sound, from the articulatory features of their phonemes (panphon)."""

from __future__ import annotations

from functools import lru_cache

from conlipa.dataset_scripts.g2p.engines import feature_table
from conlipa.dataset_scripts.g2p.ipa import AFFRICATES, VOWELS
from conlipa.dataset_scripts.g2p.phonemizer import WORD_SEPARATOR

VOWEL_GAP, CONSONANT_GAP = 0.35, 1.0
"""Cost of a phoneme that the other word lacks. Loanwords gain and lose vowels (Christmas, 크리스마스), rarely consonants."""
_WEAK = frozenset("hɦʔjwɥʕ")
"""Glides and glottals come and go like vowels."""
_STEEPNESS = 3.0
"""Phonemes a third of whose features differ are as unlike as any."""
_KEPT = 100_000
"""Answers: the Space is asked about any string."""


def similarity(first: str, second: str) -> float:
    """0 to 1: one less the cheapest alignment's cost over that of two words without a phoneme in common.

    Args:
        first, second: phonemes separated by spaces; word separators are left out.
    """
    a, b = phonemes_of(first), phonemes_of(second)
    worst = sum(map(gap, a)) + sum(map(gap, b))
    return 1.0 - _costs(a, b)[-1][-1] / worst if worst else 0.0


def phonemes_of(ipa: str) -> tuple[str, ...]:
    """The phonemes of a word or name, without word separators."""
    return tuple(phoneme for phoneme in ipa.split() if phoneme != WORD_SEPARATOR)


def alignment(first: str, second: str) -> list[tuple[str, str]]:
    """The cheapest alignment: pairs of phonemes, one of them empty where the other word lacks it."""
    a, b = phonemes_of(first), phonemes_of(second)
    costs = _costs(a, b)
    i, j, pairs = len(a), len(b), []
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + substitution(a[i - 1], b[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((a[i], b[j]))
        elif i and costs[i][j] == costs[i - 1][j] + gap(a[i - 1]):
            i -= 1
            pairs.append((a[i], ""))
        else:
            j -= 1
            pairs.append(("", b[j]))
    return pairs[::-1]


def _costs(a: tuple[str, ...], b: tuple[str, ...]) -> list[list[float]]:
    """The cheapest alignment of the first i phonemes of `a` and the first j of `b`."""
    rows = [[0.0]]
    for other in b:
        rows[0].append(rows[0][-1] + gap(other))
    for phoneme in a:
        above, row = rows[-1], [rows[-1][0] + gap(phoneme)]
        for j, other in enumerate(b):
            row.append(min(above[j + 1] + gap(phoneme), row[j] + gap(other), above[j] + substitution(phoneme, other)))
        rows.append(row)
    return rows


@lru_cache(maxsize=_KEPT)
def gap(phoneme: str) -> float:
    """What it costs that the other word lacks a phoneme."""
    return VOWEL_GAP if phoneme[0] in VOWELS or phoneme[0] in _WEAK else CONSONANT_GAP


@lru_cache(maxsize=_KEPT)
def substitution(first: str, second: str) -> float:
    """The share of articulatory features that differ, made steeper; at most what leaving both out costs."""
    if first == second:
        return 0.0
    most = gap(first) + gap(second)
    a, b = features(first), features(second)
    if not a or not b:
        return most
    return most * min(1.0, _STEEPNESS * sum(x != y for x, y in zip(a, b, strict=True)) / len(a))


@lru_cache(maxsize=_KEPT // 10)
def features(phoneme: str) -> tuple[int, ...]:
    """panphon's features, each -1, 0 or 1; empty for a symbol that it does not know."""
    affricate = next((pair for pair in AFFRICATES if phoneme.startswith(pair)), "")
    tied = affricate[0] + "\u0361" + phoneme[1:] if affricate else phoneme
    vectors = feature_table().word_to_vector_list(tied, numeric=True)
    return tuple(int(value) for value in vectors[0]) if vectors else ()
