"""A text through the tagger: what the page and both endpoints share."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from conlipa.concurrency import once
from conlipa.dataset_scripts.g2p import phonemizer as g2p
from conlipa.dataset_scripts.g2p.words import Word, words
from conlipa.errors import ConlipaError
from conlipa.modeling.inference.packaged import MINI, packaged
from conlipa.modeling.inference.reasons import Reasons
from conlipa.modeling.inference.tagger import Entity, Tagger
from conlipa.modeling.inference.windows import phonemes_of

MAX_CHARACTERS = 5000
_FORGET_AFTER = 5000
_LETTER_TABLE = 100
"""What a letter table costs of `_FORGET_AFTER`, where a text costs 1 and one more for each 1,000 characters."""
_LOCK = threading.Lock()
_spent = 0


def chosen() -> tuple[str, str | None]:
    """Model and adapter: of CONLIPA_MODEL and CONLIPA_ADAPTER, or those that travel with the package."""
    return packaged(os.environ.get("CONLIPA_MODEL") or MINI, os.environ.get("CONLIPA_ADAPTER") or None)


@once
def _tagger(model: str, adapter: str | None) -> Tagger:
    return Tagger.from_pretrained(model, adapter)


@once
def _without_adapter(model: str, adapter: str) -> Tagger:
    """The model alone, at the temperature of the tagger with the adapter: only on one scale do the scores of the two compare."""
    made = Tagger.from_pretrained(model)
    made.backend.temperature = _tagger(model, adapter).backend.temperature
    return made


def load() -> None:
    """Load the model now.

    Raises:
        ConlipaError: model or adapter cannot be loaded.
    """
    _tagger(*chosen())


def _forget_now_and_then(texts: Sequence[str], more: int = 0) -> None:
    """The transcribers keep every word and letter table that they have met: a long-lived server would grow without end."""
    global _spent
    with _LOCK:
        _spent += len(texts) + sum(map(len, texts)) // 1000 + more
        if _spent <= _FORGET_AFTER:
            return
        _spent = 0
    g2p.forget()


def checked(text: Any, most: int = MAX_CHARACTERS, what: str = "text") -> str:
    """`text`, if it is one and may be tagged.

    Raises:
        ConlipaError: no text, too long, or a character that is none.
    """
    if not isinstance(text, str):
        raise ConlipaError(f"The {what} must be a string.")
    if len(text) > most:
        raise ConlipaError(f"The {what} is too long (characters: {most} at most).")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConlipaError(f"Character {error.start + 1} of the {what} is half a surrogate pair, which is no character.") from None
    return text


def _named(lang: Any) -> str:
    """The language of a call, which the taggers of other interfaces may guess.

    Raises:
        ConlipaError: none is named.
    """
    named = checked(lang, 100, "language")
    if not named.strip():
        raise ConlipaError("The language must be named, by its ISO 639-3 code.")
    return named


def tag(text: str, lang: str, with_adapter: bool = True) -> list[Any]:
    """The entities of a text.

    Raises:
        ConlipaError: the text may not be tagged, or an unknown language.
    """
    text, lang = checked(text), _named(lang)
    _forget_now_and_then([text])
    model, adapter = chosen()
    tagger = _tagger(model, adapter) if with_adapter or adapter is None else _without_adapter(model, adapter)
    return list(tagger(text, lang=lang))


def tag_all(texts: list[str], lang: str) -> Iterator[tuple[str, list[Any]]]:
    """Each of some texts with its entities, as they come; `documents.checked` says which texts may be tagged.

    Raises:
        ConlipaError: an unknown language.
    """
    lang = _named(lang)
    _forget_now_and_then(texts)
    yield from zip(texts, map(list, _tagger(*chosen())(iter(texts), lang=lang)), strict=True)


def explain(text: str, lang: str, entity: Entity) -> Reasons:
    """Why the entity was found.

    Raises:
        ConlipaError: as `tag`; no word of the text stands where the entity does.
    """
    text = checked(text)
    _forget_now_and_then([text])
    return _tagger(*chosen()).explain(text, entity, _named(lang))


def spoken(text: str, lang: str) -> list[tuple[Word, list[str]]]:
    """The words of a text, each with its phonemes.

    Raises:
        ConlipaError: the text may not be transcribed, or an unknown language.
    """
    found, lang = words(checked(text)), _named(lang)
    _forget_now_and_then([text])
    return list(zip(found, g2p.phonemizer(lang)([word.text for word in found]), strict=True))


def phonemes(text: str, lang: str, case_marks: bool) -> list[list[str]]:
    """The phonemes of each word of a text as the model reads them.

    Raises:
        ConlipaError: as `spoken`.
    """
    text, lang = checked(text), _named(lang)
    _forget_now_and_then([text])
    return phonemes_of(text, g2p.phonemizer(lang), case_marks)


def by_letters(text: str, engine: str) -> tuple[list[Any], list[tuple[Word, list[str]]]]:
    """Entities and phonemes of a text in a language that is not listed; `engine` is `map:FILE`.

    Raises:
        ConlipaError: the text may not be tagged.
    """
    found = words(checked(text))
    _forget_now_and_then([text], _LETTER_TABLE)
    entities = _tagger(*chosen()).with_engine(engine)(text)
    return list(entities), list(zip(found, g2p.phonemizer("", engine)([word.text for word in found]), strict=True))
