"""Why a label: shares, and what is left without each part."""

from __future__ import annotations

import json

import pytest

from conlipa import Tagger
from conlipa.errors import ConlipaError
from conlipa.modeling.inference.entities import Entity
from conlipa.modeling.inference.reasons import CAPITAL, CONTEXT, LISTED, SOUND, Reasons
from conlipa.space import page, rendering

TEXT = "Paul Kagame yageze i Kigali."


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return Tagger.from_pretrained(lang="kin")


def test_shares_are_of_the_entity_as_it_was_found(tagger: Tagger) -> None:
    for entity in tagger(TEXT):
        why = tagger.explain(TEXT, entity)
        assert sum(why.shares.values()) == pytest.approx(1, abs=1e-5)
        assert max(why.shares, key=lambda kind: why.shares[kind]) == entity.label
        assert set(why.without) == {CAPITAL, SOUND, CONTEXT, *([LISTED] if entity.text == "Kigali" else [])}
        assert why.shares[entity.label] >= entity.score - 1e-3  # the score is of B- or I- alone


def test_without_the_list_it_is_what_the_model_alone_says(tagger: Tagger) -> None:
    start = TEXT.index("Kigali")
    entity = Entity(start, start + 6, "Kigali", "LOC", 0.0)
    why, alone = (each.explain(TEXT, entity) for each in (tagger, Tagger(tagger.backend, "kin", known_names=False)))
    assert why.without[LISTED] == pytest.approx(alone.shares["LOC"], abs=1e-5)
    assert why.shares["LOC"] > why.without[LISTED]


def test_without_its_capital_is_what_the_text_in_small_letters_gives(tagger: Tagger) -> None:
    tagger = Tagger(tagger.backend, "kin", known_names=False)  # CLDR's names begin with a capital
    small = "Paul Kagame yageze i kigali."
    start = TEXT.index("Kigali")
    there, here = (Entity(start, start + 6, text[start : start + 6], "LOC", 0.0) for text in (TEXT, small))
    without = tagger.explain(TEXT, there).without[CAPITAL]
    written = tagger.explain(small, here)
    assert CAPITAL not in written.without
    assert written.shares["LOC"] == pytest.approx(without, abs=5e-3)


def test_a_name_alone_has_no_context(tagger: Tagger) -> None:
    assert CONTEXT not in tagger.explain("Kigali", Entity(0, 6, "Kigali", "LOC", 0.5)).without


def test_where_no_word_stands_is_an_error(tagger: Tagger) -> None:
    with pytest.raises(ConlipaError, match="no word from character 90 to 99"):
        tagger.explain(TEXT, Entity(90, 99, "x", "LOC", 0.5))


@pytest.mark.parametrize(("left", "part"), [({CAPITAL: 0.2, SOUND: 0.7}, CAPITAL), ({SOUND: 0.1, CONTEXT: 0.7}, SOUND), ({SOUND: 0.75}, None)])
def test_the_part_that_decides(left: dict[str, float], part: str | None) -> None:
    why = Reasons("LOC", {"PER": 0.1, "ORG": 0.05, "LOC": 0.8, "O": 0.05}, left)
    assert why.decisive == part
    shown = rendering.reasons_table("<b>", why)
    assert "&lt;b&gt;" in shown
    assert shown.count("<meter") == 4 + 1 + len(left)
    assert ("No single sign decides" in shown) == (part is None)


def test_the_page_says_why_only_of_the_text_that_was_tagged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONLIPA_MODEL", raising=False)
    start = TEXT.index("Kigali")
    choice = json.dumps([start, start + 6, "LOC", "Kigali", "k i ɡ a l i", page._given(TEXT, "kin")])
    both = page.show_chosen(choice, TEXT, "kin")
    assert "Why this label" in both
    assert "Words that sound like" in both
    for text, lang in (("Another text", "kin"), (TEXT.replace("Kigali", "Kigaliville"), "kin"), (TEXT, "swa")):
        other = page.show_chosen(choice, text, lang)
        assert "Why this label" not in other
        assert "Words that sound like" in other
    assert page.show_chosen(None, TEXT, "kin") == ""


@pytest.mark.parametrize("choice", ["", "{", "[1]", '["a", 0, "LOC", "x", "x"]', '[0, 4, "LOC", "Paul", 7]', '[0, 4, [], "Paul", "p"]'])
def test_a_choice_that_is_none_is_said_in_words(choice: str) -> None:
    shown = page.show_chosen(choice, TEXT, "kin")
    assert not choice or "choose an entity again" in shown
