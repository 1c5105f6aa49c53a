"""A text of any length as windows that fit the encoder, made as they are needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import regex

from conlipa.dataset_scripts.g2p.capitals import capitals, with_case_marks
from conlipa.dataset_scripts.g2p.phonemizer import Phonemizer
from conlipa.dataset_scripts.g2p.words import Word, words
from conlipa.dataset_scripts.tables import rows

_MARGIN = 0.25
"""Share of a window that is only context for what its neighbour tags."""
_TOGETHER = 512
"""Words that are transcribed together."""
LINE_BREAKS = r"\n\r\f\v\x85\u2028\u2029"
"""Characters at which an editor begins a new line, for a character class."""
_TITLES = "|".join(sorted({regex.escape(title) for row in rows("titles.csv") for title in row["titles"].split()}))
# A full stop after three letters or fewer may be that of an abbreviation (St., Dr., J. R. R.), as that of a title may (Capt., Prof.), but for scripts
# whose letters are syllables (`scripts.csv`). A letter that has a capital and is none begins no sentence; Georgian's, though small, have none.
# Vietnamese words are short as well; one with a letter that hardly another language has is no abbreviation.
_WHOLE = "|".join(
    [
        r"\w{4}",
        r"[\p{Pe}\p{Pf}\"%]",
        r"[ƠơƯưẠ-ỹ]\p{L}{0,2}",
        *(rf"\p{{{row['script']}}}{{{row['final_word']}}}" for row in rows("scripts.csv") if row["final_word"]),
    ]
)
_CLOSING = r"""(?:[\p{Pe}\p{Pf}"']|\[\d{1,3}\])*"""
_STOP = rf"(?:(?<={_WHOLE})(?<!\b(?:{_TITLES}|\p{{Lu}}))|(?<=\s))\."
_NEXT = r"(?=[^\p{Changes_When_Titlecased}\s])"
_TYPED = r"፡፡|(?<=\p{Armn}{2}):"
"""What Ethiopic's and Armenian's full stop is typed as."""
_END = regex.compile(rf"(?:{_STOP}|{_TYPED}|[\p{{STerm}}--[.]]){_CLOSING}\s+{_NEXT}|[。！？｡]{_CLOSING}|[{LINE_BREAKS}]\s*", regex.V1)


@dataclass(frozen=True)
class Spoken:
    """A word of the text and its phonemes, never none."""

    word: Word
    phonemes: list[str]
    capital: bool = False


@dataclass(frozen=True)
class Window:
    """Words that go through the model together; those of `own` get their labels here, the others are context."""

    words: list[Spoken]
    own: range
    begins: bool = False
    """The first of its sentence, which no name goes on into."""


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Start and text of each sentence: it ends after a mark that ends one, and at any line break.

    An encoder that was trained on sentences loses most entities when it gets several at once. None goes beyond its
    sentence, so a document's entities are those of its sentences and lines.
    """
    start = 0
    for match in _END.finditer(text):
        yield start, text[start : match.end()]
        start = match.end()
    if start < len(text):
        yield start, text[start:]


def phonemes_of(text: str, transcribe: Phonemizer, case_marks: bool = False) -> list[list[str]]:
    """The phonemes of each word of a text as a model reads them: whether a capital is marked, its sentence decides."""
    found: list[list[str]] = []
    for _, sentence in sentences(text):
        texts = [word.text for word in words(sentence)]
        spoken = transcribe(texts)
        found += with_case_marks(texts, spoken) if case_marks else spoken
    return found


def text_windows(text: str, transcribe: Phonemizer, limit: int) -> Iterator[Window]:
    """The windows of a text, each of at most `limit` positions, case marks not counted."""
    for start, sentence in sentences(text):
        yield from windows(_spoken(sentence, start, transcribe), limit)


def _spoken(sentence: str, offset: int, transcribe: Phonemizer) -> Iterator[Spoken]:
    found = iter(words(sentence))
    while some := list(islice(found, _TOGETHER)):
        texts = [word.text for word in some]
        for word, phonemes, capital in zip(some, transcribe(texts), capitals(texts), strict=True):
            yield Spoken(Word(word.text, word.start + offset, word.end + offset), phonemes, capital)


def windows(spoken: Iterable[Spoken], limit: int) -> Iterator[Window]:
    """Overlapping windows of whole words, each at most `limit` positions; every word is some window's own.

    A word too long for any window stands alone and is cut by the encoder.
    """
    coming, held = iter(spoken), list[Spoken]()
    own = 0  # the first word of `held` that no window owns yet
    begins = True
    while True:
        held += islice(coming, own + limit - len(held))  # more than a window takes: a word has two positions or more
        if own == len(held):
            return
        before = _context(held, own, limit)
        del held[: own - before]
        own = stop = before
        room = limit - 1 - sum(map(_size, held[:own]))  # the two ends, less the separator that one word lacks
        while stop < len(held) and (stop == own or _size(held[stop]) <= room):
            room -= _size(held[stop])
            stop += 1
        own_stop = stop if stop == len(held) else max(own + 1, stop - int((stop - own) * _MARGIN))
        yield Window(held[:stop], range(own, own_stop), begins)
        begins = False
        own = own_stop


def _size(spoken: Spoken) -> int:
    """Positions of a word with its separator."""
    return len(spoken.phonemes) + 1


def _context(held: list[Spoken], own: int, limit: int) -> int:
    """How many words before the first own one come along: they fill at most the margin."""
    many, room = 0, min(int(limit * _MARGIN), limit - 1 - _size(held[own]))
    while many < own and _size(held[own - many - 1]) <= room:
        many += 1
        room -= _size(held[own - many])
    return many
