from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from conlipa.dataset_scripts.g2p.ipa import AFFRICATES, CONSONANTS, KEPT_MODIFIERS, MAX_MODIFIERS, VOWELS
from conlipa.dataset_scripts.g2p.phonemizer import ipa_string, phonemizer
from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.wikiann.wikiann import source
from conlipa.modeling.tokenizer import SPECIAL, phoneme_tokenizer, size, vocabulary
from tests.conftest import run

TOKENIZER = phoneme_tokenizer()
UNKNOWN = TOKENIZER.unk_token_id


def test_special_tokens_are_xphoneberts() -> None:
    assert [TOKENIZER.convert_ids_to_tokens(i) for i in range(5)] == SPECIAL == ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    assert TOKENIZER.pad_token_id == 1
    assert sorted(vocabulary().values()) == list(range(size()))


def test_input_form() -> None:
    ids = TOKENIZER("k æ t ▁ d ɔ ɡ")["input_ids"]
    assert TOKENIZER.convert_ids_to_tokens(ids) == ["<s>", "k", "æ", "t", "▁", "d", "ɔ", "ɡ", "</s>"]


def test_every_phoneme_of_the_normal_form_has_an_id() -> None:
    for letter in (*VOWELS, *CONSONANTS, *AFFRICATES):
        for count in range(MAX_MODIFIERS + 1):
            for modifiers in itertools.permutations(KEPT_MODIFIERS, count):
                ids = TOKENIZER(letter + "".join(modifiers))["input_ids"]
                assert len(ids) == 3
                assert ids[1] != UNKNOWN, letter + "".join(modifiers)


@pytest.mark.parametrize(
    ("phoneme", "folded"), [("tʰ", "tʰ"), ("ʃʰ", "ʃ"), ("pʲʰ", "pʲ"), ("m̃", "m"), ("tʃʰʲ", "tʃʰ"), ("“", '"'), ("–", "-"), ("٣", "3"), ("。", ".")]
)
def test_folding_to_the_nearest(phoneme: str, folded: str) -> None:
    assert TOKENIZER(phoneme)["input_ids"] == TOKENIZER(folded)["input_ids"]


@given(st.lists(st.sampled_from(sorted(vocabulary())[10:]), max_size=30))
def test_one_token_a_phoneme(phonemes: list[str]) -> None:
    assert len(TOKENIZER(" ".join(phonemes))["input_ids"]) == len(phonemes) + 2


def test_no_unknown_from_the_letters_of_the_sample() -> None:
    for iso in source("sample").languages("validation"):
        tokens = [token for sentence in source("sample").sentences(iso, "validation") for token in sentence.tokens]
        ids = TOKENIZER(ipa_string(phonemizer(iso)(tokens)))["input_ids"]
        assert UNKNOWN not in ids, iso
    assert len(languages()) > 40


def test_a_saved_tokenizer_loads_with_stock_classes_in_a_fresh_process(tmp_path: Path) -> None:
    TOKENIZER.save_pretrained(tmp_path)
    text = "k æ tʃʰʲ ▁ “ ٣ x"
    code = f"from transformers import AutoTokenizer as A; t = A.from_pretrained({str(tmp_path)!r}); print(t({text!r})['input_ids'])"
    assert run("-c", code).stdout.strip() == str(TOKENIZER(text)["input_ids"])
    assert AutoTokenizer.from_pretrained(tmp_path).model_max_length == 128
