"""Raw text to entities: `text → words → IPA → phonemes → ids → logits → word labels → character spans`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from dataset_scripts.errors import ConlipaError
from dataset_scripts.g2p import Phonemizer, phonemizer
from dataset_scripts.languages import language
from dataset_scripts.wikiann import LABELS
from dataset_scripts.words import Word, words
from modeling.alignment import NO_WORD, encode
from modeling.encoder import load_adapted, max_length
from modeling.prediction import logits

MINI = "mini"
_MARGIN = 0.25
"""Share of a window that is only context for what its neighbour tags."""


@dataclass(frozen=True)
class Entity:
    """`text[start:end]` in code points of the text as given; `score` is the mean probability of its words' labels."""

    start: int
    end: int
    text: str
    label: str
    score: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def packaged(model: str, adapter: str | None = None) -> tuple[str, str | None]:
    """`mini` as the folders of the model that travels with the package, with its adapter; any other name as it is.

    Raises:
        ConlipaError: this build of the package carries no model.
    """
    if model != MINI:
        return model, adapter
    folder = Path(__file__).parent / "mini"
    if not (folder / "ner" / "model.safetensors").is_file():
        raise ConlipaError("this checkout carries no packaged model; train one with `conlipa release`, then name it with --model DIR")
    return str(folder / "ner"), adapter or str(folder / "ipac")


class Tagger:
    """Finds persons, organisations and places in text of a language that the model never saw."""

    def __init__(self, model: Any, tokenizer: Any, lang: str | None = None, engine: str = "auto") -> None:
        self.model, self.tokenizer, self.lang, self.engine = model, tokenizer, lang, engine

    @classmethod
    def from_pretrained(cls, model: str = MINI, adapter: str | None = None, lang: str | None = None, engine: str = "auto") -> Tagger:
        """A tagger from `mini`, a folder or a Hub repo; an adapter is merged into the weights once.

        Raises:
            ConlipaError: model or adapter cannot be loaded.
        """
        where, adapter = packaged(model, adapter)
        return cls(*load_adapted(where, adapter), lang=lang, engine=engine)

    def __call__(self, texts: Iterable[str], lang: str | None = None) -> Any:
        """The entities of a text, in order of their start; of several texts, such a list for each.

        Raises:
            UsageError: no language given, or an unknown one.
        """
        transcribe = self._phonemizer(lang or self.lang)
        if isinstance(texts, str):
            return self._tag([texts], transcribe)[0]
        return self._tag(list(texts), transcribe)

    def _phonemizer(self, lang: str | None) -> Phonemizer:
        if lang is None and not self.engine.startswith("map:"):
            language("")  # raises: which languages there are
        return phonemizer(lang or "", self.engine)

    def _tag(self, texts: Sequence[str], transcribe: Phonemizer) -> list[list[Entity]]:
        found = [words(text) for text in texts]
        phonemes = iter(transcribe([word.text for text in found for word in text]))
        spoken = [[next(phonemes) for _ in text] for text in found]
        limit = max_length(self.tokenizer)
        cuts = [windows([len(word) for word in text], limit) for text in spoken]
        examples = [
            encode(self.tokenizer, text[cut.start : cut.stop], None, limit) for text, these in zip(spoken, cuts, strict=True) for cut in these
        ]
        scores = iter(logits(self.model, examples, self.tokenizer.pad_token_id))
        positions = iter(examples)
        result = []
        for text, text_words, these in zip(texts, found, cuts, strict=True):
            probabilities = torch.zeros(len(text_words), len(LABELS))
            probabilities[:, 0] = 1.0
            for cut in these:
                self._read(probabilities, cut, next(positions)["word_ids"], next(scores).softmax(-1))
            result.append(entities(text, text_words, probabilities))
        return result

    @staticmethod
    def _read(probabilities: torch.Tensor, cut: Window, word_ids: Sequence[int], scores: torch.Tensor) -> None:
        """Take from a window what it decides: the first phoneme of each word of its own part."""
        previous = NO_WORD
        for position, word in enumerate(word_ids):
            if word not in (NO_WORD, previous) and cut.own_start <= cut.start + word < cut.own_stop:
                probabilities[cut.start + word] = scores[position]
            previous = word


@dataclass(frozen=True)
class Window:
    """Words `start` to `stop` go through the model together; those from `own_start` to `own_stop` get their labels here."""

    start: int
    stop: int
    own_start: int
    own_stop: int


def windows(sizes: Sequence[int], limit: int) -> list[Window]:
    """Overlapping windows of whole words, each at most `limit` positions; every word is some window's own.

    `sizes` are phonemes a word; a word too long for any window stands alone and is cut by the encoder.
    """
    cuts: list[Window] = []
    own = 0  # the first word that no window owns yet
    while own < len(sizes):
        start = stop = _context(sizes, own, limit)
        room = limit - 1  # for words, each with a separator: the two ends, less the separator that one word lacks
        while stop < len(sizes) and (stop <= own or sizes[stop] + 1 <= room):
            room -= sizes[stop] + 1
            stop += 1
        own_stop = stop if stop == len(sizes) else max(own + 1, stop - int((stop - own) * _MARGIN))
        cuts.append(Window(start, stop, own, own_stop))
        own = own_stop
    return cuts


def _context(sizes: Sequence[int], own: int, limit: int) -> int:
    """The first word of a window whose own words begin at `own`: what is before them fills at most the margin."""
    start, room = own, min(int(limit * _MARGIN), limit - 1 - (sizes[own] + 1))
    while start > 0 and sizes[start - 1] + 1 <= room:
        start -= 1
        room -= sizes[start] + 1
    return start


def entities(text: str, found: Sequence[Word], probabilities: torch.Tensor) -> list[Entity]:
    """Word labels to spans: an I- that continues nothing begins an entity of its own."""
    spans: list[tuple[str, list[int]]] = []
    open_type = ""
    for number, label in enumerate(LABELS[i] for i in probabilities.argmax(-1).tolist()):
        prefix, _, kind = label.partition("-")
        if prefix == "I" and kind == open_type:
            spans[-1][1].append(number)
        elif prefix in "BI":
            spans.append((kind, [number]))
        open_type = kind
    best = probabilities.max(-1).values
    result = []
    for kind, members in spans:
        start, end = found[members[0]].start, found[members[-1]].end
        result.append(Entity(start, end, text[start:end], kind, round(float(best[members].mean()), 4)))
    return result
