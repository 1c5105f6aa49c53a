from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import pytest

spacy = pytest.importorskip("spacy", reason="the extra 'spacy' is not installed")

TEXTS = ["Marie Curie was born in Warsaw , Poland .", "", "Лондон — пойтахти Англия .", "Nairobi ni mji mkuu wa Kenya ."]


@pytest.fixture(scope="module")
def nlp() -> Any:
    made = spacy.blank("xx")
    made.add_pipe("conlipa", config={"lang": "eng", "model": "mini"})
    return made


def test_the_component_is_found_by_its_entry_point() -> None:
    (found,) = [point for point in entry_points(group="spacy_factories") if point.name == "conlipa"]
    assert found.value == "conlipa.modeling.inference.spacy_component:make_conlipa"


def test_entities_are_the_taggers(nlp: Any) -> None:
    from conlipa import Tagger

    tagger: Any = Tagger.from_pretrained(lang="eng")
    for doc, expected in zip(nlp.pipe(TEXTS, batch_size=2), tagger(TEXTS), strict=True):
        assert [(e.start_char, e.end_char, e.label_, e.text) for e in doc.ents] == [(e.start, e.end, e.label, e.text) for e in expected]
        assert doc.spans["conlipa"].attrs["scores"] == [e.score for e in expected]
        assert [e.text for e in nlp(doc.text).ents] == [e.text for e in doc.ents]
    assert any(doc.ents for doc in nlp.pipe(TEXTS))


def test_tokens_of_another_cut_keep_whole_entities(nlp: Any) -> None:
    from spacy.tokens import Doc

    doc = nlp.get_pipe("conlipa")(Doc(nlp.vocab, words=["(Marie", "Curie)-London"], spaces=[True, False]))
    assert all(entity.text for entity in doc.ents)
