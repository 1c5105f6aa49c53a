from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import pytest

from conlipa.errors import ConlipaError

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


def ents(doc: Any) -> list[tuple[str, str]]:
    return [(entity.text, entity.label_) for entity in doc.ents]


@pytest.mark.parametrize("overwrite", [False, True])
def test_entities_of_earlier_components_are_kept_or_replaced(nlp: Any, overwrite: bool) -> None:
    text = TEXTS[0]
    (theirs, *_), ours = nlp(text).ents, ents(nlp(text))
    piped = spacy.blank("xx")
    rules = [{"label": "RULE", "pattern": theirs[-1:].text}, {"label": "RULE", "pattern": "born"}]
    piped.add_pipe("entity_ruler").add_patterns(rules)
    piped.add_pipe("conlipa", config={"lang": "eng", "overwrite_ents": overwrite})
    doc = piped(text)
    assert ("born", "RULE") in ents(doc)
    assert ((theirs[-1:].text, "RULE") in ents(doc)) is not overwrite
    assert ((theirs.text, theirs.label_) in ents(doc)) is overwrite
    assert set(ours[1:]) <= set(ents(doc))
    assert [(span.text, span.label_) for span in doc.spans["conlipa"]] == ours


def test_a_document_that_cannot_be_tagged_goes_to_the_error_handler() -> None:
    piped = spacy.blank("xx")
    piped.add_pipe("conlipa", name="mine", config={"lang": None})
    told: list[tuple[str, list[str], str]] = []
    georgian, latin = "თბილისი საქართველოს დედაქალაქია", "London"
    with pytest.raises(ConlipaError, match="cannot be derived from its script"):
        list(piped.pipe([georgian, latin]))
    piped.set_error_handler(lambda name, component, docs, error: told.append((name, [doc.text for doc in docs], str(error))))
    assert [doc.text for doc in piped.pipe([georgian, latin, georgian])] == [georgian, georgian]
    ((name, texts, reason),) = told
    assert (name, texts) == ("mine", [latin])
    assert "cannot be derived from its script" in reason


def test_nlp_evaluate_scores(nlp: Any) -> None:
    from spacy.training import Example

    gold = [(entity.start_char, entity.end_char, entity.label_) for entity in nlp(TEXTS[0]).ents]
    examples = [
        Example.from_dict(nlp.make_doc(TEXTS[0]), {"entities": gold}),
        Example.from_dict(nlp.make_doc(TEXTS[3]), {"entities": [(0, 7, "ORG"), (23, 28, "ORG")]}),
    ]
    scores = nlp.evaluate(examples)
    assert 0 < scores["ents_f"] < 1
    assert scores["ents_r"] == len(gold) / (len(gold) + 2)
    assert "ORG" in scores["ents_per_type"]
