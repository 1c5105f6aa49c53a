"""`nlp.add_pipe("conlipa", config={"lang": "tgk"})`: the tagger as a spaCy component that sets `doc.ents`.

Scores are in `doc.spans["conlipa"].attrs["scores"]`, one an entity, as spaCy's own span classifier keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, SpanGroup
from spacy.util import filter_spans, minibatch

from conlipa.modeling.inference.entities import Entity
from conlipa.modeling.inference.packaged import MINI
from conlipa.modeling.inference.tagger import Tagger

KEY = "conlipa"


@Language.factory(  # type: ignore[untyped-decorator]
    KEY,
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={"lang": None, "model": MINI, "adapter": None, "engine": "auto", "backend": "auto"},
)
def make_conlipa(nlp: Language, name: str, lang: str | None, model: str, adapter: str | None, engine: str, backend: str) -> Conlipa:
    """The component; `lang` is ISO 639-3, None guesses it from the script where that is unambiguous."""
    return Conlipa(Tagger.from_pretrained(model, adapter, lang, engine, backend))


class Conlipa:
    """A spaCy component; it takes any tokenisation, and an entity takes in each token that it touches."""

    def __init__(self, tagger: Any) -> None:
        self.tagger = tagger

    def __call__(self, doc: Doc) -> Doc:
        return self._marked(doc, self.tagger(doc.text))

    def pipe(self, docs: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        for batch in minibatch(docs, batch_size):
            for doc, entities in zip(batch, self.tagger([doc.text for doc in batch]), strict=True):
                yield self._marked(doc, entities)

    def _marked(self, doc: Doc, entities: Iterable[Entity]) -> Doc:
        scores = {doc.char_span(e.start, e.end, label=e.label, alignment_mode="expand"): e.score for e in entities}
        found = filter_spans(scores)  # two entities within one token: the longer or first remains
        doc.ents = found
        doc.spans[KEY] = SpanGroup(doc, spans=found, attrs={"scores": [scores[span] for span in found]})
        return doc
