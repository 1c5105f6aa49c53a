"""Grapheme-to-phoneme engines behind one interface: words in, raw IPA strings out.

An engine is named `kind:code` (`espeak:tr`, `epitran:tgk-Cyrl`, `map:my.csv`). What it returns
is raw: `conlipa.dataset_scripts.g2p.ipa` brings every engine's dialect of IPA into one normal form.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import regex

from conlipa.concurrency import held_during_fork, once
from conlipa.dataset_scripts.g2p.abugida import Abugida
from conlipa.dataset_scripts.g2p.charsiu import Charsiu
from conlipa.dataset_scripts.g2p.letter_map import LetterMap
from conlipa.dataset_scripts.g2p.letter_map import read_letter_map as read_letter_map
from conlipa.dataset_scripts.tables import FOLDER
from conlipa.errors import ConlipaError, UsageError, nearest


class Engine(Protocol):
    """A transcriber of single words."""

    def transcribe(self, words: Sequence[str]) -> list[str]:
        """One raw IPA string a word, in order; an empty string where the engine knows nothing."""
        ...


class Epitran:
    """epitran: letter maps and context rules, about 160 languages."""

    def __init__(self, code: str) -> None:
        with _no_feature_table():
            import epitran
            import epitran.simple

            logging.getLogger("epitran").setLevel(logging.ERROR)
            # At every letter it writes out what is left of the word, for a message that nobody reads: quadratic time.
            epitran.simple.repr = lambda _: ""
            try:
                self._epitran = epitran.Epitran(code)
            except Exception as error:  # epitran raises its own DatafileError, KeyError or OSError
                raise ConlipaError(f"epitran has no map '{code}'") from error

    def transcribe(self, words: Sequence[str]) -> list[str]:
        return [self._epitran.transliterate(word) for word in words]


@once
def feature_table() -> Any:
    """panphon's articulatory features, read once a process."""
    import panphon

    return panphon.FeatureTable()


_PANPHON = held_during_fork(threading.RLock())


@contextmanager
def _no_feature_table() -> Iterator[None]:
    """epitran reads panphon's table three times for every language, but never asks it anything to transliterate."""
    import panphon
    import panphon.featuretable

    with _PANPHON:
        original, empty, here = panphon.featuretable.FeatureTable, SimpleNamespace(names=()), threading.get_ident()

        def table(*args: Any, **kwargs: Any) -> Any:
            return empty if threading.get_ident() == here else original(*args, **kwargs)  # other threads get the table they ask for

        panphon.FeatureTable = panphon.featuretable.FeatureTable = table
        try:
            yield
        finally:
            panphon.FeatureTable = panphon.featuretable.FeatureTable = original


def _espeak_data() -> bytes:
    """The path of espeak-ng's data.

    Raises:
        ConlipaError: nothing is there, or it is longer than the buffer that espeak copies it into.
    """
    import espeakng_loader

    try:
        path = str(espeakng_loader.get_data_path())
    except RuntimeError:  # there is no such folder
        path = ""
    if len(os.fsencode(path)) >= _ESPEAK_PATH:
        raise ConlipaError(f"{path}: espeak-ng takes a data path of fewer than {_ESPEAK_PATH} bytes; install the kit in a folder with a shorter one")
    if not Path(path, "phontab").is_file():
        raise ConlipaError("espeak-ng could not be started: its data is missing; install espeakng-loader again")
    return os.fsencode(path)


_ESPEAK_PATH = 230 if sys.platform == "win32" else 160
"""Bytes of espeak-ng's buffer for the path."""


