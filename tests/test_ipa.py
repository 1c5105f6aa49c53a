from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conlipa.dataset_scripts.g2p.ipa import AFFRICATES, CONSONANTS, VOWELS, foreign_letters, is_ipa, segment


@pytest.mark.parametrize(
    ("raw", "phonemes"),
    [
        ("kəmpjˈuːɾɚ", "k ə m p j u ɾ ə ɹ"),
        ("t͡ʃɑːklət", "tʃ ɑ k l ə t"),
        ("tʃɑklət", "tʃ ɑ k l ə t"),
        ("ʧɑklət", "tʃ ɑ k l ə t"),
        ("pʰaː˥˩", "pʰ a"),
        ("àb.bá", "a b a"),
        ("dʰarma", "dʱ a r m a"),
        ("ɡãː", "ɡ a\u0303"),
        ("(en)lˈʌndən(hi)", "l ʌ n d ə n"),
        ("çok", "ç o k"),
        ("ʈʂʊŋ kuo", "tʂ ʊ ŋ k u o"),
        ("ˈ.", ""),
        ("ʼ", ""),
        ("ʰʲ a", "a"),
        ("", ""),
    ],
)
def test_one_normal_form(raw: str, phonemes: str) -> None:
    assert " ".join(segment(raw)) == phonemes


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_segment_is_ipa_whatever_comes_in(raw: str) -> None:
    for phoneme in segment(raw):
        assert is_ipa(phoneme), phoneme


@given(st.lists(st.sampled_from([*VOWELS, *CONSONANTS, *AFFRICATES]), max_size=12))
def test_normal_form_is_stable(phonemes: list[str]) -> None:
    once = segment("".join(phonemes))
    assert segment("".join(once)) == once


def test_untranscribed_letters_are_seen() -> None:
    assert foreign_letters("kʰɑːេt") == ["េ"]
    assert foreign_letters("ˈkʰɑː.t͡ʃ˥ʲ") == []
