"""Short digests of what a run is made from, so that a change is noticed and nothing is done twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.loanwords.pairs import pairs_path
from conlipa.modeling.data.redirects import redirects

if TYPE_CHECKING:  # `datasets` is slow to import, and a digest of weights needs none of it
    from datasets import Dataset

    from conlipa.modeling.data.corpus import Corpus, CorpusSet


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def of_sentences(corpus: Corpus, langs: Iterable[str], split: str) -> str:
    """Of the sentences themselves, tokens and phonemes: a better transcription is other data."""
    key = (split, *langs)
    if key not in corpus.digests:
        sentences = (sentence for lang in key[1:] for sentence in _columns(corpus.split(lang, split)))
        corpus.digests[key] = _digest(f"{sentence}".encode("utf-8", "surrogatepass") for sentence in sentences)
    return corpus.digests[key]


def of_sets(corpus: Corpus, sets: Iterable[CorpusSet]) -> str:
    """Of what sentences are divided into: kind, name and size of a set decide how often its sentences are drawn."""
    return _digest(f"{each.kind}/{each.name} {_size(corpus, each)}".encode() for each in sets)


def _size(corpus: Corpus, each: CorpusSet) -> int:
    return each.among[1] - each.among[0] if each.among else len(corpus.rows(each))


def _columns(rows: Dataset) -> Iterator[tuple[list[str], list[str], list[int]]]:
    """Tokens, phonemes and tags of each sentence; read by the column, which is many times as fast as by the row."""
    return zip(rows["tokens"][:], rows["ipa_tokens"][:], rows["ner_tags"][:], strict=True)


def of_redirects(exclude: Sequence[str]) -> str:
    """Of the words for a redirect, without those that a recipe excludes."""
    return _digest(f"{word}".encode() for word in redirects(exclude).items())


def of_pairs() -> str:
    """Of all pair files."""
    return _digest(pairs_path(iso).read_bytes() for iso in languages() if pairs_path(iso).is_file())


def of_folder(folder: str) -> str:
    """Of a model folder's weights, or the name of a Hub repo."""
    path = Path(folder)
    if not path.is_dir():
        return folder
    return _digest(file.read_bytes() for file in sorted(path.glob("*.safetensors")))