class Espeak:
    """espeak-ng as a shared library (GPL-3), loaded at run time from the `espeakng-loader` wheel.

    It holds one voice at a time for the whole process, and its answers in one buffer: one thread at a time asks it.
    """

    _lock = held_during_fork(threading.RLock())
    _library: ctypes.CDLL | None = None
    _voice: str | None = None
    spells = True
    """Letters that it does not know, by their names (`spelling.py`)."""
    _IPA = 0x02

    def __init__(self, voice: str) -> None:
        self.voice = voice
        with self._lock:
            self._select()

    @classmethod
    def _load(cls) -> ctypes.CDLL:
        """The library, started; to be called under the lock."""
        if cls._library is None:
            import espeakng_loader

            library = ctypes.CDLL(espeakng_loader.get_library_path())
            library.espeak_TextToPhonemes.restype = ctypes.c_char_p
            library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
            synchronous, dont_exit = 2, 0x8000  # espeak would end the whole process where its data is missing
            if library.espeak_Initialize(synchronous, 0, _espeak_data(), dont_exit) < 0:
                raise ConlipaError("espeak-ng could not be started: its data cannot be read")
            cls._library = library
        return cls._library

    def _select(self) -> ctypes.CDLL:
        """The library, with this engine's voice; to be called under the lock, which is kept as long as the voice is needed."""
        library = self._load()
        if Espeak._voice != self.voice:
            Espeak._voice = None
            if library.espeak_SetVoiceByName(self.voice.encode()) != 0:
                raise ConlipaError(f"espeak-ng has no voice '{self.voice}'")
            Espeak._voice = self.voice
        return library

    def transcribe(self, words: Sequence[str]) -> list[str]:
        with self._lock:
            library = self._select()
            return [self._spoken(library, word) for word in words]

    def _spoken(self, library: ctypes.CDLL, word: str) -> str:
        utf8 = 1
        text = ctypes.c_char_p(word.encode("utf-8", "ignore"))
        clauses = []
        while text.value:
            clauses.append(library.espeak_TextToPhonemes(ctypes.byref(text), utf8, self._IPA).decode("utf-8", "ignore"))
        return " ".join(clauses)


_HAN = regex.compile(r"\p{Han}")


class Pinyin:
    """Han characters by their Mandarin reading (pypinyin), then epitran's map of pinyin."""

    def __init__(self, code: str) -> None:
        self._romanised = Epitran(code)

    def transcribe(self, words: Sequence[str]) -> list[str]:
        from pypinyin import lazy_pinyin

        return self._romanised.transcribe([" ".join(lazy_pinyin(word, errors="ignore")) for word in words])


class Kanji:
    """Han characters by their Japanese reading (janome, with the dictionary of ipadic), then epitran's map of katakana.

    One that the dictionary lacks (a rare form in a name) is read as Mandarin has it. janome's cache bears one thread at a time.
    """

    _lock = held_during_fork(threading.RLock())

    def __init__(self, code: str) -> None:
        from janome.tokenizer import Tokenizer

        self._kana, self._dictionary = Epitran(code), Tokenizer()

    def transcribe(self, words: Sequence[str]) -> list[str]:
        with self._lock:
            kana = ["".join(self._readings(word)) for word in words]
        return [_HAN.sub(lambda lacking: self._elsewhere(lacking[0]), line) for line in self._kana.transcribe(kana)]

    def _readings(self, word: str) -> Iterator[str]:
        for token in self._dictionary.tokenize(word):
            if token.reading != "*":
                yield token.reading
                continue
            first, after = token.surface[0], token.surface[1:]  # what the dictionary lacks takes characters after it with it
            yield first if _HAN.match(first) else ""
            for part in [after] if len(after) < 3 else after:  # of long numbers each alone: to cut them again and again takes seconds
                yield from self._readings(part)

    @staticmethod
    def _elsewhere(character: str) -> str:
        from conlipa.dataset_scripts.g2p.phonemizer import phonemizer

        return "".join(phonemizer("cmn")([character])[0])


_READ_AS = {"c": "k", "g": "ɡ", "q": "k", "x": "ks", "y": "j"}


class LastResort:
    """Any letter at all: its ASCII form (anyascii), read letter by letter as IPA.

    It is what remains for a letter that no engine knows, so that no word is ever without phonemes.
    """

    def transcribe(self, words: Sequence[str]) -> list[str]:
        from anyascii import anyascii

        ascii_words = ([c for c in anyascii(word).lower() if c.isalpha()] for word in words)
        return ["".join(_READ_AS.get(c, c) for c in word) for word in ascii_words]


KINDS: dict[str, Callable[[str], Engine]] = {
    "epitran": Epitran,
    "espeak": Espeak,
    "pinyin": Pinyin,
    "kanji": Kanji,
    "map": LetterMap,
    "letters": lambda code: LetterMap(str(FOLDER / "letters" / f"{code}.csv")),
    "abugida": Abugida,
    "charsiu": Charsiu,
}


@once
def engine(name: str) -> Engine:
    """The engine of a name such as `espeak:tr`, made once a process.

    Raises:
        UsageError: a kind that does not exist.
        ConlipaError: the engine has no such language or table.
    """
    kind, _, code = name.partition(":")
    if kind not in KINDS or not code:
        raise UsageError(f"unknown engine '{name}'{nearest(kind, KINDS)} (engines: {', '.join(sorted(KINDS))})")
    return KINDS[kind](code)
