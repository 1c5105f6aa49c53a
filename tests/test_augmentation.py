"""Augmented sentences keep what makes them sentences: complete entities, true labels, at least a phoneme a word."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.errors import ConlipaError
from conlipa.modeling.alignment import encode
from conlipa.modeling.data.augmentation import Augmenter, neighbours
from conlipa.modeling.data.packed import Packed, pack
from conlipa.modeling.data.ragged import keys, spread
from conlipa.modeling.recipe import Augmentation
from conlipa.modeling.tokenizer import phoneme_tokenizer, vocabulary

TOKENIZER = phoneme_tokenizer()
TOKENS = {number: token for token, number in vocabulary().items()}
OUT, B_PER, I_PER, B_LOC = (LABELS.index(label) for label in ("O", "B-PER", "I-PER", "B-LOC"))
SENTENCE = [(["dʒ", "ɑ", "n"], B_PER), (["s", "m", "ɪ", "θ"], I_PER), (["ɪ", "n"], OUT), (["l", "ʌ", "n", "d", "ə", "n"], B_LOC), (["."], OUT)]
ANNA = [(["a", "n"], B_PER)]
HERE = [(["h", "i", "ɹ"], OUT), (["!"], OUT)]
TURN = [(["ɡ", "o"], OUT)]

Words = list[tuple[str, int]]


def packed(*sentences: list[tuple[list[str], int]]) -> Packed:
    return pack([[_encoded(each) for each in sentences]])


def sets(*sentences: list[tuple[list[str], int]]) -> Packed:
    """Each sentence a set."""
    return pack([_encoded(each)] for each in sentences)


def _encoded(sentence: list[tuple[list[str], int]], capitals: list[bool] | None = None) -> dict[str, list[int]]:
    return encode(TOKENIZER, [phonemes for phonemes, _ in sentence], [label for _, label in sentence], 128, capitals)


def augmented(
    settings: Augmentation,
    seed: int,
    where: Packed | None = None,
    names_from: list[int] | None = None,
    redirects: list[int] | None = None,
    first: int = 0,
) -> tuple[Words, Any]:
    """A sentence (the first) changed: its words with their labels, and its phonemes."""
    source = where or packed(SENTENCE)
    chosen, known = (None if each is None else np.array(each) for each in (names_from, redirects))
    augmenter, drawn_from = Augmenter(source, settings, chosen, known), keys(np.array([seed]), 0)
    chunks, sentence = augmenter.chunks(np.array([first]), drawn_from)
    starts = source.chunk_starts[chunks]
    words, chunk = spread(starts, source.chunk_starts[chunks + 1] - starts)
    found = augmenter.phonemes(words, sentence[chunk], drawn_from)
    spoken = [" ".join(TOKENS[int(p)] for p in found.ids[found.word == number]) for number in range(len(words))]
    return list(zip(spoken, source.labels[words].tolist(), strict=True)), found


PLAIN: Words = [(" ".join(phonemes), label) for phonemes, label in SENTENCE]


def test_without_settings_a_sentence_stays_as_it_is() -> None:
    assert augmented(Augmentation(share=1.0), 3)[0] == PLAIN


def test_entities_are_chunks_and_other_words_stand_alone() -> None:
    assert np.diff(packed(SENTENCE).chunk_starts).tolist() == [2, 1, 1, 1]


@settings(deadline=None)
@given(st.integers(0, 2**40), st.floats(0, 0.4), st.floats(0, 0.6))
def test_what_was_changed_or_masked_is_known(seed: int, noise: float, mask: float) -> None:
    _, found = augmented(Augmentation(share=1.0, noise=noise, mask=mask), seed)
    restored = np.where(found.originals < 0, found.ids, found.originals)
    assert [TOKENS[int(number)] for number in restored] == [phoneme for phonemes, _ in SENTENCE for phoneme in phonemes]
    assert (found.originals != found.ids).all()


def test_a_share_of_the_phonemes_is_masked() -> None:
    made = [augmented(Augmentation(share=1.0, noise=0.1, mask=0.3), seed)[1] for seed in range(300)]
    ids, originals = (np.concatenate([getattr(each, name) for each in made]) for name in ("ids", "originals"))
    share = 15 / 16  # the full stop is not masked
    assert (ids == vocabulary()["<mask>"]).mean() == pytest.approx(0.3 * share, abs=0.03)
    assert (originals >= 0).mean() == pytest.approx(0.4 * share, abs=0.03)


@settings(deadline=None)  # the first call reads the feature table
@given(st.integers(0, 2**40), st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5))
def test_shuffled_and_noisy_sentences_have_the_same_entities(seed: int, shuffle: float, noise: float, drop: float) -> None:
    words, _ = augmented(Augmentation(share=1.0, noise=noise, drop=drop, shuffle=shuffle), seed)
    labels = [label for _, label in words]
    assert Counter(labels) == Counter(label for _, label in SENTENCE)
    assert all(phonemes for phonemes, _ in words)
    assert labels[labels.index(B_PER) + 1] == I_PER  # an entity is not torn apart
    assert (".", OUT) in words  # punctuation sounds the same everywhere


def test_the_order_changes_in_as_many_sentences_as_asked() -> None:
    moved = [augmented(Augmentation(share=1.0, shuffle=0.5), seed)[0] != PLAIN for seed in range(300)]
    assert np.mean(moved) == pytest.approx(0.5 * 23 / 24, abs=0.08)  # one order of 24 is the old one


def test_a_final_stop_is_left_out_and_no_other_word() -> None:
    assert augmented(Augmentation(share=1.0, final_stop=1.0), 0)[0] == PLAIN[:-1]
    without = packed(SENTENCE[:-1])
    assert augmented(Augmentation(share=1.0, final_stop=1.0), 0, without)[0] == PLAIN[:-1]
    assert augmented(Augmentation(share=1.0, final_stop=1.0), 0, packed([(["."], OUT)]))[0] == [(".", OUT)]


def test_names_are_swapped_for_names_of_their_type() -> None:
    found = {tuple(augmented(Augmentation(share=1.0, swap=1.0), seed, packed(SENTENCE, ANNA))[0][:2]) for seed in range(20)}
    assert found == {tuple(PLAIN[:2]), (("a n", B_PER), PLAIN[2])}


def test_a_name_that_stands_alone_stays_the_name_it_is() -> None:
    found = {tuple(augmented(Augmentation(share=1.0, swap=1.0), seed, packed(ANNA, SENTENCE))[0]) for seed in range(20)}
    assert found == {(("a n", B_PER),)}


def test_a_sentence_without_capitals_gets_no_name_that_has_them() -> None:
    other = [(["m", "i"], B_PER), (["k", "o"], OUT)]
    cased = [[_encoded(SENTENCE, [True, True, False, True, False])], [_encoded([*ANNA, *TURN], [True, False])]]
    source = pack([*cased, [_encoded(other)], [_encoded(HERE)]])
    first = {number: {augmented(Augmentation(share=1.0, swap=1.0), seed, source, first=number)[0][0] for seed in range(20)} for number in (0, 2, 3)}
    assert first == {0: {("dʒ ɑ n", B_PER), ("a n", B_PER)}, 2: {("m i", B_PER)}, 3: {("h i ɹ", OUT)}}


def test_a_neighbour_sounds_alike() -> None:
    known, near = neighbours()
    sounds = {TOKENS[number]: [TOKENS[other] for other in near[number].tolist()] for number in np.flatnonzero(known).tolist()}
    assert "b" in sounds["p"]
    assert "z" in sounds["s"]
    assert "e" in sounds["ɛ"]
    assert not set("aeiou") & set(sounds["t"])
    assert "." not in sounds


def test_names_come_from_the_chosen_sets_alone() -> None:
    source = sets(SENTENCE, ANNA)
    found = {tuple(augmented(Augmentation(share=1.0, swap=1.0), seed, source, names_from=[0])[0]) for seed in range(20)}
    assert found == {tuple(PLAIN)}


def test_a_word_for_a_redirect_comes_before_a_name_that_stands_alone() -> None:
    settings = Augmentation(share=1.0, redirect=1.0)
    found = {tuple(augmented(settings, seed, sets(ANNA, SENTENCE, HERE, TURN), redirects=[2, 3])[0]) for seed in range(20)}
    assert found == {(("h i ɹ", OUT), ("!", OUT), ("a n", B_PER)), (("ɡ o", OUT), ("a n", B_PER))}
    assert augmented(settings, 0, sets(SENTENCE, HERE), redirects=[1])[0] == PLAIN
    assert augmented(settings, 0, sets(TURN, HERE), redirects=[1])[0] == [("ɡ o", OUT)]


def test_words_for_a_redirect_are_asked_for_where_there_are_none() -> None:
    with pytest.raises(ConlipaError, match="no words for a redirect"):
        Augmenter(packed(SENTENCE), Augmentation(share=1.0, redirect=0.5))
