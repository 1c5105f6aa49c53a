"""Augmented sentences keep what makes them sentences: whole entities, true labels, at least a phoneme a word."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.modeling.alignment import encode
from conlipa.modeling.data.augmentation import Words, augmented, chunks, neighbours, positions, words_of
from conlipa.modeling.data.batches import LABEL_PAD
from conlipa.modeling.recipe import Augmentation
from conlipa.modeling.tokenizer import phoneme_tokenizer, vocabulary

TOKENIZER = phoneme_tokenizer()
TOKENS = {number: token for token, number in vocabulary().items()}
OUT, B_PER, I_PER, B_LOC = (LABELS.index(label) for label in ("O", "B-PER", "I-PER", "B-LOC"))
SENTENCE = [(["dʒ", "ɑ", "n"], B_PER), (["s", "m", "ɪ", "θ"], I_PER), (["ɪ", "n"], OUT), (["l", "ʌ", "n", "d", "ə", "n"], B_LOC), (["."], OUT)]
ENDS = (TOKENIZER.bos_token_id, TOKENIZER.eos_token_id)
SEPARATOR = vocabulary()["▁"]


def sentence() -> Words:
    return [([vocabulary()[phoneme] for phoneme in phonemes], label) for phonemes, label in SENTENCE]


def test_words_of_an_encoded_sentence_and_back() -> None:
    made = encode(TOKENIZER, [phonemes for phonemes, _ in SENTENCE], [label for _, label in SENTENCE], 128)
    words = words_of(made["input_ids"], made["labels"], made["word_ids"])
    assert words == sentence()
    same = [(phonemes, label, [LABEL_PAD] * len(phonemes)) for phonemes, label in words]
    unchanged = [LABEL_PAD] * len(made["labels"])
    assert positions(same, ENDS, SEPARATOR, 128) == {"input_ids": made["input_ids"], "labels": made["labels"], "originals": unchanged}
    assert positions(same, ENDS, SEPARATOR, 9)["input_ids"] == [*made["input_ids"][:8], made["input_ids"][-1]]


@settings(deadline=None)
@given(st.integers(), st.floats(0, 0.4), st.floats(0, 0.6), st.integers(4, 40))
def test_what_was_changed_or_masked_is_known(seed: int, noise: float, mask: float, max_length: int) -> None:
    made = augmented(sentence(), Augmentation(share=1.0, noise=noise, mask=mask), {}, random.Random(seed))
    found = positions(made, ENDS, SEPARATOR, max_length)
    assert len(found["input_ids"]) == len(found["labels"]) == len(found["originals"]) <= max_length
    restored = [now if was == LABEL_PAD else was for now, was in zip(found["input_ids"], found["originals"], strict=True)]
    plain = [(phonemes, label, [LABEL_PAD] * len(phonemes)) for phonemes, label in sentence()]
    assert restored == positions(plain, ENDS, SEPARATOR, max_length)["input_ids"]
    assert all(was != now for now, was in zip(found["input_ids"], found["originals"], strict=True))


def test_a_share_of_the_phonemes_is_masked() -> None:
    made = [augmented(sentence(), Augmentation(share=1.0, noise=0.1, mask=0.3), {}, random.Random(seed)) for seed in range(300)]
    phonemes = [phoneme for words in made for changed_phonemes, _, _ in words for phoneme in changed_phonemes]
    changed = [was for words in made for _, _, originals in words for was in originals if was != LABEL_PAD]
    share = 15 / 16  # the full stop is not masked
    assert phonemes.count(vocabulary()["<mask>"]) / len(phonemes) == pytest.approx(0.3 * share, abs=0.03)
    assert len(changed) / len(phonemes) == pytest.approx(0.4 * share, abs=0.03)


def test_entities_are_chunks_and_other_words_stand_alone() -> None:
    assert [[label for _, label in chunk] for chunk in chunks(sentence())] == [[B_PER, I_PER], [OUT], [B_LOC], [OUT]]


@settings(deadline=None)  # the first call reads the feature table
@given(st.integers(), st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5))
def test_shuffled_and_worn_sentences_have_the_same_entities(seed: int, shuffle: float, noise: float, drop: float) -> None:
    wear = Augmentation(share=1.0, noise=noise, drop=drop, shuffle=shuffle)
    made = augmented(sentence(), wear, {}, random.Random(seed))
    assert Counter(label for _, label, _ in made) == Counter(label for _, label in sentence())
    assert all(phonemes and len(phonemes) == len(originals) for phonemes, _, originals in made)
    labels = [label for _, label, _ in made]
    assert labels[labels.index(B_PER) + 1] == I_PER  # an entity is not torn apart
    assert vocabulary()["."] in [phonemes[0] for phonemes, _, _ in made]  # punctuation is not changed_phonemes


def test_names_are_swapped_for_names_of_their_type() -> None:
    anna = [([vocabulary()["a"], vocabulary()["n"]], B_PER)]
    made = augmented(sentence(), Augmentation(share=1.0, swap=1.0), {"PER": [anna]}, random.Random(0))
    assert [word[:2] for word in made] == [*anna, *sentence()[2:]]


def test_a_neighbour_sounds_alike() -> None:
    near = {TOKENS[number]: [TOKENS[other] for other in others] for number, others in neighbours().items()}
    assert "b" in near["p"]
    assert "z" in near["s"]
    assert "e" in near["ɛ"]
    assert not set("aeiou") & set(near["t"])
