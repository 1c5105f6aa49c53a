"""Encode the training sentences of a corpus, once, and pack them.

    python -m conlipa.modeling.data.packing --profile mini --corpus titles=DIR:running=DIR --out DIR
    accelerate launch modeling/train.py ner --profile mini --packed DIR --out runs/ner

The folder is small and complete: a machine with a GPU, without G2P engines and without network, trains from it.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import datasets
from filelock import FileLock
from tqdm.auto import tqdm

from conlipa.atomic_files import check_place
from conlipa.dataset_scripts.g2p.phonemizer import WORD_SEPARATOR
from conlipa.dataset_scripts.wikiann.places import RUNNING, TITLES, corpus_option
from conlipa.errors import ConlipaError, exit_on_error
from conlipa.modeling.data.corpus import Corpus, CorpusSet, encoded
from conlipa.modeling.data.fingerprint import of_redirects, of_sentences, of_sets
from conlipa.modeling.data.packed import pack
from conlipa.modeling.data.packed_corpus import REDIRECTS, SETS, PackedCorpus, PackedSet, encoding_of
from conlipa.modeling.data.redirects import redirects
from conlipa.modeling.inference.phoneme_ids import remembered
from conlipa.modeling.recipe import GRAPHEMES, Recipe
from conlipa.modeling.recipe_file import recipe_of, recipe_options
from conlipa.quiet import quiet

_ANY_LENGTH = 1_000_000


def packed_corpus(
    corpus: Corpus, languages: Sequence[str], exclude: Sequence[str], tokenizer: Any, max_length: int, input_kind: str, split: bool
) -> PackedCorpus:
    """The training sentences of some languages, from the cache where nothing changed.

    Args:
        split: a sentence beyond `max_length` becomes several; otherwise it is cut.
    """
    there = corpus.sets(languages, "train")
    sets = chosen_sets(there, exclude)
    encoding = encoding_of(tokenizer, max_length, input_kind, split)
    sentences, division = of_sentences(corpus, languages, "train"), of_sets(corpus, there)
    words = redirects(exclude)
    key = f"4 {sentences} {division} {' '.join(f'{each.kind}/{each.name}' for each in sets)} {encoding} {words}"
    folder = Path(datasets.config.HF_DATASETS_CACHE) / "conlipa-packed" / hashlib.sha256(key.encode()).hexdigest()[:16]
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):  # processes that train together ask for it at the same time
            if not folder.is_dir():
                reader, most = (tokenizer if input_kind == GRAPHEMES else remembered(tokenizer)), (_ANY_LENGTH if split else max_length)
                shown = tqdm(sets, desc="encode", unit="set", file=sys.stderr, disable=len(sets) < 2)
                examples = (_examples(corpus, each, reader, most, input_kind) for each in shown)
                beside = (encoded(rows, reader, most, input_kind) for rows in words.values())
                separator = None if input_kind == GRAPHEMES else reader(WORD_SEPARATOR, truncation=True, max_length=3)["input_ids"][1]
                arrays = pack(chain(examples, beside), max_length if split else None, separator)
                named = (*(PackedSet(each.lang, each.kind, each.name) for each in sets), *(PackedSet(lang, REDIRECTS, lang) for lang in words))
                PackedCorpus(arrays, named, encoding, sentences, words=of_redirects(exclude), division=division).save(folder)
    left_out = {PackedSet(each.lang, each.kind, each.name) for each in there if each not in sets}
    return replace(PackedCorpus.load(folder), left_out=tuple(sorted(left_out)))  # what was kept is the same for several recipes


def sets_of(corpus: Corpus, languages: Sequence[str], exclude: Sequence[str]) -> list[CorpusSet]:
    """The sets that some languages are trained on: without those that a recipe excludes."""
    return chosen_sets(corpus.sets(languages, "train"), exclude)


def chosen_sets(sets: Sequence[CorpusSet], exclude: Sequence[str]) -> list[CorpusSet]:
    """Those of some sets that a recipe does not exclude."""
    return [each for each in sets if not PackedSet(each.lang, each.kind, each.name).is_among(exclude)]


def check_published(corpus: Corpus, languages: Sequence[str], exclude: Sequence[str]) -> None:
    """Raises ConlipaError where a release, whose titles of a language are one set of its name, would be trained on what a recipe excludes."""
    if all(pattern.startswith((f"{RUNNING}/", f"{REDIRECTS}/")) for pattern in exclude):  # all of a large corpus is read to know its sets
        return
    titles = [PackedSet(each.lang, each.kind, each.name) for each in corpus.sets(languages, "train") if each.kind == TITLES]
    for lang in languages:
        sets = {PackedSet(lang, TITLES, lang), *(each for each in titles if each.lang == lang)}
        if len({each.is_among(exclude) for each in sets}) > 1:
            named = ", ".join(sorted(f"{each.kind}/{each.name}" for each in sets))
            raise ConlipaError(f"ner.exclude: a release has the titles of {lang} as one set; expected it to name all of {named}, or none")


def packed_for(recipe: Recipe, corpus: Corpus) -> PackedCorpus:
    """All that stage 1 of a recipe is trained on."""
    from conlipa.modeling.data.sentences import source_languages
    from conlipa.modeling.encoder import tokenizer_of

    encoder, split = recipe.encoder, recipe.ner.long_sentences == "split"
    languages = source_languages(corpus, recipe.ner.languages)
    return packed_corpus(corpus, languages, recipe.ner.exclude, tokenizer_of(encoder), encoder.max_length, encoder.input_kind, split)


def _examples(corpus: Corpus, each: CorpusSet, reader: Any, most: int, input_kind: str) -> Iterator[dict[str, list[int]]]:
    rows = corpus.rows(each)
    for start in range(0, len(rows), 1000):
        columns = rows[start : start + 1000]
        yield from encoded((dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)), reader, most, input_kind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    recipe_options(parser)
    corpus_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="the folder to write")
    arguments = parser.parse_args()
    quiet()
    with exit_on_error():
        check_place(arguments.out, SETS)
        found = packed_for(recipe_of(arguments), Corpus(arguments.corpus))
        found.save(arguments.out)
        positions = int(found.packed.positions().sum())
        print(f"{arguments.out}: {len(found.packed):,} sentences of {len(found.languages())} languages, {positions:,} positions")


if __name__ == "__main__":
    main()
