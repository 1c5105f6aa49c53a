from __future__ import annotations

import pytest

from conlipa.dataset_scripts.g2p.language_guess import guess_language
from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.wikiann.wikiann import source
from conlipa.errors import UsageError


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("ශ්\u200dරී ලංකාව (Sri Lanka)", "sin"),
        ("서울특별시 中區", "kor"),
        ("東京は日本の首都です", "jpn"),
        ("北京是中国的首都", "cmn"),
        ("አዲስ አበባ", "amh"),
        ("ܣܘܪܝܐ", "aii"),
        ("ଓଡ଼ିଶା", "ori"),
    ],
)
def test_a_script_of_one_language_tells_it(text: str, iso: str) -> None:
    assert guess_language(text) == iso


@pytest.mark.parametrize("text", ["", " \n", "1999 — 2001 !"])
def test_without_letters_any_language_will_do(text: str) -> None:
    assert guess_language(text) in languages()


@pytest.mark.parametrize(
    ("text", "reason"),
    [("Paris", r"'Paris' .* Latn is the script of eng, som.*, tur"), ("Душанбе", "Cyrl is the script of bel, tgk"), ("ᏣᎳᎩ", "written in Zzzz")],
)
def test_a_script_of_several_or_none_is_asked_about(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        guess_language(text)


def test_the_sample_of_each_language_with_a_script_of_its_own_is_known() -> None:
    scripts = [row.script for row in languages().values()]
    sample = source("sample")
    own = [iso for iso in sample.languages("validation") if scripts.count(languages()[iso].script) == 1]
    assert len(own) > 4
    for iso in own:
        assert guess_language(" ".join(" ".join(sentence.tokens) for sentence in sample.sentences(iso, "validation"))) == iso
