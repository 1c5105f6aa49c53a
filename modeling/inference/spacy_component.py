"""`nlp.add_pipe("conlipa", config={"lang": "tgk"})`: the tagger as a spaCy component that adds to `doc.ents`.

Scores are in `doc.spans["conlipa"].attrs["scores"]`, one an entity, as spaCy's own span classifier keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, SpanGroup
from spacy.training import Example
from spacy.util import filter_spans, minibatch, raise_error

from conlipa.modeling.inference.entities import Entity
from conlipa.modeling.inference.packaged import MINI
from conlipa.modeling.inference.tagger import Tagger

KEY = "conlipa"
ErrorHandler = Callable[[str, Any, list[Doc], Exception], Any]


@Language.factory(  # type: ignore[untyped-decorator]
    KEY,
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config={
        "lang": None,
        "model": MINI,
        "adapter": None,
        "engine": "auto",
        "backend": "auto",
        "known_names": True,
        "overwrite_ents": False,
        "scorer": {"@scorers": "spacy.ner_scorer.v1"},
    },
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_conlipa(
    nlp: Language,
    name: str,
    lang: str | None,
    model: str,
    adapter: str | None,
    engine: str,
    backend: str,
    known_names: bool,
    overwrite_ents: bool,
    scorer: Callable[..., dict[str, Any]] | None,
) -> Conlipa:
    """The component; `lang` is ISO 639-3, None guesses it from the script where that is unambiguous."""
    return Conlipa(Tagger.from_pretrained(model, adapter, lang, engine, backend, known_names=known_names), name, overwrite_ents, scorer)


class Conlipa:
    """A spaCy component; it takes any tokenisation, and an entity takes in each token that it touches.

    Entities that earlier components set are kept: where one of the tagger's overlaps one of theirs, theirs stays, or, with
    `overwrite_ents`, the tagger's takes its place. `doc.spans["conlipa"]` has all that the tagger found.
    """

    def __init__(self, tagger: Any, name: str = KEY, overwrite_ents: bool = False, scorer: Callable[..., dict[str, Any]] | None = None) -> None:
        self.tagger, self.name, self.overwrite_ents, self.scorer = tagger, name, overwrite_ents, scorer
        self._on_error: ErrorHandler = raise_error

    def __call__(self, doc: Doc) -> Doc:
        return self._marked(doc, self.tagger(doc.text))

    def pipe(self, docs: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        """The documents with their entities; one that cannot be tagged goes to the error handler, alone."""
        for batch in minibatch(docs, batch_size):
            try:
                found = self.tagger([doc.text for doc in batch])
            except Exception:
                yield from self._one_by_one(batch)
            else:
                yield from map(self._marked, batch, found)

    def _one_by_one(self, docs: Iterable[Doc]) -> Iterator[Doc]:
        for doc in docs:
            try:
                yield self(doc)
            except Exception as error:
                self._on_error(self.name, self, [doc], error)

    def set_error_handler(self, handler: ErrorHandler) -> None:
        """Who is told of a document that cannot be tagged: `nlp.set_error_handler` sets it."""
        self._on_error = handler

    def get_error_handler(self) -> ErrorHandler:
        return self._on_error

    def score(self, examples: Iterable[Example], **options: Any) -> dict[str, Any]:
        """`ents_p`, `ents_r`, `ents_f` and `ents_per_type` of spaCy's own scorer, or of the one given: what `nlp.evaluate` reports."""
        return self.scorer(examples, **options) if self.scorer else {}

    def _marked(self, doc: Doc, entities: Iterable[Entity]) -> Doc:
        scores = {doc.char_span(e.start, e.end, label=e.label, alignment_mode="expand"): e.score for e in entities}
        found = filter_spans(scores)  # two entities within one token: the longer or first remains
        first, second = (found, doc.ents) if self.overwrite_ents else (doc.ents, found)
        taken = {token.i for span in first for token in span}
        doc.ents = [*first, *(span for span in second if not any(token.i in taken for token in span))]
        doc.spans[KEY] = SpanGroup(doc, spans=found, attrs={"scores": [scores[span] for span in found]})
        return doc
