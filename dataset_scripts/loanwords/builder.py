"""CONLIPA: English words and their loanwords in other languages, as a `datasets` builder."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, ClassVar

import datasets
from datasets.builder import BuilderConfig

from conlipa.dataset_scripts.loanwords.groups import GROUPS as GROUPS
from conlipa.dataset_scripts.loanwords.pairs import Pair, pairs_path, read_pairs

FEATURES = datasets.Features(
    {name: datasets.Value("string") for name in ("language", "target", "english", "target_ipa", "english_ipa", "origin")}
    | {"similarity": datasets.Value("float64")}
)


class Conlipa(datasets.GeneratorBasedBuilder):
    """One config a language, `all` (the ten of the paper, the default) and `extra`; one split, `train`."""

    BUILDER_CONFIGS: ClassVar = [
        BuilderConfig(name=name, version=datasets.Version("1.0.0")) for name in [*GROUPS, *(iso for group in GROUPS.values() for iso in group)]
    ]
    DEFAULT_CONFIG_NAME = "all"

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(features=FEATURES, license="cc-by-4.0")

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        langs = GROUPS.get(self.config.name, [self.config.name])
        return [datasets.SplitGenerator(name="train", gen_kwargs={"langs": langs})]

    def _generate_examples(self, langs: list[str]) -> Iterator[tuple[Any, Pair]]:
        for lang in langs:
            for number, row in enumerate(read_pairs(pairs_path(lang))):
                yield (lang, number), row


def paper_size(kor: int | None = 512, seed: int = 0, langs: list[str] | None = None) -> list[Pair]:
    """The papers' sampling: all pairs of nine languages, `kor` of the Korean ones (None: all), drawn with `seed`."""
    rows: list[Pair] = []
    for lang in langs or GROUPS["all"]:
        pairs = read_pairs(pairs_path(lang))
        if lang == "kor" and kor is not None and kor < len(pairs):
            pairs = random.Random(seed).sample(pairs, kor)
        rows += pairs
    return rows
