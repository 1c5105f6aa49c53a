"""Sentences as other languages might have them: phonemes changed or lost, chunks in another order, names from elsewhere.

What stays is what a name is like in any language; what goes is what only the source languages share.
Every draw depends on the seed, the sentence and the number of its draw alone: not on the batch, the process or the worker.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from conlipa.dataset_scripts.g2p.ipa import VOWELS, is_ipa
from conlipa.dataset_scripts.g2p.similarity import features
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.errors import ConlipaError
from conlipa.modeling.alignment import OUTSIDE
from conlipa.modeling.data.packed import Packed
from conlipa.modeling.data.ragged import Integers, keys, spread, uniform, within
from conlipa.modeling.recipe import Augmentation
from conlipa.modeling.tokenizer import MASK, vocabulary

_NEIGHBOURS = 8
"""How many of the articulatorily nearest a phoneme may turn into."""
_KIND = np.array([0 if label == "O" else 1 + ["PER", "ORG", "LOC"].index(label[2:]) for label in LABELS])
SHARE, SHUFFLE, ORDER, SWAP, NAME, WEAR, NEIGHBOUR, STOP, MARKS, REDIRECT, WORD = range(11)
"""What is drawn."""


@cache
def neighbours() -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """(vocabulary,) which ids are phonemes; (vocabulary, 8) their nearest by features, vowels of a vowel and consonants of a consonant."""
    known = {number: features(token) for token, number in vocabulary().items() if is_ipa(token)}
    vowels = {number for token, number in vocabulary().items() if token[0] in VOWELS}
    near = np.zeros((len(vocabulary()), _NEIGHBOURS), dtype=np.int32)
    for number, own in known.items():
        like = [other for other in known if other != number and (other in vowels) == (number in vowels)]
        like.sort(key=lambda other: sum(a != b for a, b in zip(own, known[other], strict=False)))
        near[number] = like[:_NEIGHBOURS]
    return np.isin(np.arange(len(vocabulary())), list(known)), near


@dataclass
class Phonemes:
    """The phonemes of a batch: `ids`, `originals` (-1 where nothing was changed) and the number of the word of each, from 0."""

    ids: Integers
    originals: Integers
    word: Integers


class Augmenter:
    """Changes sentences of a packed corpus as a recipe says."""

    def __init__(self, packed: Packed, settings: Augmentation, sets: Integers | None = None, redirects: Integers | None = None) -> None:
        """What may come from elsewhere.

        Args:
            sets: numbers of the sets that names may come from (default: all).
            redirects: numbers of the sentences that are a word for a redirect (default: none).

        Raises:
            ConlipaError: words for a redirect are asked for, and there are none.
        """
        self.packed, self.settings = packed, settings
        chosen = np.arange(len(packed.set_starts) - 1) if sets is None else sets
        self._cased = self._of_cased_sets() if settings.swap else np.zeros(0, np.bool_)
        self._names = self._names_by_kind(chosen) if settings.swap else {}
        self._redirects = np.zeros(0, np.int64) if redirects is None else redirects
        if settings.redirect and not self._redirects.size:
            raise ConlipaError("ner.augmentation.redirect: no words for a redirect: pack the corpus anew, or exclude fewer")
        self._stops = [vocabulary()[mark] for mark in ".!?" if mark in string.punctuation]

    def _of_cased_sets(self) -> NDArray[np.bool_]:
        """(sentences,) whether they are of a set most of whose sentences have a case mark: a Hindi one with a Latin word is not."""
        marked = np.concatenate(([0], np.cumsum(self.packed.marks() > 0)))[self.packed.set_starts]
        sizes = np.diff(self.packed.set_starts)
        return np.repeat(2 * np.diff(marked) > sizes, sizes)

    def _names_by_kind(self, sets: Integers) -> dict[tuple[int, bool], Integers]:
        """Chunks of the sets that are entities, by their type, from 1, and whether they have case marks as their sentences have."""
        starts = self.packed.set_starts
        sentences, _ = spread(starts[sets], starts[sets + 1] - starts[sets])
        chunks, sentence = self._chunks_of(sentences)
        kinds, cased = self._kinds(chunks), self._cased[sentences][sentence]
        return {(kind, with_marks): chunks[(kinds == kind) & (cased == with_marks)] for kind in (1, 2, 3) for with_marks in (False, True)}

    def _kinds(self, chunks: Integers) -> Integers:
        """0 of words outside of entities, 1 to 3 of entities by type."""
        return _KIND[self.packed.labels[self.packed.chunk_starts[chunks]]]

    def changed(self, drawn_from: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which sentences are changed at all."""
        return uniform(drawn_from, SHARE) < self.settings.share

    def chunks(self, sentences: Integers, drawn_from: NDArray[np.uint64]) -> tuple[Integers, Integers]:
        """The chunks of some sentences as the settings change them, and of each the place of its sentence; the phonemes are as they were.

        `sentences`, `drawn_from`: (sentences,), numbers and keys.
        """
        settings, changed = self.settings, self.changed(drawn_from)
        chunks, sentence = self._chunks_of(sentences)
        if settings.final_stop:
            stop = self._is_final_stop(chunks, sentence) & ((uniform(drawn_from, STOP) < settings.final_stop) & changed)[sentence]
            chunks, sentence = chunks[~stop], sentence[~stop]
        one = keys(drawn_from[sentence], within(np.bincount(sentence, minlength=len(drawn_from))))
        if settings.swap:
            drawn = (uniform(one, SWAP) < settings.swap) & changed[sentence] & (np.bincount(sentence)[sentence] > 1)
            chunks = self._swapped(chunks, drawn, one, self._cased[sentences][sentence])
        if settings.shuffle:
            mixed = (uniform(drawn_from, SHUFFLE) < settings.shuffle) & changed
            place = np.where(mixed[sentence], uniform(one, ORDER), np.arange(len(chunks)))
            chunks = chunks[np.lexsort((place, sentence))]
        if settings.redirect:
            to, word = self.redirected(sentences, drawn_from)
            before, owner = self._chunks_of(word)
            sentence = np.concatenate([to[owner], sentence])
            order = np.argsort(sentence, kind="stable")
            chunks, sentence = np.concatenate([before, chunks])[order], sentence[order]
        return chunks, sentence

    def _chunks_of(self, sentences: Integers) -> tuple[Integers, Integers]:
        starts = self.packed.sentence_starts[sentences]
        return spread(starts, self.packed.sentence_starts[sentences + 1] - starts)

    def redirected(self, sentences: Integers, drawn_from: NDArray[np.uint64]) -> tuple[Integers, Integers]:
        """Which of some sentences, each a name alone, get a word for a redirect before it: their places; and the sentence that is the word."""
        if not self.settings.redirect:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        starts = self.packed.sentence_starts
        drawn = (uniform(drawn_from, REDIRECT) < self.settings.redirect) & self.changed(drawn_from)
        to = np.flatnonzero(drawn & (starts[sentences + 1] - starts[sentences] == 1))
        to = to[self._kinds(starts[sentences[to]]) > 0]
        return to, self._redirects[(uniform(drawn_from[to], WORD) * len(self._redirects)).astype(np.int64)]

    def _is_final_stop(self, chunks: Integers, sentence: Integers) -> NDArray[np.bool_]:
        """Of the last chunks of sentences of several."""
        first = self.packed.chunk_starts[chunks]
        last = np.append(sentence[1:] != sentence[:-1], True)
        alone = np.bincount(sentence)[sentence] == 1
        outside = self.packed.labels[first] == OUTSIDE
        mark = np.isin(self.packed.ids[self.packed.word_starts[first]], self._stops)
        return np.asarray(last & ~alone & outside & mark)

    def _swapped(self, chunks: Integers, swap: NDArray[np.bool_], one: NDArray[np.uint64], cased: NDArray[np.bool_]) -> Integers:
        """Names for names: with case marks in a sentence of a language that has capitals, without in another."""
        kinds, swapped = self._kinds(chunks), chunks.copy()
        for (kind, with_marks), names in self._names.items():
            if names.size:
                these = swap & (kinds == kind) & (cased == with_marks)
                swapped[these] = names[(uniform(one[these], NAME) * len(names)).astype(np.int64)]
        return swapped

    def phonemes(self, words: Integers, sentence: Integers, drawn_from: NDArray[np.uint64]) -> Phonemes:
        """The phonemes of some words of sentences: some replaced by a neighbour or masked, some left out, one of each word at least kept."""
        starts = self.packed.word_starts[words]
        at, word = spread(starts, self.packed.word_starts[words + 1] - starts)
        ids = self.packed.ids[at].astype(np.int64)
        settings, unchanged = self.settings, np.full(len(ids), -1, dtype=np.int64)
        if not (settings.noise or settings.drop or settings.mask):
            return Phonemes(ids, unchanged, word)
        known, near = neighbours()
        owner = sentence[word]
        one = keys(drawn_from[owner], within(np.bincount(owner, minlength=len(drawn_from))))
        worn = known[ids] & self.changed(drawn_from)[owner]
        chance = np.where(worn, uniform(one, WEAR), 1.0)
        dropped = chance < settings.drop
        noised = ~dropped & (chance < settings.drop + settings.noise)
        masked = ~dropped & ~noised & (chance < settings.drop + settings.noise + settings.mask)
        other = near[ids, (uniform(one, NEIGHBOUR) * _NEIGHBOURS).astype(np.int64)]
        made = np.where(noised, other, np.where(masked, vocabulary()[MASK], ids))
        lost = np.bincount(word, weights=~dropped, minlength=len(words)) == 0
        saved = dropped & lost[word] & (within(np.bincount(word, minlength=len(words))) == 0)  # the first phoneme of a word that would have none
        keep = ~dropped | saved
        return Phonemes(made[keep], np.where(noised | masked, ids, -1)[keep], word[keep])
