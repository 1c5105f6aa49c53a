"""A few tagged sentences of a language, as the tagger reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conlipa.dataset_scripts.g2p.language_guess import guess_language
from conlipa.dataset_scripts.g2p.phonemizer import phonemizer
from conlipa.dataset_scripts.languages import iso_of, language, languages
from conlipa.dataset_scripts.wikiann.convert import convert
from conlipa.dataset_scripts.wikiann.foreign import Columns, read_foreign
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.errors import ConlipaError

FEWEST, MOST = 5, 2000
"""Sentences: fewer cannot be cross-validated, more are a corpus, for which there is `train.py`."""
_FEWEST_NAMES = 5


def read_tagged_file(
    path: Path, lang: str | None, engine: str, mapping: Mapping[str, str], columns: Columns | None = None, labels: Sequence[str] | None = None
) -> tuple[str, list[dict[str, Any]]]:
    """The language, and rows of the WikiANN-IPA contract: `tokens`, `ner_tags`, `ipa_tokens`.

    Args:
        path: in any form that `wikiann/convert.py` reads; what the Space gives as CoNLL is one.
        lang: None guesses it from the script, where that is unambiguous.
        mapping: what a type other than PER, ORG and LOC becomes.
        columns, labels: as of `read_foreign`.

    Raises:
        UsageError: an unknown language, or none given and the script does not tell it.
        ConlipaError: it cannot be read (file and line named), has too few or too many sentences, too few names, or types that are not known.
    """
    known = languages().get(lang or "")
    found = read_foreign(path, columns, labels, (known.iso, known.wikiann) if known else ())
    try:
        sentences = list({tuple(each.tokens): each for each in convert(found, mapping)}.values())  # once each, as it was tagged last
    except ConlipaError as error:
        raise ConlipaError(f"{path}: {error}") from None
    if not FEWEST <= len(sentences) <= MOST:
        more = "tag some more" if len(sentences) < FEWEST else "train on so many with modeling/train.py"
        raise ConlipaError(f"{path}: {len(sentences):,} sentences, expected {FEWEST} to {MOST:,}; {more}")
    names = sum(tag.startswith("B-") for sentence in sentences for tag in sentence.tags)
    if names < _FEWEST_NAMES:
        raise ConlipaError(f"{path}: {names} names are marked, expected at least {_FEWEST_NAMES}; words that are no name have the tag O")
    if lang:
        lang = iso_of(lang) if engine.startswith("map:") else language(lang).iso
    lang = lang or guess_language(" ".join(token for sentence in sentences for token in sentence.tokens))
    transcribe = phonemizer(lang, engine)
    return lang, [
        {
            "tokens": sentence.tokens,
            "ner_tags": [LABELS.index(tag) for tag in sentence.tags],
            "ipa_tokens": [" ".join(phonemes) for phonemes in transcribe(sentence.tokens)],
        }
        for sentence in sentences
    ]
