"""WikiANN-IPA: WikiANN with every token's phonemes beside it, as a `datasets` builder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import datasets
from datasets.builder import BuilderConfig

from conlipa.dataset_scripts.g2p.phonemizer import phonemizer
from conlipa.dataset_scripts.g2p.stamps import own_digest
from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.wikiann.wikiann import LABELS, SPLITS, source

FEATURES = datasets.Features(
    {
        "tokens": datasets.List(datasets.Value("string")),
        "ner_tags": datasets.List(datasets.ClassLabel(names=LABELS)),
        "ipa_tokens": datasets.List(datasets.Value("string")),
    }
)
_SHARDS = 4
_BATCH = 2000


@dataclass
class WikiannIpaConfig(BuilderConfig):
    """`data_dir`: a WikiANN folder, `hub`, or `sample`; `engine`: as `conlipa phonemize --engine`."""

    engine: str = "auto"
    strict: bool = False

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: datasets.Features | None = None) -> str:
        # A changed file must not be answered from the cache of the old one.
        # Named one by one: what a caller left to its default is in no `config_kwargs`, and would be transcribed once more.
        kept = {"fingerprint": source(self.data_dir).fingerprint(self.name), "engine": self.engine, "strict": self.strict}
        own = {"letters": digest} if (digest := own_digest(self.engine)) else {}
        return str(super().create_config_id({**kept, **own}, custom_features))


class WikiannIpa(datasets.GeneratorBasedBuilder):
    """One config a language; splits `train`, `validation`, `test` where the source has them."""

    BUILDER_CONFIG_CLASS = WikiannIpaConfig
    BUILDER_CONFIGS: ClassVar = [WikiannIpaConfig(name=iso, version=datasets.Version("1.0.0")) for iso in languages()]
    config: WikiannIpaConfig

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(features=FEATURES)

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        origin = source(self.config.data_dir)
        splits = [split for split in SPLITS if self.config.name in origin.languages(split)]
        if not splits:
            origin.sentences(self.config.name, "validation")  # says what is missing
        shards = list(range(_SHARDS))
        return [datasets.SplitGenerator(name=split, gen_kwargs={"split": split, "shards": shards}) for split in splits]

    def _generate_examples(self, split: str, shards: list[int]) -> Iterator[tuple[Any, dict[str, Any]]]:
        origin = source(self.config.data_dir, self.config.strict)
        sentences = origin.sentences(self.config.name, split)
        if (orphans := origin.orphans.get(f"{self.config.name}/{split}")) and 0 in shards:
            datasets.logging.get_logger(__name__).warning(f"{self.config.name} {split}: {orphans} I- tags continue no entity (kept)")
        transcribe = phonemizer(self.config.name, self.config.engine)
        for shard in shards:
            first, stop = len(sentences) * shard // _SHARDS, len(sentences) * (shard + 1) // _SHARDS
            for start in range(first, stop, _BATCH):
                batch = sentences[start : min(start + _BATCH, stop)]
                phonemes = iter(transcribe([token for sentence in batch for token in sentence.tokens]))
                for number, sentence in enumerate(batch):
                    ipa = [" ".join(next(phonemes)) for _ in sentence.tokens]
                    row = {"tokens": sentence.tokens, "ner_tags": sentence.tags, "ipa_tokens": ipa}
                    yield (shard, start + number), row
