"""Sentences as other languages might have them: phonemes changed or lost, chunks in another order, names from elsewhere.

What stays is what a name is like in any language; what goes is what only the source languages share.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache

from conlipa.dataset_scripts.g2p.ipa import VOWELS, is_ipa
from conlipa.dataset_scripts.g2p.similarity import features
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.modeling.alignment import NO_WORD, OUTSIDE, inside
from conlipa.modeling.data.batches import LABEL_PAD
from conlipa.modeling.recipe import Augmentation
from conlipa.modeling.tokenizer import MASK, vocabulary

_NEIGHBOURS = 8
"""How many of the articulatorily nearest a phoneme may turn into."""

Words = list[tuple[list[int], int]]
"""Phoneme ids of each word, and the word's label."""
AugmentedWords = list[tuple[list[int], int, list[int]]]
"""The same of a changed sentence, and what each phoneme was: `LABEL_PAD` where it still is what it was."""


def words_of(input_ids: Sequence[int], labels: Sequence[int], word_ids: Sequence[int]) -> Words:
    """An encoded sentence (`alignment.encode`) as words; the separators and the two ends are left out."""
    words: Words = []
    previous = NO_WORD
    for phoneme, label, word in zip(input_ids, labels, word_ids, strict=True):
        if word == NO_WORD:
            pass
        elif word == previous:
            words[-1][0].append(phoneme)
        else:
            words.append(([phoneme], label))
        previous = word
    return words


def chunks(words: Words) -> list[Words]:
    """Whole entities, and each word outside of them for itself."""
    found: list[Words] = []
    for word in words:
        if found and LABELS[word[1]].startswith("I-") and found[-1][-1][1] != OUTSIDE:
            found[-1].append(word)
        else:
            found.append([word])
    return found


@cache
def neighbours() -> dict[int, list[int]]:
    """Phoneme id to the ids of the vowels (of a consonant: consonants) that differ from it in the fewest features."""
    known = {number: features(token) for token, number in vocabulary().items() if is_ipa(token)}
    vowels = {number for token, number in vocabulary().items() if token[0] in VOWELS}
    near = {}
    for number, own in known.items():
        like = [other for other in known if other != number and (other in vowels) == (number in vowels)]
        like.sort(key=lambda other: sum(a != b for a, b in zip(own, known[other], strict=False)))
        near[number] = like[:_NEIGHBOURS]
    return near


def augmented(words: Words, settings: Augmentation, names: dict[str, list[Words]], draw: random.Random) -> AugmentedWords:
    """A sentence changed as `settings` say; `names` are entities by type, for the swap."""
    parts = chunks(words)
    if settings.swap:
        parts = [_swapped(part, settings.swap, names, draw) for part in parts]
    if draw.random() < settings.shuffle:
        draw.shuffle(parts)
    changed: AugmentedWords = []
    for phonemes, label in (word for part in parts for word in part):
        changed_phonemes, originals = _augmented_word(phonemes, settings, draw)
        changed.append((changed_phonemes, label, originals))
    return changed


def _swapped(part: Words, share: float, names: dict[str, list[Words]], draw: random.Random) -> Words:
    kind = LABELS[part[0][1]].partition("-")[2]
    return draw.choice(names[kind]) if kind and names.get(kind) and draw.random() < share else part


def _augmented_word(phonemes: list[int], settings: Augmentation, draw: random.Random) -> tuple[list[int], list[int]]:
    """A word with some phonemes replaced by a neighbour or masked, some left out (one always stays); and what the replaced ones were."""
    near, mask = neighbours(), vocabulary()[MASK]
    changed_phonemes: list[int] = []
    originals: list[int] = []
    for phoneme in phonemes:
        if phoneme not in near:  # digits and punctuation sound alike everywhere
            changed_phonemes.append(phoneme)
            originals.append(LABEL_PAD)
            continue
        chance = draw.random()
        if chance < settings.drop:
            continue
        chance -= settings.drop
        noised, masked = chance < settings.noise, settings.noise <= chance < settings.noise + settings.mask
        changed_phonemes.append(draw.choice(near[phoneme]) if noised else mask if masked else phoneme)
        originals.append(phoneme if noised or masked else LABEL_PAD)
    return (changed_phonemes, originals) if changed_phonemes else (phonemes[:1], [LABEL_PAD])


def positions(words: AugmentedWords, ends: tuple[int, int], separator: int, max_length: int) -> dict[str, list[int]]:
    """Words as `input_ids`, `labels` and `originals`, in the phoneme sequence of the contract, cut at `max_length`."""
    input_ids, labels, were = [ends[0]], [OUTSIDE], [LABEL_PAD]
    for phonemes, label, originals in words:
        if len(input_ids) > 1:
            input_ids.append(separator)
            labels.append(OUTSIDE)
            were.append(LABEL_PAD)
        input_ids += phonemes
        labels += [label, *[inside(label)] * (len(phonemes) - 1)]
        were += originals
    cut = max_length - 1
    return {"input_ids": [*input_ids[:cut], ends[1]], "labels": [*labels[:cut], OUTSIDE], "originals": [*were[:cut], LABEL_PAD]}
