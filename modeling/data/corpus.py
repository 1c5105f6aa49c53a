"""Sentences of the WikiANN-IPA form as the stages and the evaluation take it: from a source, or from the parquet of a release."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow
from datasets import Dataset, concatenate_datasets
from pyarrow import compute, parquet

from conlipa.dataset_scripts.g2p.capitals import capitals
from conlipa.dataset_scripts.languages import language, languages
from conlipa.dataset_scripts.tables import digest
from conlipa.dataset_scripts.wikiann import wikiann_ipa
from conlipa.dataset_scripts.wikiann.parquet_faults import parquet_faults
from conlipa.dataset_scripts.wikiann.places import HUB, SAMPLE, Place, places
from conlipa.dataset_scripts.wikiann.reading import orphans_by_row, refuse_orphans
from conlipa.dataset_scripts.wikiann.wikiann import LABELS, SPLITS, Folder, sets_in, source
from conlipa.errors import ConlipaError
from conlipa.modeling.alignment import encode
from conlipa.modeling.graphemes import encode_graphemes
from conlipa.modeling.recipe import GRAPHEMES, MARKED_PHONEMES, PHONEMES


class CorpusSet(NamedTuple):
    """One set of sentences of a language: `kind/name` is what a recipe calls it."""

    lang: str
    name: str
    kind: str
    split: str
    place: Place
    among: tuple[int, int] | None
    """Which rows of the place's are its own; None: all."""


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
            if not (files := _parquet(place)):
                source(place)  # says what is wrong before any work is done
            elif there := next(sets_in(place), None):
                both = f"{files[0].relative_to(place.path)} of a release and {there[1].path.relative_to(place.path)}"
                raise ConlipaError(f"{place.where}: holds both {both}; expected a folder for each of these forms")

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

    def sets(self, langs: Iterable[str], split: str) -> list[CorpusSet]:
        """The sets that some languages have of a split, place by place."""
        return [each for place in self.places for lang in langs if lang in _languages(place, split) for each in _sets(place, lang, split)]

    def rows(self, each: CorpusSet) -> Dataset:
        """Rows of the WikiANN-IPA contract, of one set."""
        rows = self._part(each.place, each.lang, each.split)
        return rows.select(range(*each.among)) if each.among else rows

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
        if not _parquet(place):
            return prepared(lang, split, str(place), self.strict)
        path = place.path / lang / f"{split}.parquet"
        if not path.is_file():
            raise ConlipaError(f"{path}: no {split} split of {language(lang).name}")
        with parquet_faults(path):
            rows = _rows_of(path)
        if self.strict:
            refuse_orphans(orphans_by_row(f"{path}:", ([LABELS[tag] for tag in tags] for tags in rows["ner_tags"][:])))
        return rows


def _rows_of(path: Path) -> Dataset:
    """A parquet file of a release, whole and of the WikiANN-IPA contract."""
    table = parquet.read_table(path)
    table.validate(full=True)
    rows = Dataset(table)  # `from_parquet` would copy it to a cache first
    if different := [name for name, kind in wikiann_ipa.FEATURES.items() if rows.features.get(name) != kind]:
        raise ConlipaError(f"{path}: {', '.join(different)}: missing, or of another type than WikiANN-IPA has")
    _check_rows(table, path)
    tags = compute.min_max(compute.list_flatten(table["ner_tags"])).as_py()
    if rows.num_rows and not 0 <= (tags["min"] or 0) <= (tags["max"] or 0) < len(LABELS):
        raise ConlipaError(f"{path}: ner_tags from {tags['min']} to {tags['max']}, expected 0 to {len(LABELS) - 1}")
    return rows


def _check_rows(table: Any, path: Path) -> None:
    """Raises ConlipaError for a sentence whose columns do not go together: words without phonemes would shift the labels of those after them."""
    lists = [table[name] for name in wikiann_ipa.FEATURES if name != "id" and pyarrow.types.is_list(table[name].type)]
    lengths = [compute.list_value_length(column).combine_chunks() for column in lists]
    for column, length in zip(lists, lengths, strict=True):
        same = compute.equal(length, lengths[0])
        if column.null_count or compute.list_flatten(column).null_count or not compute.all(same, min_count=0).as_py():
            row = compute.index(compute.fill_null(same, False), False).as_py() + 1
            raise ConlipaError(f"{path}: {f'row {row}: ' if row else ''}lists of different lengths, or without values")
    if compute.any(compute.equal(compute.list_flatten(table["ipa_tokens"]), "")).as_py():
        raise ConlipaError(f"{path}: ipa_tokens has a word without phonemes")


def _parquet(place: Place) -> list[Path]:
    """The files of a release, `ISO/SPLIT.parquet`; none where a place is of another form."""
    if place.where in (HUB, SAMPLE):  # words, whatever folder may have such a name
        return []
    return sorted(path for path in place.path.glob("*/*.parquet") if path.stem in SPLITS and path.parent.name in languages())


def _languages(place: Place, split: str) -> list[str]:
    files = _parquet(place)
    return [path.parent.name for path in files if path.stem == split] if files else source(place).languages(split)


def _sets(place: Place, lang: str, split: str) -> Iterator[CorpusSet]:
    """The sets of a language in one place."""
    if _parquet(place) or not isinstance(origin := source(place), Folder):
        yield CorpusSet(lang, lang, place.kind, split, place, None)
        return
    start, found = 0, origin.sets(lang, split)
    for each in found:
        among = (start, start + origin.size(each)) if len(found) > 1 else None
        yield CorpusSet(lang, each.name, each.kind, split, place, among)
        start = among[1] if among else 0


def _in_order(codes: Iterable[str]) -> list[str]:
    """Each once, in the order of the language table."""
    found = set(codes)
    return [iso for iso in languages() if iso in found]


def _fingerprint(place: Place) -> str:
    if files := _parquet(place):
        return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    origin = source(place)
    return " ".join(f"{lang}={origin.fingerprint(lang)}" for lang in origin.languages())


def prepared(lang: str, split: str, data_dir: str | None, strict: bool = False) -> Dataset:
    """One split by the WikiANN-IPA builder, from its cache where nothing changed."""
    builder = wikiann_ipa.WikiannIpa(config_name=lang, data_dir=data_dir or "sample", strict=strict, hash=digest())
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
