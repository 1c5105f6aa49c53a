"""Remembered ids are the tokenizer's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.processors import ByteLevel

from conlipa.modeling.inference.phoneme_ids import remembered
from conlipa.modeling.tokenizer import phoneme_tokenizer, phonemes

PLAIN = phoneme_tokenizer()
REMEMBERED = remembered(PLAIN)
texts = st.lists(st.one_of(st.sampled_from([*phonemes(), "▁"]), st.text(min_size=1, max_size=4)), max_size=80).map(" ".join)


@given(texts, st.integers(2, 130))
def test_ids_are_those_of_the_tokenizer(text: str, max_length: int) -> None:
    expected = PLAIN(text, truncation=True, max_length=max_length)["input_ids"]
    assert REMEMBERED(text, truncation=True, max_length=max_length)["input_ids"] == expected


def test_a_tokenizer_that_reads_across_phonemes_is_asked_each_time() -> None:
    pieces = Tokenizer(BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
    assert remembered(pieces)("ab", max_length=9) == {"input_ids": [2]}
    without_ends = Tokenizer.from_str(PLAIN.backend_tokenizer.to_str())
    without_ends.post_processor = ByteLevel()  # which adds nothing
    assert remembered(without_ends)("a b", max_length=9) == {"input_ids": PLAIN("a b")["input_ids"][1:-1]}


def test_a_tokenizer_of_another_kind_stays_as_it_is() -> None:
    def own(text: str, **_: object) -> dict[str, list[int]]:
        return {"input_ids": [len(text)]}

    assert remembered(own) is own
