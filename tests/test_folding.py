"""The counter of what the tokenizer folds, and what it counts over WikiANN."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import regex

from conlipa.dataset_scripts.g2p.phonemizer import Phonemizer
from conlipa.dataset_scripts.wikiann.wikiann import source
from conlipa.modeling.tokenizer import Folding, folding, phoneme_tokenizer

TOKENIZER = phoneme_tokenizer()


def test_what_is_folded_is_counted_with_what_it_becomes() -> None:
    report = folding(TOKENIZER, ["k æ t", "ʃʰ a ʃʰ", "“ x ”", "ᚠ ꙮ 9", "m̃"])
    assert report.total == 13
    assert report.folded == Counter({("ʃʰ", "ʃ"): 2, ("“", '"'): 1, ("”", '"'): 1, ("m̃", "m"): 1})
    assert report.unknown_phonemes == Counter()
    assert report.unknown_symbols == Counter({"ᚠ": 1, "ꙮ": 1})
    assert folding(TOKENIZER, []) == Folding()


def test_the_counter_says_what_the_ids_say() -> None:
    for phoneme in ("tʰ", "ʃʰ", "pʲʰ", "٣", "。", "ᚠ", "▁", "»", "×"):
        report = folding(TOKENIZER, [phoneme])
        ((_, found, _),) = [TOKENIZER(phoneme)["input_ids"]]
        assert (found == TOKENIZER.unk_token_id) == bool(report.unknown_phonemes + report.unknown_symbols)
        (after,) = [becomes for _, becomes in report.folded] or [phoneme]
        assert found == TOKENIZER.convert_tokens_to_ids(after)


def test_a_tokenizer_without_folding_folds_nothing() -> None:
    plain = phoneme_tokenizer()
    plain.backend_tokenizer.normalizer = None
    report = folding(plain, ["ʃʰ a »"])
    assert report.folded == Counter()
    assert report.unknown_phonemes == Counter({"ʃʰ": 1})
    assert report.unknown_symbols == Counter({"»": 1})


def test_no_letter_of_wikiann_becomes_unknown(wikiann_folder: Path) -> None:
    corpus = source(str(wikiann_folder))
    langs = corpus.languages("validation")
    total = 0
    for lang in langs:
        tokens = list({token for sentence in corpus.sentences(lang, "validation") for token in sentence.tokens})
        report = folding(TOKENIZER, (" ".join(phonemes) for phonemes in Phonemizer(lang)(tokens)))
        assert report.unknown_phonemes == Counter(), lang
        assert not [symbol for symbol in report.unknown_symbols if regex.search(r"\p{L}", symbol)], lang
        total += report.total
    assert len(langs) == 33
    assert total > 1_000_000
