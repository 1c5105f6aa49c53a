"""Sentences of the WikiANN-IPA form as the stages and the evaluation take it: from a source, or from the parquet of a release."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from datasets import Dataset, concatenate_datasets
from pyarrow import parquet

from conlipa.dataset_scripts.languages import language, languages
from conlipa.dataset_scripts.tables import digest
from conlipa.dataset_scripts.wikiann import wikiann_ipa
from conlipa.dataset_scripts.wikiann.places import Place, places
from conlipa.dataset_scripts.wikiann.wikiann import SPLITS, source
from conlipa.errors import ConlipaError
from conlipa.modeling.alignment import encode
from conlipa.modeling.graphemes import encode_graphemes
from conlipa.modeling.recipe import GRAPHEMES, PHONEMES


class Corpus:
    """All languages and splits of one or several places; transcribed once and memory-mapped by `datasets`."""

    def __init__(self, where: str | None = None, strict: bool = False) -> None:
        """`where`: as `--corpus` has it (`wikiann/places.py`); a folder may also be the `wikiann-ipa` of a release."""
        self.where = where
        self.strict = strict
        self.digests: dict[tuple[str, ...], str] = {}
        """What `fingerprint.of_sentences` has found already."""
        self.places = places(where)
        for place in self.places:
            if not _released(place):
                source(str(place))  # says what is wrong before any work is done

    @property
    def kinds(self) -> list[str]:
        """The kinds of sentences that it has (`places.KINDS`), in the order given."""
        return list(dict.fromkeys(place.kind for place in self.places))

    def languages(self, split: str, kind: str | None = None) -> list[str]:
        """ISO codes that have the split, with sentences of that kind (None: of any)."""
        return _in_order(iso for place in self._of(kind) for iso in _languages(place, split))

    def fingerprint(self) -> str:
        """Changes when any sentence of any language does."""
        return hashlib.sha256("".join(f"{place.kind}={_fingerprint(place)}" for place in self.places).encode()).hexdigest()[:16]

    def split(self, lang: str, split: str, kind: str | None = None) -> Dataset:
        """Rows of the WikiANN-IPA contract: those of each place that has the language, with sentences of that kind (None: of any)."""
        lang = language(lang).iso
        having = [place for place in self._of(kind) if lang in _languages(place, split)]
        parts = [self._part(place, lang, split) for place in having or self._of(kind)[:1]]  # the first says what is missing
        return parts[0] if len(parts) == 1 else concatenate_datasets(parts)

    def _of(self, kind: str | None) -> list[Place]:
        found = [place for place in self.places if kind in (None, place.kind)]
        if not found:
            raise ConlipaError(f"{self.where or 'sample'}: has no sentences of the kind '{kind}' (it has: {', '.join(self.kinds)})")
        return found

    def _part(self, place: Place, lang: str, split: str) -> Dataset:
        if not _released(place):
            return prepared(lang, split, str(place), self.strict)
        path = place.path / lang / f"{split}.parquet"
        if not path.is_file():
            raise ConlipaError(f"{path}: no {split} split of {language(lang).name}")
        return Dataset(parquet.read_table(path))  # `from_parquet` would copy it to a cache first


def _released(place: Place) -> bool:
    """Whether it is the parquet of a release."""
    return next(place.path.glob("*/*.parquet"), None) is not None


def _languages(place: Place, split: str) -> list[str]:
    return [path.parent.name for path in place.path.glob(f"*/{split}.parquet")] if _released(place) else source(str(place)).languages(split)


def _in_order(codes: Iterable[str]) -> list[str]:
    """Each once, in the order of the language table."""
    found = set(codes)
    return [iso for iso in languages() if iso in found]


def _fingerprint(place: Place) -> str:
    if _released(place):
        return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(place.path.glob("*/*.parquet")))).hexdigest()[:16]
    origin = source(str(place))
    return " ".join(f"{lang}={origin.fingerprint(lang)}" for lang in origin.languages())


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
    """Sentences as model inputs, in phonemes (see `alignment.encode`) or in the letters of their language (`graphemes.encode_graphemes`)."""
    if input_kind == GRAPHEMES:
        return [encode_graphemes(tokenizer, row["tokens"], row["ner_tags"], max_length) for row in rows]
    return [encode(tokenizer, [word.split(" ") for word in row["ipa_tokens"]], row["ner_tags"], max_length) for row in rows]
