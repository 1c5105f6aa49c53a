"""The sentences of the source languages as a stage takes them: encoded once, memory-mapped, a fresh draw each epoch."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import torch
from datasets import Dataset, concatenate_datasets

from conlipa.dataset_scripts.g2p.phonemizer import WORD_SEPARATOR
from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.errors import ConlipaError
from conlipa.modeling.data.augmentation import Words, augmented, chunks, positions, words_of
from conlipa.modeling.data.batches import LABEL_PAD, epoch_batches, token_batch
from conlipa.modeling.data.corpus import Corpus, encoded
from conlipa.modeling.data.fingerprint import of_sentences
from conlipa.modeling.recipe import PHONEMES, Ner
from conlipa.modeling.tokenizer import vocabulary

_NAMES_OF = 1000
"""Sentences of a language from which names are taken for the swap."""


def source_languages(corpus: Corpus, wanted: Sequence[str]) -> list[str]:
    """Those of a recipe's languages that the corpus has; the others are told.

    Raises:
        ConlipaError: it has none of them.
    """
    there = corpus.languages("train")
    found = [lang for lang in wanted if lang in there]
    missing = [lang for lang in wanted if lang not in there]
    if not found:
        raise ConlipaError(f"{corpus.where or 'sample'}: has no train split of any source language of the recipe ({', '.join(wanted)})")
    if missing:
        print(f"ner: trained without {len(missing)} of {len(wanted)} source languages, not in {corpus.where}: {', '.join(missing)}", file=sys.stderr)
    return found


class Sentences:
    """Encoded sentences of several languages."""

    def __init__(self, corpus: Corpus, languages: Sequence[str], settings: Ner, tokenizer: Any, max_length: int, input_kind: str = PHONEMES) -> None:
        """Raises ConlipaError: augmentation is asked for, which knows the kit's own phonemes alone, and the tokenizer has others."""
        if settings.augmentation.share and tokenizer.get_vocab() != vocabulary():
            raise ConlipaError("ner.augmentation knows the kit's own phonemes; this encoder has a tokenizer with others: leave augmentation out")
        self.settings, self.tokenizer, self.max_length = settings, tokenizer, max_length
        parts = [_prepared(corpus, lang, tokenizer, max_length, input_kind) for lang in languages]
        self.rows = concatenate_datasets(parts)
        self.lengths: list[int] = self.rows.with_format("numpy")["length"][:].tolist()
        stops = [sum(map(len, parts[: number + 1])) for number in range(len(parts))]
        self.ranges = [range(stop - len(part), stop) for part, stop in zip(parts, stops, strict=True)]
        self.names: dict[str, list[Words]] = self._names() if settings.augmentation.swap else {}

    def epoch(self, epoch: int, batch_size: int, seed: int) -> list[list[int]]:
        """Indices of each batch; at most `sentences_per_language` of each language, other ones each epoch."""
        most = self.settings.sentences_per_language
        draw = random.Random(f"sentences/{seed}/{epoch}")
        chosen = [i for part in self.ranges for i in (part if most is None or most >= len(part) else draw.sample(part, most))]
        batches = epoch_batches([self.lengths[i] for i in chosen], batch_size, seed, epoch)
        return [[chosen[i] for i in batch] for batch in batches]

    def batch(self, indices: Sequence[int], step: int) -> dict[str, torch.Tensor]:
        """`input_ids`, `attention_mask` and `labels`, augmented as the recipe says; the same for the same step.

        With a `denoise_weight` also `originals`: what a changed phoneme was, -100 elsewhere.
        """
        columns = self.rows[list(indices)]
        rows = [
            {"input_ids": ids, "labels": labels, "originals": [LABEL_PAD] * len(labels)}
            for ids, labels in zip(columns["input_ids"], columns["labels"], strict=True)
        ]
        if self.settings.augmentation.share:
            rows = [self._augmented(row, words, i, step) for row, words, i in zip(rows, columns["word_ids"], indices, strict=True)]
        batch = token_batch(rows, self.tokenizer.pad_token_id)
        if not self.settings.denoise_weight:
            del batch["originals"]
        return batch

    def _augmented(self, row: dict[str, list[int]], word_ids: list[int], index: int, step: int) -> dict[str, list[int]]:
        settings = self.settings.augmentation
        # Of its own seed, so that a resumed run, or another number of processes, sees the same sentence.
        draw = random.Random(f"{self.settings.seed}/{step}/{index}")
        if draw.random() >= settings.share:
            return row
        words = augmented(words_of(row["input_ids"], row["labels"], word_ids), settings, self.names, draw)
        ends = (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id)
        return positions(words, ends, self.tokenizer.convert_tokens_to_ids(WORD_SEPARATOR), self.max_length)

    def _names(self) -> dict[str, list[Words]]:
        names: dict[str, list[Words]] = {}
        for part in self.ranges:
            columns = self.rows[list(part[:_NAMES_OF])]
            for sentence in zip(columns["input_ids"], columns["labels"], columns["word_ids"], strict=True):
                for chunk in chunks(words_of(*sentence)):
                    names.setdefault(LABELS[chunk[0][1]].partition("-")[2], []).append(chunk)
        names.pop("", None)
        return names


def _prepared(corpus: Corpus, lang: str, tokenizer: Any, max_length: int, input_kind: str) -> Dataset:
    """`input_ids`, `labels`, `word_ids` and `length` of a language's training sentences, in a memory-mapped file of the cache."""
    rows = corpus.split(lang, "train")
    vocabulary = tokenizer.backend_tokenizer.to_str() if tokenizer.is_fast else repr(tokenizer)
    key = f"{of_sentences(corpus, [lang], 'train')} {vocabulary} {max_length} {input_kind}"
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    folder = Path(datasets.config.HF_DATASETS_CACHE) / "conlipa-encoded"
    folder.mkdir(parents=True, exist_ok=True)

    def encode_all(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        made = encoded([dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)], tokenizer, max_length, input_kind)
        columns = {name: [row[name] for row in made] for name in ("input_ids", "labels", "word_ids")}
        return {**columns, "length": [len(ids) for ids in columns["input_ids"]]}

    return rows.map(
        encode_all,
        batched=True,
        remove_columns=rows.column_names,
        cache_file_name=str(folder / f"{digest}.arrow"),
        new_fingerprint=digest,
        desc=f"encode {lang}",
    )
