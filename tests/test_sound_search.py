"""Words that sound alike, one by one and among thousands."""

from __future__ import annotations

import random
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conlipa.dataset_scripts.g2p.ipa import _modified, segment
from conlipa.dataset_scripts.g2p.similarity import alignment, features, gap, phonemes_of, similarity, substitution
from conlipa.dataset_scripts.g2p.sound_search import SoundIndex
from conlipa.dataset_scripts.loanwords.builder import GROUPS
from conlipa.dataset_scripts.loanwords.pairs import pairs_path, read_pairs
from conlipa.modeling.report.nearest import ranks, summary

spoken = st.lists(st.sampled_from(["m", "u", "b", "aɪ", "tʃ", "ə", "i", "h", "▁", "ɹ", "?"]), max_size=9).map(" ".join)


@settings(deadline=None)
@given(spoken, spoken)
def test_an_alignment_holds_both_words_and_costs_what_similarity_says(first: str, second: str) -> None:
    pairs = alignment(first, second)
    assert tuple(a for a, _ in pairs if a) == phonemes_of(first)
    assert tuple(b for _, b in pairs if b) == phonemes_of(second)
    assert not [pair for pair in pairs if pair == ("", "")]
    cost = sum(substitution(a, b) if a and b else gap(a or b) for a, b in pairs)
    worst = sum(map(gap, (*phonemes_of(first), *phonemes_of(second))))
    assert similarity(first, second) == pytest.approx(1 - cost / worst if worst else 0)


def test_phoneme_under_phoneme() -> None:
    assert alignment("m u m b ə i", "m ʌ m b aɪ") == [("m", "m"), ("u", "ʌ"), ("m", "m"), ("b", "b"), ("ə", "aɪ"), ("i", "")]


@settings(deadline=None)
@given(spoken, st.lists(spoken, min_size=1, max_size=6))
def test_the_index_gives_what_similarity_gives(query: str, words: list[str]) -> None:
    expected = [similarity(query, word) for word in words]
    assert SoundIndex(words).similarities(query) == pytest.approx(expected, abs=1e-5)
    assert len(SoundIndex(words).nearest(query, 3)) == min(3, len(words))


def test_of_equals_the_first_comes_first() -> None:
    assert [row for row, _ in SoundIndex(["b a", "p a t", "p a t", "p a"]).nearest("p a t", 2)] == [1, 2]


def test_ranks() -> None:
    assert ranks(np.array([[0.9, 0.5, 0.1], [0.2, 0.2, 0.1]]), [1, 0]) == [2, 1.5]
    assert summary([1, 20]) == (0.5, 0.525)


def test_most_partners_are_among_the_ten_of_all_english_words_nearest_by_sound() -> None:
    english = list(dict.fromkeys(str(pair["english_ipa"]) for group in GROUPS.values() for lang in group for pair in read_pairs(pairs_path(lang))))
    index = SoundIndex(english)
    first = []
    for lang in GROUPS["all"]:
        asked = random.Random(1).sample(read_pairs(pairs_path(lang)), 100)
        found = [ranks(index.similarities(str(pair["target_ipa"]))[None], [english.index(str(pair["english_ipa"]))])[0] for pair in asked]
        first.append(summary(found).first)
    assert mean(first) >= 0.6, dict(zip(GROUPS["all"], first, strict=True))
    assert min(first) > 0.5


def test_what_is_remembered_of_any_string_is_bounded() -> None:
    for remembers in (gap, substitution, features, segment, _modified):
        assert remembers.cache_info().maxsize is not None
