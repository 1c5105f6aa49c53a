"""The sentences of the source languages as a stage takes them: encoded once, memory-mapped, a fresh draw each epoch."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from conlipa.dataset_scripts.g2p.capitals import CASE_MARK
from conlipa.dataset_scripts.wikiann.places import RUNNING
from conlipa.errors import ConlipaError
from conlipa.modeling.alignment import MOST_MARKS, NO_LABEL, OUTSIDE
from conlipa.modeling.alignment import inside as inside_label
from conlipa.modeling.data.augmentation import MARKS, Augmenter
from conlipa.modeling.data.batches import by_positions, by_size, width_of
from conlipa.modeling.data.packed import NO_SEPARATOR
from conlipa.modeling.data.packed_corpus import PackedCorpus, encoding_of
from conlipa.modeling.data.ragged import Integers, keys, spread, uniform, within
from conlipa.modeling.inference.phoneme_ids import remembered
from conlipa.modeling.recipe import MARKED_PHONEMES, PHONEMES, Ner
from conlipa.modeling.tokenizer import vocabulary

if TYPE_CHECKING:  # a machine that trains from a packed corpus needs no `datasets`
    from conlipa.modeling.data.corpus import Corpus

_NUMBERS = 2**62
"""Rows are numbered below it."""
_AT_ONCE = 1024
"""Rows that are made together to know their lengths: next to one another in length, so that little is padding."""
_INSIDE = np.array([inside_label(label) for label in range(7)])


def source_languages(corpus: Corpus | PackedCorpus, wanted: Sequence[str]) -> list[str]:
    """Those of a recipe's languages that the corpus has; the others are reported.

    Raises:
        ConlipaError: it has none of them.
    """
    there = corpus.languages("train")
    found = [lang for lang in wanted if lang in there]
    missing = [lang for lang in wanted if lang not in there]
    if not found:
        raise ConlipaError(f"{corpus.where or 'sample'}: has no train split of any source language of the recipe ({', '.join(wanted)})")
    if missing:
        print(f"ner: trained without {len(missing)} of {len(wanted)} source languages, not in {corpus.where}: {', '.join(missing)}", file=sys.stderr)
    return found


class Sentences:
    """Encoded sentences of several languages.

    A row of a batch is a number: that of a sentence, or of a pair of sentences, `first + (second + 1) * len(sentences)`. On top of it comes
    the number of its draw (`drawn`), which augmentation follows: so a row has its length before it has its batch.
    """

    def __init__(
        self, corpus: Corpus | PackedCorpus, languages: Sequence[str], settings: Ner, tokenizer: Any, max_length: int, input_kind: str = PHONEMES
    ) -> None:
        """Raises ConlipaError: augmentation is asked for, which knows the kit's own phonemes alone, and the tokenizer has others."""
        if settings.augmentation.share and tokenizer.get_vocab() != vocabulary():
            raise ConlipaError("ner.augmentation knows the kit's own phonemes; this encoder has a tokenizer with others: leave augmentation out")
        self.settings, self.tokenizer, self.input_kind, self.max_length = settings, tokenizer, input_kind, max_length
        source = _source(corpus, languages, settings, tokenizer, max_length, input_kind)
        self.sets, self.packed = source.sets, source.packed
        self.chosen = source.chosen(languages, settings.exclude)
        positions, self.marks = self.packed.positions(), self.packed.marks()
        if not self.chosen.size:
            raise ConlipaError(f"{source.where}: ner.exclude leaves no set of the source languages to train on ({', '.join(settings.exclude)})")
        self.lengths = np.minimum(positions, self.width)
        self.sizes = positions - self.marks - 2
        """(sentences,) what words take without their case marks: phonemes, and what stands between two words."""
        self.augmenter = Augmenter(self.packed, settings.augmentation, self.chosen, source.redirects(settings.exclude))
        # Not by the tokenizer itself: once it has cut something it is another one for a packed corpus.
        self.mark = remembered(tokenizer)(CASE_MARK, truncation=True, max_length=3)["input_ids"][1] if input_kind == MARKED_PHONEMES else 0
        self.named = self.packed.named()

    @property
    def width(self) -> int:
        """Positions that a row takes at most."""
        return self.max_length + (MOST_MARKS if self.input_kind == MARKED_PHONEMES else 0)

    def check_rows(self, processes: int) -> None:
        """Raises ConlipaError where a batch of the longest sentences has no row for each process: they would never be trained on."""
        wear = self.settings.augmentation
        changed = self.settings.join or wear.redirect or wear.swap  # longer than any sentence is by itself
        positions, longest = self.settings.batch_positions, int(width_of(np.array([self.width if changed else self.lengths.max()]))[0])
        if processes > 1 and positions and positions // longest < processes:
            raise ConlipaError(
                f"ner.batch_positions: {positions} positions are {positions // longest} of the longest sentences, for {processes} processes;"
                f" {processes * longest} are needed"
            )

    def epoch(self, epoch: int, batch_size: int, seed: int, exact: bool = False) -> list[Integers]:
        """Rows of each batch: at most `sentences_per_language` of each language, other ones each epoch, and running text by its share.

        `exact`: as `_lengths` has it, for those who take all of them.
        """
        draw = np.random.default_rng([seed, epoch])
        running = np.array([self.sets[number].kind == RUNNING for number in self.chosen])
        there = np.diff(self.packed.set_starts)[self.chosen] > 0
        share = self.settings.running_share if (there & running).any() and (there & ~running).any() else 0.0
        plain = self._batches(self.chosen[~running] if share else self.chosen, batch_size, draw, exact)
        beside: list[Integers] = []
        wanted = round(len(plain) * share / (1 - share))
        while len(beside) < wanted:
            more = self._batches(self.chosen[running], batch_size, draw, exact)
            if not more and not self.settings.nameless_share:
                raise ConlipaError("ner.nameless_share is 0, and no sentence of the running text has a name")
            beside += more
        batches = plain + beside[:wanted]
        return [batches[i] for i in draw.permutation(len(batches))]

    def _batches(self, sets: Integers, batch_size: int, draw: np.random.Generator, exact: bool) -> list[Integers]:
        """The batches of some sets, in random order."""
        rows = np.concatenate([self._joined(part, draw) for part in self._drawn(sets, draw)])
        rows = self.drawn(rows, int(draw.integers(_NUMBERS // self.numbers)))
        lengths = self._lengths(rows, exact)
        positions = self.settings.batch_positions
        batches = list(by_positions(lengths, positions, draw) if positions else by_size(lengths, batch_size, draw))
        return [rows[batches[i]] for i in draw.permutation(len(batches))]

    @property
    def numbers(self) -> int:
        """How many numbers sentences and pairs of them have."""
        return len(self.packed) * (len(self.packed) + 1)

    def drawn(self, rows: Sequence[int] | Integers, number: int) -> Integers:
        """Rows without a draw, with this one."""
        return np.asarray(rows, dtype=np.int64) + number * self.numbers

    @property
    def _few_shapes(self) -> bool:
        """Whether batches are filled up to a few widths: a GPU's kernels and graphs are made for a shape; a CPU takes any."""
        return bool(self.settings.batch_positions) and torch.cuda.is_available()

    def _lengths(self, rows: Integers, exact: bool) -> Integers:
        """Positions of each row, at most.

        `exact`: as many as it will have, where batches are not filled up; to know that takes as long as to make them.
        """
        lengths = self._most_positions(rows)
        if exact and not self._few_shapes and self.settings.augmentation.share:
            order = np.argsort(lengths)
            for start in range(0, len(rows), _AT_ONCE):
                part = order[start : start + _AT_ONCE]
                lengths[part] = self.batch(rows[part])["attention_mask"].sum(1)
        return lengths

    def _most_positions(self, rows: Integers) -> Integers:
        """Positions that each row takes if no phoneme of it is lost, and no final stop."""
        if self.settings.augmentation.swap:  # names of other lengths: all words must be known
            parts = [self._taken_apart(rows[start : start + 16 * _AT_ONCE]) for start in range(0, len(rows), 16 * _AT_ONCE)]
            found = [self._positions(*self._words(sentences, drawn_from), row, drawn_from) for sentences, row, drawn_from in parts]
            return np.concatenate([np.zeros(0, np.int64), *found])
        sentences, row, drawn_from = self._taken_apart(rows)
        kept, separator = self._keeps_marks(drawn_from), int(self.packed.frame[1] != NO_SEPARATOR)
        sizes = self.sizes[sentences] + self.marks[sentences] * kept + separator
        to, word = self.augmenter.redirected(sentences, drawn_from)
        sizes[to] += self.sizes[word] + self.marks[word] * kept[to] + separator
        return np.minimum(np.bincount(row, sizes).astype(np.int64) - separator + 2, self.width)

    def _positions(self, words: Integers, sentence: Integers, row: Integers, drawn_from: NDArray[np.uint64]) -> Integers:
        """Positions of each row, from its words, if no phoneme is lost."""
        separator = int(self.packed.frame[1] != NO_SEPARATOR)
        sizes = self.packed.word_starts[words + 1] - self.packed.word_starts[words] + separator + self._marked(words, sentence, drawn_from)
        return np.minimum(np.bincount(row[sentence], sizes).astype(np.int64) - separator + 2, self.width)

    def _words(self, sentences: Integers, drawn_from: NDArray[np.uint64]) -> tuple[Integers, Integers]:
        """The words of some sentences as augmentation has them, and of each the place of its sentence."""
        chunks, sentence = self.augmenter.chunks(sentences, drawn_from)
        begins = self.packed.chunk_starts[chunks]
        words, chunk = spread(begins, self.packed.chunk_starts[chunks + 1] - begins)
        return words, sentence[chunk]

    def _marked(self, words: Integers, sentence: Integers, drawn_from: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of these words have a case mark."""
        return np.asarray(self.packed.marked[words] & self._keeps_marks(drawn_from)[sentence])

    def _keeps_marks(self, drawn_from: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which sentences keep their case marks."""
        return uniform(drawn_from, MARKS) < self.settings.mark_share

    def _drawn(self, sets: Integers, draw: np.random.Generator) -> Iterator[Integers]:
        """Sentences of each set, in random order: the cap of a language is shared by its sets. Of those without a name, by their share."""
        starts, others, share = self.packed.set_starts, self.settings.sentences_of or {}, self.settings.nameless_share
        by_language: dict[str, int] = {}
        for number in sets:
            by_language[self.sets[number].lang] = by_language.get(self.sets[number].lang, 0) + int(starts[number + 1] - starts[number])
        for number in sets:
            size, lang = int(starts[number + 1] - starts[number]), self.sets[number].lang
            most = others.get(lang, self.settings.sentences_per_language)
            part = 1.0 if most is None else min(1.0, most / max(1, by_language[lang]))
            taken = starts[number] + draw.permutation(size)[: max(1, round(size * part)) if size else 0]
            yield taken if share == 1 else taken[self.named[taken] | (draw.random(len(taken)) < share)]

    def _joined(self, sentences: Integers, draw: np.random.Generator) -> Integers:
        """Some sentences two in a row, where both fit."""
        if not self.settings.join or len(sentences) < 2:
            return sentences
        even = sentences[: len(sentences) // 2 * 2].reshape(-1, 2)
        fits = self.lengths[even].sum(1) - 1 <= self.max_length
        pairs = fits & (draw.random(len(even)) < self.settings.join)
        return np.concatenate([even[pairs, 0] + (even[pairs, 1] + 1) * len(self.packed), even[~pairs].ravel(), sentences[len(even) * 2 :]])

    def _taken_apart(self, rows: Integers) -> tuple[Integers, Integers, NDArray[np.uint64]]:
        """The sentences of rows, the place of the row of each, and the key that augmentation draws from."""
        number, rows = np.divmod(rows, self.numbers)
        first, second = rows % len(self.packed), rows // len(self.packed) - 1
        both = second >= 0
        sentences = np.stack([first, second], 1)[np.stack([np.ones_like(both), both], 1)]
        row = np.repeat(np.arange(len(rows)), 1 + both)
        return sentences, row, keys(self.settings.seed, number[row], sentences)

    def batch(self, rows: Sequence[int] | Integers) -> dict[str, torch.Tensor]:
        """`input_ids`, `attention_mask` and `labels`, each (rows, longest), augmented as the recipe says; the same for the same rows.

        With a `denoise_weight` also `originals`: what a changed phoneme was, -100 elsewhere.
        """
        rows = np.asarray(rows, dtype=np.int64)
        sentences, row, drawn_from = self._taken_apart(rows)
        words, sentence = self._words(sentences, drawn_from)
        width = int(width_of(self._most_positions(rows)).max()) if self._few_shapes else 0
        return self._laid_out(words, sentence, row, drawn_from, width)

    def _laid_out(self, words: Integers, sentence: Integers, row: Integers, drawn_from: NDArray[np.uint64], width: int) -> dict[str, torch.Tensor]:
        """Words, with the sentence of each, as the tensors of a batch; `row`: that of each sentence; `width`: at least so wide."""
        phonemes = self.augmenter.phonemes(words, sentence, drawn_from)
        begin, separator, end = self.packed.frame.tolist()
        word_row = row[sentence]
        marked = self._marked(words, sentence, drawn_from)
        rows = int(row[-1]) + 1
        starts_row = within(np.bincount(word_row, minlength=rows)) == 0
        before = np.where(starts_row | (separator == NO_SEPARATOR), 0, 1)
        sizes = np.bincount(phonemes.word, minlength=len(words))
        taken = before + marked + sizes
        totals = np.add.reduceat(taken, np.searchsorted(word_row, np.arange(rows)))
        start = np.cumsum(taken) - taken - (np.cumsum(totals) - totals)[word_row] + 1
        lengths = np.minimum(totals + 2, self.width)
        grid = _Grid(rows, max(width, int(lengths.max())), self.tokenizer.pad_token_id, lengths)
        split = before > 0
        grid.put("labels", word_row[split], start[split], separator, OUTSIDE)
        grid.put("labels", word_row[marked], (start + before)[marked], self.mark, NO_LABEL)
        place = (start + before + marked)[phonemes.word] + within(sizes)
        labels = np.where(within(sizes) == 0, self.packed.labels[words][phonemes.word], _INSIDE[self.packed.labels[words]][phonemes.word])
        grid.put("labels", word_row[phonemes.word], place, phonemes.ids, labels)
        grid.frame(begin, end)
        if self.settings.denoise_weight:
            grid.put_originals(word_row[phonemes.word], place, phonemes.originals)
        return grid.tensors()


class _Grid:
    """(rows, width) arrays to be filled place by place; what lies beyond a row's length is cut."""

    def __init__(self, rows: int, width: int, pad_id: int, lengths: Integers) -> None:
        self.lengths = lengths
        self.arrays = {"input_ids": np.full((rows, width), pad_id, dtype=np.int64), "labels": np.full((rows, width), NO_LABEL, dtype=np.int64)}
        self.arrays["attention_mask"] = (np.arange(width) < lengths[:, None]).astype(np.int64)

    def put(self, name: str, row: Integers, place: Integers, ids: Integers | int, labels: Integers | int) -> None:
        inside = place < self.lengths[row] - 1
        self.arrays["input_ids"][row[inside], place[inside]] = ids[inside] if isinstance(ids, np.ndarray) else ids
        self.arrays[name][row[inside], place[inside]] = labels[inside] if isinstance(labels, np.ndarray) else labels

    def put_originals(self, row: Integers, place: Integers, originals: Integers) -> None:
        kept = (originals >= 0) & (place < self.lengths[row] - 1)
        self.arrays["originals"] = np.full_like(self.arrays["labels"], NO_LABEL)
        self.arrays["originals"][row[kept], place[kept]] = originals[kept]

    def frame(self, begin: int, end: int) -> None:
        rows = np.arange(len(self.lengths))
        for place, token in ((np.zeros_like(rows), begin), (self.lengths - 1, end)):
            self.arrays["input_ids"][rows, place], self.arrays["labels"][rows, place] = token, OUTSIDE

    def tensors(self) -> dict[str, torch.Tensor]:
        return {name: torch.from_numpy(array) for name, array in self.arrays.items()}


def _source(corpus: Corpus | PackedCorpus, languages: Sequence[str], settings: Ner, tokenizer: Any, max_length: int, input_kind: str) -> PackedCorpus:
    """The packed sentences.

    Raises:
        ConlipaError: a packed corpus was encoded for another encoder, or lacks sets that the recipe does not exclude.
    """
    split = settings.long_sentences == "split"
    if not isinstance(corpus, PackedCorpus):
        from conlipa.modeling.data.packing import packed_corpus  # by `datasets`, which a machine that only trains may lack

        return packed_corpus(corpus, languages, settings.exclude, tokenizer, max_length, input_kind, split)
    lacking = [f"{each.kind}/{each.name}" for each in corpus.left_out if each.lang in languages and not each.is_among(settings.exclude)]
    if lacking:
        raise ConlipaError(f"{corpus.where}: packed without {', '.join(lacking)}, which this recipe trains on (ner.exclude); pack it by this recipe")
    if corpus.encoding != encoding_of(tokenizer, max_length, input_kind, split):
        raise ConlipaError(f"{corpus.where}: packed for another encoder (tokenizer, length, case marks or long sentences); pack it by this recipe")
    return corpus
