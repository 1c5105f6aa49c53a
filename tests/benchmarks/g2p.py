"""Every token of a WikiANN folder transcribed from cold: the kit against the engines' own libraries, called token by token.

    python -m tests.benchmarks.g2p [--corpus DIR]

Both ways begin without anything loaded but the imports, and end with a list of phonemes a token. The plain way is
timed on a sample of each language's tokens. All times are those of the processor, so that what else runs here does not count.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

from conlipa.dataset_scripts.g2p.phonemizer import Phonemizer
from conlipa.dataset_scripts.languages import language
from conlipa.dataset_scripts.wikiann.places import corpus_option
from conlipa.dataset_scripts.wikiann.wikiann import SPLITS, source

PLAIN_TOKENS = 3000
"""Tokens of a language that the plain way transcribes: enough for a rate."""
KINDS = ("epitran", "espeak", "pinyin")
BATCH = 20_000


def tokens(wikiann: str, lang: str) -> list[str]:
    """All tokens of all splits."""
    corpus = source(wikiann)
    splits = [split for split in SPLITS if lang in corpus.languages(split)]
    return [token for split in splits for sentence in corpus.sentences(lang, split) for token in sentence.tokens]


def library_engine(lang: str) -> tuple[str, str]:
    """Kind and code of the first engine of a language that is a library of its own; empty where only the kit reads it."""
    names = [name.partition(":") for name in language(lang).engines]
    return next(((kind, code) for kind, _, code in names if kind in KINDS), ("", ""))


def library_call(kind: str, code: str) -> Callable[[str], list[str]]:
    """The usual call of an engine's library: a token in, its phonemes out."""
    if kind == "espeak":
        from phonemizer.backend import EspeakBackend
        from phonemizer.separator import Separator

        espeak = EspeakBackend(code, preserve_punctuation=True, language_switch="remove-flags", logger=logging.getLogger("quiet"))
        separator = Separator(phone=" ", word="")
        return lambda token: espeak.phonemize([token], separator=separator)[0].split()
    import epitran
    from pypinyin import lazy_pinyin

    transcriber = epitran.Epitran(code)
    if kind == "pinyin":
        return lambda token: transcriber.trans_list(" ".join(lazy_pinyin(token)))
    return transcriber.trans_list


def plain_seconds(lang: str, words: list[str]) -> float:
    """Loading the engine, and all tokens at the rate of a sample."""
    started = time.process_time()
    call = library_call(*library_engine(lang))
    loaded = time.process_time()
    sample = random.Random(0).sample(words, min(PLAIN_TOKENS, len(words)))
    for token in sample:
        call(token)
    return loaded - started + (time.process_time() - loaded) * len(words) / len(sample)


def our_seconds(lang: str, words: list[str]) -> float:
    started = time.process_time()
    transcribe = Phonemizer(lang)
    for start in range(0, len(words), BATCH):
        transcribe(words[start : start + BATCH])
    return time.process_time() - started


def _work(wikiann: str, lang: str) -> tuple[int, float]:
    our_seconds(lang, tokens(wikiann, lang))
    return os.getpid(), time.process_time()


def two_processes(wikiann: str, langs: list[str]) -> float:
    """Seconds of the busier of two processes that share the languages, from its start, reading included."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        return max(dict(pool.map(_work, [wikiann] * len(langs), langs)).values())


def _prepare() -> None:
    """Imports, and the espeak-ng library of the wheel for phonemizer."""
    import epitran  # noqa: F401
    import espeakng_loader
    from phonemizer.backend.espeak.wrapper import EspeakWrapper
    from pypinyin import lazy_pinyin

    lazy_pinyin("中国")  # reads its phrases
    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    for name in ("epitran", "quiet"):
        logging.getLogger(name).setLevel(logging.ERROR)


def measured(wikiann: str) -> Iterator[tuple[str, str, int, float, float]]:
    """`(language, kind, tokens, our seconds, plain seconds)`, the plain way of all languages first."""
    _prepare()
    langs = [lang for lang in source(wikiann).languages("validation") if library_engine(lang)[0]]
    words = {lang: tokens(wikiann, lang) for lang in langs}
    plain = {lang: plain_seconds(lang, words[lang]) for lang in langs}
    for lang in langs:
        yield lang, library_engine(lang)[0], len(words[lang]), our_seconds(lang, words[lang]), plain[lang]


def transcription(wikiann: str) -> Iterator[tuple[str, str, float, float]]:
    """`(name, unit, ours, plain)` over every language of the source, in one process."""
    rows = list(measured(wikiann))
    count = sum(row[2] for row in rows)
    yield f"transcription, {len(rows)} languages, cold", "tokens/s", count / sum(row[3] for row in rows), count / sum(row[4] for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    corpus_option(parser)
    arguments = parser.parse_args()
    rows = list(measured(arguments.corpus))
    groups: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for lang, kind, *numbers in rows:
        for group in (lang, kind, "all"):
            groups[group].append((int(numbers[0]), numbers[1], numbers[2]))
    print("| what | tokens | ours, s | token by token, s | ratio |\n|---|---:|---:|---:|---:|")
    for group in sorted(groups, key=lambda name: (len(groups[name]), name)):
        count, ours, plain = (sum(column) for column in zip(*groups[group], strict=True))
        print(f"| {group} | {count:,} | {ours:.2f} | {plain:.2f} | {plain / ours:.1f} |")
    langs = sorted((row[0] for row in rows), key=lambda lang: -groups[lang][0][1])
    busier = two_processes(arguments.corpus, langs)
    print(f"| all, two processes | {count:,} | {busier:.2f} | {plain:.2f} | {plain / busier:.1f} |")


if __name__ == "__main__":
    main()
