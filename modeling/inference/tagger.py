"""Raw text to entities: `text → words → IPA → phonemes → ids → logits → word labels → character spans`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from conlipa.dataset_scripts.g2p.language_guess import guess_language
from conlipa.dataset_scripts.g2p.phonemizer import Phonemizer, phonemizer
from conlipa.dataset_scripts.g2p.stamps import lasting as lasting_engine
from conlipa.dataset_scripts.g2p.stamps import own_digest
from conlipa.dataset_scripts.known_names import CLDR, KnownNames
from conlipa.dataset_scripts.languages import iso_of
from conlipa.dataset_scripts.tables import digest
from conlipa.errors import ConlipaError
from conlipa.modeling.alignment import beginning, encode
from conlipa.modeling.inference.backend import Backend
from conlipa.modeling.inference.entities import Entity, LabelledText, word_probabilities
from conlipa.modeling.inference.lexicon import Lexicon, known_in, lexicon_of
from conlipa.modeling.inference.loading import load_backend
from conlipa.modeling.inference.name_prior import NamePrior
from conlipa.modeling.inference.origin import lasting
from conlipa.modeling.inference.packaged import MINI, located
from conlipa.modeling.inference.phoneme_ids import remembered
from conlipa.modeling.inference.reasons import Reasons, reasons
from conlipa.modeling.inference.saving import push, save
from conlipa.modeling.inference.windows import Spoken, Window, text_windows

__all__ = ["Entity", "Tagger"]

BATCH_SIZE = 256


class Tagger:
    """Finds persons, organisations and places in text of a language that the model never saw.

    >>> tagger = Tagger.from_pretrained(lang="kir")
    >>> [(entity.label, entity.text, entity.start, entity.end) for entity in tagger("Чыңгыз Айтматов Кыргызстанда төрөлгөн .")]
    [('PER', 'Чыңгыз Айтматов', 0, 15), ('LOC', 'Кыргызстанда', 16, 28)]

    Any thread may call it, and a forked process may use it. Pickled, it is what it was made from, with digests of the files.
    """

    def __init__(self, backend: Backend, lang: str | None = None, engine: str = "auto", known_names: bool = True) -> None:
        self.backend, self.lang, self.engine, self.knows_names = backend, lang, engine, known_names
        self._tokenizer = remembered(backend.tokenizer)
        self._made_from: tuple[str, str | None] | None = None
        self._lexicon: Lexicon | None = None
        self._known: dict[str, KnownNames] = {}

    def __reduce__(self) -> Any:
        engine, read_by = lasting_engine(self.engine), [digest(), own_digest(self.engine)]
        # The digests are for whoever hashes the pickle (`datasets`): another transcription, or other known names, give other entities.
        return _unpickled, (type(self), self.backend, self.lang, engine, self.knows_names, self._made_from, self._lexicon, [*read_by, CLDR])

    @classmethod
    def from_pretrained(
        cls,
        model: str = MINI,
        adapter: str | None = None,
        lang: str | None = None,
        engine: str = "auto",
        backend: str = "auto",
        revision: str | None = None,
        device: str | None = None,
        cache_dir: str | Path | None = None,
        known_names: bool = True,
    ) -> Tagger:
        """A tagger from `mini` or `mini-en`, a folder, a Hub repo or an ONNX file; an adapter is merged into the weights once.

        Args:
            backend: `torch`; `onnx`, which needs the `model.onnx` of `conlipa export`; `auto` takes that file where it
                lies beside the weights and was made from them, and torch otherwise. A GPU is used by torch only.
            lang: of the texts, ISO 639-3, where a call names none.
            engine: what transcribes, as `conlipa phonemize --engine`.
            revision: a branch, tag or commit of the Hub repos.
            device: of torch: `cpu`, `cuda`, `cuda:1` (default: a GPU where there is one).
            cache_dir: where what comes from the Hub is kept (default: the cache of `huggingface_hub`).
            known_names: countries and cities by the Unicode CLDR's name in the text's language, and the words of the sentences that an
                adapter of `conlipa adapt` was fitted to, get their label sooner (`name_prior.py`); False: the model alone.

        Raises:
            UsageError: an unknown backend, or a revision or device that does not go with the model.
            ConlipaError: model, adapter or file cannot be loaded, or this machine has no such device.
        """
        where = located(model, adapter, revision, cache_dir)
        lexicon = lexicon_of(where[1] or where[0]) if known_names else None
        made = cls(load_backend(*where, backend, device), lang, engine, known_names)
        made._made_from = lasting(where[0]), where[1] and lasting(where[1])
        made._lexicon = lexicon
        return made

    def with_engine(self, engine: str) -> Tagger:
        """The same model, which reads text as another engine transcribes it."""
        return _unpickled(type(self), self.backend, self.lang, engine, self.knows_names, self._made_from, self._lexicon)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write one folder that `from_pretrained` and stock `transformers` load: merged weights in float32, tokenizer, temperature, card.

        Raises:
            ConlipaError: a tagger that was not made by `from_pretrained`, or of an ONNX file; a folder that is not empty or cannot be written.
        """
        save(*self._weights(), Path(folder))

    def push_to_hub(self, repo: str, private: bool = False, token: str | None = None) -> str:
        """`save_pretrained` into a model repo `OWNER/NAME` on the Hub, made where there is none; gives the commit's URL.

        Raises:
            ConlipaError: as `save_pretrained`; no Hub, or it refuses.
        """
        return push(*self._weights(), repo, private, token)

    def _weights(self) -> tuple[str, str | None]:
        if self._made_from is None:
            raise ConlipaError("this tagger was not made by from_pretrained, and does not know where its weights come from")
        return self._made_from

    # A str is itself a sequence of str, and a sequence an iterable: the first that fits is meant.
    @overload
    def __call__(self, texts: str, lang: str | None = None, batch_size: int = ...) -> list[Entity]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, texts: Sequence[str], lang: str | None = None, batch_size: int = ...) -> list[list[Entity]]: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, texts: Iterable[str], lang: str | None = None, batch_size: int = ...) -> Iterator[list[Entity]]: ...

    def __call__(self, texts: str | Iterable[str], lang: str | None = None, batch_size: int = BATCH_SIZE) -> Any:
        """The entities of a text, in order of their start; of several texts, such a list for each.

        A list (or a column of a `datasets.Dataset`) gives a list. Any other iterable gives a generator, which reads ahead
        no further than `batch_size` windows of at most 128 phonemes, so that memory stays bounded. Entities do not depend
        on `batch_size`.

        Args:
            lang: ISO 639-3; None guesses it for each text from its script, where that is unambiguous.

        Raises:
            UsageError: an unknown language, or none given and the script does not tell it.
        """
        lang = lang or self.lang
        if lang or self.engine.startswith("map:"):
            self._phonemizer(lang, "")  # an unknown language is said now, not with the first result
        if isinstance(texts, str):
            return next(self._tag([texts], lang, batch_size))
        found = self._tag(texts, lang, batch_size)
        return list(found) if isinstance(texts, Sequence) else found

    predict = __call__
    """The same, by the name that other libraries have for it."""

    def explain(self, text: str, entity: Entity, lang: str | None = None) -> Reasons:
        """Why it found an entity of `text`: the share of each label, and the label's share without capital, sound, context and known names.

        Raises:
            UsageError: as a call does.
            ConlipaError: no word of the text stands where the entity does.
        """
        transcribe, known = self._reading(text, lang or self.lang)
        windows = text_windows(text, transcribe, self.backend.max_length)
        return reasons(self.backend, self._encoded, windows, known, entity)

    def _phonemizer(self, lang: str | None, text: str) -> Phonemizer:
        if lang is None and not self.engine.startswith("map:"):
            lang = guess_language(text)
        return phonemizer(lang or "", self.engine)

    def _reading(self, text: str, lang: str | None) -> tuple[Phonemizer, NamePrior]:
        """What transcribes a text, and what is known of its names."""
        transcribe = self._phonemizer(lang, text)
        iso = transcribe.language.iso if transcribe.language else iso_of(lang or "")
        if self.knows_names and iso not in self._known:
            self._known[iso] = known_in(iso, self._lexicon)
        return transcribe, NamePrior(text, self._known[iso] if self.knows_names else None)

    def _tag(self, texts: Iterable[str], lang: str | None, batch_size: int) -> Iterator[list[Entity]]:
        stream = self._windows(texts, lang)
        while batch := list(islice(stream, max(1, batch_size))):
            examples = [self._encoded(window.words) for *_, window in batch if window]
            scored = zip(examples, self.backend(examples) if examples else [], strict=True)
            for text, known, window in batch:
                if window is None:
                    yield text.entities()
                else:
                    self._read(text, known, window, *next(scored))

    def _windows(self, texts: Iterable[str], lang: str | None) -> Iterator[tuple[LabelledText, NamePrior, Window | None]]:
        """The windows of all texts, one stream; None ends a text."""
        for text in texts:
            known, labelled = NamePrior(text, None), LabelledText(text)
            if text.strip():  # what is blank is of no language, and there need be no engine for it
                transcribe, known = self._reading(text, lang)
                for window in text_windows(text, transcribe, self.backend.max_length):
                    yield labelled, known, window
            yield labelled, known, None

    def _encoded(self, words: Sequence[Spoken]) -> dict[str, list[int]]:
        marked = [spoken.capital for spoken in words] if self.backend.case_marks else None
        return encode(self._tokenizer, [spoken.phonemes for spoken in words], None, self.backend.max_length, marked)

    def _read(self, text: LabelledText, known: NamePrior, window: Window, example: dict[str, list[int]], logits: NDArray[np.float32]) -> None:
        """Take from a window what it decides: the labels of its own words."""
        scores = known.raised(logits, example, window.words)
        probabilities = word_probabilities(example, scores, self.backend.temperature)[window.own.start : window.own.stop]
        owned = (window.words[number].word for number in window.own)
        begins = window.begins
        for word, label, score in zip(owned, probabilities.argmax(-1).tolist(), probabilities.max(-1).tolist(), strict=False):
            text.add(word, beginning(label) if begins else label, score)
            begins = False


def _unpickled(
    kind: type[Tagger],
    backend: Backend,
    lang: str | None,
    engine: str,
    known_names: bool,
    made_from: tuple[str, str | None] | None,
    lexicon: Lexicon | None,
    _: Sequence[str] = (),
) -> Tagger:
    made = kind(backend, lang, engine, known_names)
    made._made_from, made._lexicon = made_from, lexicon
    return made
