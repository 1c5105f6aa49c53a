"""WikiANN-IPA as the stages and the evaluation take it: from a source, or from the parquet of a release."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from datasets import Dataset
from pyarrow import parquet

from conlipa.dataset_scripts.g2p.capitals import capitals
from conlipa.dataset_scripts.languages import language
from conlipa.dataset_scripts.tables import digest
from conlipa.dataset_scripts.wikiann import wikiann_ipa
from conlipa.dataset_scripts.wikiann.wikiann import SPLITS, source
from conlipa.errors import ConlipaError
from conlipa.modeling.alignment import encode
from conlipa.modeling.graphemes import encode_graphemes
from conlipa.modeling.recipe import GRAPHEMES, MARKED_PHONEMES, PHONEMES


class CorpusSet(NamedTuple):
    """One set of sentences of a language."""

    lang: str
    name: str
    kind: str


class Corpus:
    """All languages and splits of one place; transcribed once and memory-mapped by `datasets`."""

    def __init__(self, where: str | None = None, strict: bool = False) -> None:
        """`where`: `hub`, `sample`, a WikiANN folder, or the `wikiann-ipa` folder of a release."""
        self.where = where
        self.strict = strict
        self.digests: dict[tuple[str, ...], str] = {}
        """What `fingerprint.of_sentences` has found already."""
        self.parquet = bool(where) and next(Path(str(where)).glob("*/*.parquet"), None) is not None
        if not self.parquet:
            source(where)  # says what is wrong before any work is done

    def languages(self, split: str) -> list[str]:
        """ISO codes that have the split."""
        if self.parquet:
            return sorted(path.parent.name for path in Path(str(self.where)).glob(f"*/{split}.parquet"))
        return source(self.where).languages(split)

    def fingerprint(self) -> str:
        """Changes when any sentence of any language does."""
        if self.parquet:
            return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(str(self.where)).glob("*/*.parquet")))).hexdigest()[:16]
        origin = source(self.where)
        return hashlib.sha256(" ".join(f"{lang}={origin.fingerprint(lang)}" for lang in origin.languages()).encode()).hexdigest()[:16]

    def sets(self, languages: Iterable[str], split: str) -> list[CorpusSet]:
        """The sets of these languages."""
        return [CorpusSet(lang, lang, "titles") for lang in languages if lang in self.languages(split)]

    def rows(self, each: CorpusSet, split: str) -> Dataset:
        """Rows of the WikiANN-IPA contract, of one set."""
        return self.split(each.lang, split)

    def split(self, lang: str, split: str) -> Dataset:
        """Rows of the WikiANN-IPA contract."""
        lang = language(lang).iso
        if self.parquet:
            path = Path(str(self.where)) / lang / f"{split}.parquet"
            if not path.is_file():
                raise ConlipaError(f"{path}: no {split} split of {language(lang).name}")
            return Dataset(parquet.read_table(path))  # `from_parquet` would copy it to a cache first
        return prepared(lang, split, self.where, self.strict)


def prepared(lang: str, split: str, data_dir: str | None, strict: bool = False) -> Dataset:
    """One split by the WikiANN-IPA builder, from its cache where nothing changed."""
    builder = wikiann_ipa.WikiannIpa(config_name=lang, data_dir=data_dir or "sample", strict=strict, hash=digest()[:16])
    try:
        builder.download_and_prepare(verification_mode="no_checks")
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:  # `datasets` wraps what the builder raised
            if isinstance(cause, ConlipaError | OSError):
                raise cause from None
            cause = cause.__cause__ or cause.__context__
        raise
    if split not in builder.info.splits:
        raise ConlipaError(f"{language(lang).name} has no {split} split (it has: {', '.join(s for s in SPLITS if s in builder.info.splits)})")
    dataset: Dataset = builder.as_dataset(split=split)
    return dataset


def encoded(rows: Iterable[dict[str, Any]], tokenizer: Any, max_length: int, input_kind: str = PHONEMES) -> list[dict[str, list[int]]]:
    """Sentences as model inputs: in phonemes, with case marks or without (`alignment.encode`), or in letters (`graphemes.encode_graphemes`)."""
    if input_kind == GRAPHEMES:
        return [encode_graphemes(tokenizer, row["tokens"], row["ner_tags"], max_length) for row in rows]
    marked = input_kind == MARKED_PHONEMES
    return [
        encode(tokenizer, [word.split(" ") for word in row["ipa_tokens"]], row["ner_tags"], max_length, capitals(row["tokens"]) if marked else None)
        for row in rows
    ]
