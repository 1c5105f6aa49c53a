"""Encoded sentences in flat, memory-mapped arrays: the whole corpus is a few files, and a batch is a few gathers."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from conlipa.atomic_files import atomic_folder
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.modeling.alignment import NO_LABEL, NO_WORD, OUTSIDE

NO_SEPARATOR = -1
_INSIDE = np.array([label.startswith("I-") for label in LABELS])


@dataclass(frozen=True)
class Packed:
    """Sentences as chunks (a whole entity, or any other word by itself), chunks as words, words as phoneme ids.

    `x_starts` has one entry more than there are x: its members are `x_starts[i]` to `x_starts[i + 1] - 1`.
    """

    ids: NDArray[np.int32]
    """(phonemes,) token ids; pieces or characters where a baseline reads graphemes."""
    word_starts: NDArray[np.int64]
    labels: NDArray[np.int8]
    """(words,) label of each word."""
    marked: NDArray[np.bool_]
    """(words,) whether it has a case mark."""
    chunk_starts: NDArray[np.int64]
    sentence_starts: NDArray[np.int64]
    set_starts: NDArray[np.int64]
    """(sets + 1,) in sentences: the sets of the corpus in the order they were given."""
    frame: NDArray[np.int32]
    """(3,) ids of what stands at the beginning, between words (-1: nothing) and at the end."""

    def __len__(self) -> int:
        return len(self.sentence_starts) - 1

    def positions(self) -> NDArray[np.int64]:
        """(sentences,) what each takes in a batch: phonemes, separators, case marks and both ends."""
        words = self.chunk_starts[self.sentence_starts]
        separators = np.diff(words) - 1 if self.frame[1] != NO_SEPARATOR else 0
        return np.diff(self.word_starts[words]) + separators + self.marks() + 2

    def marks(self) -> NDArray[np.int64]:
        """(sentences,) case marks of each."""
        return self._counted(self.marked)

    def named(self) -> NDArray[np.bool_]:
        """(sentences,) whether there is a name in it."""
        return self._counted(self.labels != OUTSIDE) > 0

    def _counted(self, words: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(sentences,) how many words of each are among these."""
        return np.diff(np.concatenate(([0], np.cumsum(words)))[self.chunk_starts[self.sentence_starts]])

    def check(self, sets: int) -> None:
        """Raises ValueError: the arrays are not those of one corpus of so many sets."""
        inner = ((self.word_starts, len(self.ids)), (self.chunk_starts, len(self.labels)), (self.sentence_starts, len(self.chunk_starts) - 1))
        fit = len(self.word_starts) == len(self.labels) + 1 and len(self.marked) == len(self.labels) and len(self.set_starts) == sets + 1
        for starts, size in (*inner, (self.set_starts, len(self))):
            fit = fit and starts.ndim == 1 and starts[0] == 0 and starts[-1] == size and not (np.diff(starts) < 0).any()
        if not fit:
            raise ValueError("its arrays do not fit each other")
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(LABELS):
            raise ValueError(f"it has labels that are none of 0 to {len(LABELS) - 1}")

    def save(self, folder: Path) -> None:
        """One .npy file an array."""
        with atomic_folder(folder) as beside:
            for field in fields(self):
                np.save(beside / f"{field.name}.npy", getattr(self, field.name), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> Packed:
        """Memory-mapped: nothing is read before it is asked for."""
        return cls(**{field.name: np.load(folder / f"{field.name}.npy", mmap_mode="r", allow_pickle=False) for field in fields(cls)})


def pack(sets: Iterable[Iterable[dict[str, list[int]]]], max_length: int | None = None, separator: int | None = None) -> Packed:
    """Pack the examples (`alignment.encode`, `graphemes.encode_graphemes`) of each set of a corpus.

    Args:
        max_length: positions, case marks not counted, beyond which a sentence becomes several, between its chunks; None: as it is.
        separator: id of what stands between words; None: as the examples have it, which show none where each is a word alone.
    """
    ids, labels, marked = array("i"), array("b"), array("b")  # a list of Python's numbers takes many times the memory
    word_starts, chunk_starts, sentence_starts, set_starts = (array("q", [0]) for _ in range(4))
    frame = np.array([0, NO_SEPARATOR if separator is None else separator, 0], dtype=np.int32)
    for examples in sets:
        for example in examples:
            frame[[0, 2]] = example["input_ids"][0], example["input_ids"][-1]
            words = _words(example)
            if separator is None and words and example["word_ids"][1:-1].count(NO_WORD) > sum(word.marked for word in words):
                frame[1] = example["input_ids"][_separator(example)]
            for piece in _pieces(_chunks(words), max_length):
                for chunk in piece:
                    for word in chunk:
                        ids.extend(word.ids)
                        word_starts.append(len(ids))
                        labels.append(word.label)
                        marked.append(word.marked)
                    chunk_starts.append(len(labels))
                sentence_starts.append(len(chunk_starts) - 1)
        set_starts.append(len(sentence_starts) - 1)
    starts = [np.array(each, np.int64) for each in (word_starts, chunk_starts, sentence_starts, set_starts)]
    return Packed(
        ids=np.array(ids, np.int32),
        word_starts=starts[0],
        labels=np.array(labels, np.int8),
        marked=np.array(marked, np.bool_),
        chunk_starts=starts[1],
        sentence_starts=starts[2],
        set_starts=starts[3],
        frame=frame,
    )


@dataclass
class _Word:
    ids: list[int]
    label: int
    marked: bool


def _words(example: dict[str, list[int]]) -> list[_Word]:
    words: list[_Word] = []
    previous, mark = NO_WORD, False
    for token, label, word in zip(example["input_ids"], example["labels"], example["word_ids"], strict=True):
        if word == NO_WORD:
            mark = label == NO_LABEL
        elif word == previous:
            words[-1].ids.append(token)
        else:
            words.append(_Word([token], label, mark))
            mark = False
        previous = word
    return words


def _separator(example: dict[str, list[int]]) -> int:
    """Where the first position between two words is."""
    inner = list(zip(example["word_ids"], example["labels"], strict=True))[1:-1]
    return 1 + next(place for place, (word, label) in enumerate(inner) if word == NO_WORD and label != NO_LABEL)


def _chunks(words: list[_Word]) -> list[list[_Word]]:
    """Whole entities, and each word outside of them for itself."""
    chunks = [[word] for word in words[:1]]
    for before, word in pairwise(words):
        if _INSIDE[word.label] and before.label != OUTSIDE:
            chunks[-1].append(word)
        else:
            chunks.append([word])
    return chunks


def _pieces(chunks: list[list[_Word]], max_length: int | None) -> list[list[list[_Word]]]:
    """The chunks of a sentence in as few sequences as hold them; a chunk too long for any stays alone, and is cut in its batch."""
    pieces: list[list[list[_Word]]] = []
    room = 0
    for chunk in chunks:
        size = sum(len(word.ids) + 1 for word in chunk)
        if not pieces or (max_length is not None and size > room):
            pieces.append([])
            room = (max_length or 0) - 1  # the two ends, less the separator that one word lacks
        pieces[-1].append(chunk)
        room -= size
    return pieces
