"""Words to phonemes in one language: each distinct run of letters is transcribed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from conlipa.concurrency import once
from conlipa.dataset_scripts.g2p import charsiu
from conlipa.dataset_scripts.g2p.engines import KINDS, LastResort, engine
from conlipa.dataset_scripts.g2p.ipa import foreign_letters, rewritten, segment, segments
from conlipa.dataset_scripts.g2p.spelling import is_spelled, nearest_spelling
from conlipa.dataset_scripts.g2p.stamps import lasting, split_stamp, stamped
from conlipa.dataset_scripts.g2p.words import SYMBOL, runs
from conlipa.dataset_scripts.languages import Language, language
from conlipa.dataset_scripts.tables import digest, rows
from conlipa.errors import ConlipaError, UsageError, nearest

WORD_SEPARATOR = "▁"
EMPTY_WORD = "."
"""What stands for a word without any letter, digit or mark (a lone direction mark, say)."""
_REMEMBERED = 1_000_000
"""Distinct words that a `Phonemizer` keeps: more than any language of WikiANN has."""
_Memory = dict[tuple[str, str], tuple[str, ...]]
"""A run of letters and its script to phonemes."""


@cache
def _engines_of_script(script: str) -> tuple[str, ...]:
    return tuple(next((row["engines"].split() for row in rows("scripts.csv") if row["script"] == script), ()))


@cache
def _engines_beside(script: str, own: str) -> tuple[str, ...]:
    """Those of a script that is written beside a language's own one and read as that language has it: kanji."""
    return tuple(next((row["engines"].split() for row in rows("mixed_scripts.csv") if (row["script"], row["counts_as"]) == (script, own)), ()))


@cache
def _quirks(name: str) -> tuple[tuple[str, str], ...]:
    return tuple((row["raw"], row["means"]) for row in rows("quirks.csv") if row["engine"] == name)


@cache
def _respellings(name: str) -> tuple[tuple[str, str], ...]:
    """What an engine would misread: it lowers a Turkish I to i, and Thai's sara am comes to it in two parts (NFKC)."""
    return tuple((row["written"], row["read"]) for row in rows("respellings.csv") if row["engine"] == name)


class NotReadError(ConlipaError):
    """No engine, or not the one that is wanted, reads a language."""


