"""Words whose pronunciation was written down by hand, `hand_checked.tsv`: the kit must give exactly this."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from conlipa.dataset_scripts.g2p.phonemizer import phonemizer
from conlipa.dataset_scripts.languages import languages

HAND_CHECKED: dict[str, dict[str, str]] = defaultdict(dict)
for line in (Path(__file__).parent / "hand_checked.tsv").read_text(encoding="utf-8").splitlines():
    if not line.startswith("#"):
        iso, word, ipa = line.split("\t")
        HAND_CHECKED[iso][word] = ipa


@pytest.mark.parametrize("iso", HAND_CHECKED)
def test_words_read_as_written_by_hand(iso: str) -> None:
    words = list(HAND_CHECKED[iso])
    heard = {word: " ".join(phonemes) for word, phonemes in zip(words, phonemizer(iso)(words), strict=True)}
    assert heard == HAND_CHECKED[iso]


def test_twenty_words_in_each_of_ten_scripts() -> None:
    count = Counter({languages()[iso].script: len(words) for iso, words in HAND_CHECKED.items()})
    assert len([script for script, words in count.items() if words >= 20]) >= 10