class Phonemizer:
    """The transcriber of one language; a call takes words and gives the phonemes of each, never an empty list.

    >>> Phonemizer("swa")(["Nairobi", "1999"])
    [['n', 'a', 'i', 'ɾ', 'o', 'ɓ', 'i'], ['1', '9', '9', '9']]

    Each distinct word is worked out once, and its list handed out to whoever asks: not to be changed. Any thread may call it; pickled, it is
    what it was made from, without what it has learnt.

    Letters of another script than the language's (Latin names in Sinhala text) go to the engine
    of that script (`scripts.csv`), kanji to one of their own (`mixed_scripts.csv`); letters that no engine knows go through their ASCII form, and
    are counted in `rescued`.
    """

    def __init__(self, lang: str, wanted: str = "auto") -> None:
        """`wanted`: `auto` (the language's own chain), a kind (`epitran`, `charsiu`) or a full name (`espeak:tr`, `map:FILE.csv`).

        Raises:
            UsageError: an unknown language or kind of engine.
            ConlipaError: the language has no such engine.
        """
        self._made_from = lang, wanted
        self.rescued: Counter[str] = Counter()
        self._words: dict[str, list[str]] = {}
        self._memory: _Memory = {}
        if wanted.startswith("map:"):  # the one way to a language that the table does not list
            self.language: Language | None = None
            self.engines: tuple[str, ...] = (stamped(wanted),)
            engine(*self.engines)  # a mistake in the table is an error now
        else:
            self.language = language(lang)
            self.engines = _chosen(self.language, wanted)
        self._last_resort = LastResort()

    def __call__(self, words: Sequence[str]) -> list[list[str]]:
        if len(self._words) > _REMEMBERED:  # a large corpus must not fill the memory
            self._words, self._memory = {}, {}
        known, memory = self._words, self._memory  # these two stay whole, whatever another thread forgets meanwhile
        by_script = self.language is not None  # a user's own table reads every script
        new = {word: list(runs(word, by_script)) for word in dict.fromkeys(words) if word not in known}
        self._learn({piece for pieces in new.values() for piece in pieces if piece[1] != SYMBOL}, memory)
        known.update((word, self._join(pieces, memory)) for word, pieces in new.items())
        return [known[word] for word in words]

    def __reduce__(self) -> Any:
        lang, wanted = self._made_from
        # The digests are for whoever hashes the pickle (`datasets`): another table or engine gives other phonemes.
        return _unpickled, (type(self), lang, lasting(wanted), [digest(), *(split_stamp(name)[1] for name in self.engines)])

    @staticmethod
    def _join(pieces: Iterable[tuple[str, str]], memory: _Memory) -> list[str]:
        phonemes: list[str] = []
        for run, script in pieces:
            phonemes += [run] if script == SYMBOL else memory[run, script]
        return phonemes or [EMPTY_WORD]

    def _learn(self, pieces: set[tuple[str, str]], memory: _Memory) -> None:
        """Transcribe what is new, script by script, so that an engine works on batches."""
        by_script: dict[str, list[str]] = {}
        for run, script in sorted(piece for piece in pieces if piece not in memory):
            by_script.setdefault(script, []).append(run)
        for script, todo in by_script.items():
            for run, phonemes in zip(todo, self._transcribe(todo, self._chain(script)), strict=True):
                memory[run, script] = phonemes

    def _chain(self, script: str) -> tuple[str, ...]:
        if self.language is None or script == self.language.script:
            return self.engines
        return _engines_beside(script, self.language.script) or _engines_of_script(script)

    def _transcribe(self, todo: list[str], chain: Sequence[str]) -> list[tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        half_read: dict[str, str] = {}
        for name in chain:
            left = [run for run in todo if run not in found]
            if not left:
                break
            for run, (line, phonemes) in zip(left, _read(name, left), strict=True):
                if foreign_letters(line):
                    half_read.setdefault(run, line)
                elif phonemes:
                    found[run] = phonemes
        for run in todo:
            if run not in found:
                found[run] = self._rescue(run, half_read.get(run) or rewritten(run))
        return [found[run] for run in todo]

    def _rescue(self, run: str, text: str) -> tuple[str, ...]:
        """What no engine could read: the letters that are not valid IPA by their ASCII form, the others as they are."""
        self.rescued[run] += 1
        foreign = set(foreign_letters(text))
        ascii_forms = dict(zip(foreign, self._last_resort.transcribe(list(foreign)), strict=True))
        return segment("".join(ascii_forms.get(c, c) for c in text)) or segment(self._last_resort.transcribe([run])[0]) or ("ə",)


def _unpickled(kind: type[Phonemizer], lang: str, wanted: str, _: Sequence[str]) -> Phonemizer:
    return kind(lang, wanted)


def _read(name: str, words: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """What an engine makes of words: the line in the kit's letters, and its phonemes; none where it spelled the word instead of reading it."""
    answers = _asked(name, words)
    if not getattr(engine(name), "spells", False):
        return answers
    again = {word: nearest_spelling(word) for word, (line, phonemes) in zip(words, answers, strict=True) if is_spelled(word, line, phonemes)}
    other = [spelling for word, spelling in again.items() if spelling and spelling != word]
    second = dict(zip(other, _asked(name, other), strict=True))

    def better(word: str) -> tuple[str, tuple[str, ...]]:
        line, phonemes = second.get(again[word], ("", ()))
        spelled = any(is_spelled(each, line, phonemes) for each in (word, again[word]))  # ß as "ss" is "es es" for one letter
        return ("", ()) if spelled else (line, phonemes)

    return [better(word) if word in again else answer for word, answer in zip(words, answers, strict=True)]


def _asked(name: str, words: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    for written, read in _respellings(name):
        words = [word.replace(written, read) for word in words]
    raw = "\n".join(raw.replace("\n", " ") for raw in engine(name).transcribe(words))
    for quirk, means in _quirks(name):
        raw = raw.replace(quirk, means)
    text = rewritten(raw)
    return list(zip(text.split("\n"), segments(text), strict=True)) if words else []


def _chosen(row: Language, wanted: str) -> tuple[str, ...]:
    """The engines of a row that `wanted` names."""
    if ":" in wanted:
        name = stamped(wanted)
        engine(name)
        return (name,)
    if wanted == "auto":
        if not row.engines:
            raise NotReadError(f"no engine transcribes {row.name} ({row.iso}); give your own letters with --engine map:FILE.csv")
        return row.engines
    if wanted not in KINDS:
        raise UsageError(f"unknown engine '{wanted}'{nearest(wanted, KINDS)} (engines: auto, {', '.join(sorted(KINDS))})")
    every = row.engines + charsiu.engines(row.iso)
    known = [name for name in every if name.startswith(f"{wanted}:")]
    if not known:
        has = ", ".join(every) or "none"
        raise NotReadError(f"{row.name} ({row.iso}) has no engine '{wanted}' (it has: {has})")
    for name in known:
        engine(name)
    return tuple(known)


def phonemizer(lang: str, engine: str = "auto") -> Phonemizer:
    """One `Phonemizer` a language and process, with what it has learnt; another one where a letter table or a model was changed."""
    return _made(lang, engine, stamped(engine))


@once
def _made(lang: str, wanted: str, _: str) -> Phonemizer:
    return Phonemizer(lang, wanted)


def forget() -> None:
    """Let go of all transcribers and engines; who holds one may still use it."""
    _made.cache_clear()
    engine.cache_clear()


def ipa_string(words: Sequence[Sequence[str]]) -> str:
    """Phonemes separated by one space, words by ` ▁ `: the input form of XPhoneBERT."""
    return f" {WORD_SEPARATOR} ".join(" ".join(word) for word in words)
