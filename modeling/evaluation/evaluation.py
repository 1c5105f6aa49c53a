"""Zero-shot evaluation: both scores, language by language, as a table and as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tqdm.auto import tqdm

from conlipa.atomic_files import write_json
from conlipa.dataset_scripts.known_names import KnownNames
from conlipa.dataset_scripts.languages import language
from conlipa.dataset_scripts.wikiann.places import KINDS
from conlipa.dataset_scripts.wikiann.reading import LABELS
from conlipa.dataset_scripts.wikiann.tags import orphans as orphans_of
from conlipa.errors import ConlipaError, UsageError, nearest
from conlipa.modeling.alignment import NO_LABEL, word_labels
from conlipa.modeling.data.corpus import Corpus, encoded
from conlipa.modeling.data.redirects import is_redirect
from conlipa.modeling.encoder import input_kind_of, load_adapted, max_length, without_case_marks
from conlipa.modeling.evaluation.metrics import entity_f1, paper_f1, summary
from conlipa.modeling.inference.lexicon import known_in, lexicon_of
from conlipa.modeling.inference.name_prior import among_tokens
from conlipa.modeling.inference.packaged import located
from conlipa.modeling.inference.prediction import predictions
from conlipa.modeling.records import trained_on

SCORES = ("paper_f1", "entity_f1")


class Tagged(NamedTuple):
    """Label ids of each sentence of a split, true and predicted."""

    positions: list[list[int]]
    predicted_positions: list[list[int]]
    words: list[list[int]]
    predicted_words: list[list[int]]

    def chosen(self, sentences: Sequence[int]) -> Tagged:
        """Some of the sentences, by their numbers."""
        return Tagged(*([labels[number] for number in sentences] for labels in self))


def tagged(
    model: Any,
    tokenizer: Any,
    corpus: Corpus,
    lang: str,
    split: str,
    sentences: int | None = None,
    bf16: bool = False,
    kind: str | None = None,
    known: KnownNames | None = None,
) -> Tagged:
    """What a model says of a language's sentences (the first so many; None: all); `bf16`: faster, and a little less exact.

    Args:
        kind: of that kind of sentences (None: of all).
        known: names that are known besides, as a tagger knows them.
    """
    rows = corpus.split(lang, split, kind)
    if sentences is not None:
        rows = rows.select(range(min(sentences, len(rows))))
    gold = rows["ner_tags"][:]
    examples = encoded(rows, tokenizer, max_length(tokenizer), input_kind_of(model))
    found = [among_tokens(known, tokens) for tokens in rows["tokens"][:]] if known else None
    predicted = predictions(model, examples, tokenizer.pad_token_id, progress=lang, bf16=bf16, found=found)
    words = [word_labels(p, example["word_ids"], len(tags)) for p, example, tags in zip(predicted, examples, gold, strict=True)]
    scored = [[place for place, label in enumerate(example["labels"]) if label != NO_LABEL] for example in examples]  # a case mark is not scored
    true = [[example["labels"][place] for place in places] for example, places in zip(examples, scored, strict=True)]
    said = [[labels[place] for place in places] for labels, places in zip(predicted, scored, strict=True)]
    return Tagged(true, said, gold, words)


def evaluate_language(
    model: Any, tokenizer: Any, corpus: Corpus, lang: str, split: str, kind: str | None = None, known: KnownNames | None = None
) -> dict[str, Any]:
    """`paper_f1`, `entity_f1` (percent) and `n`, the number of sentences; the same `without_redirects` of a Wikipedia, where there are any."""
    found = tagged(model, tokenizer, corpus, lang, split, kind=kind, known=known)
    others = [number for number, tokens in enumerate(corpus.split(lang, split, kind)["tokens"][:]) if not is_redirect(tokens, lang)]
    row = _scored(found)
    return row if len(others) in (0, len(found.words)) else {**row, "without_redirects": _scored(found.chosen(others))}


def _scored(found: Tagged) -> dict[str, float]:
    return {
        "paper_f1": paper_f1(found.positions, found.predicted_positions),
        "entity_f1": entity_f1(found.words, found.predicted_words),
        "n": len(found.words),
    }


def without_redirects(result: dict[str, Any]) -> dict[str, Any]:
    """The report of an evaluation with its languages' scores `without_redirects`."""
    return {**result, "languages": {iso: row.get("without_redirects", row) for iso, row in result["languages"].items()}}


def evaluate(
    model: str,
    adapter: str | None,
    corpus: Corpus,
    langs: Sequence[str] | None,
    split: str,
    memory: Path | None = None,
    kind: str | None = None,
    case_marks: bool = True,
    names: bool = False,
) -> dict[str, Any]:
    """Scores of a model (and adapter) on each language of a corpus: `{"languages": …, "average": …, "std": …}`.

    The average is over the languages that the model was not trained on, as in the papers; it is over all where none is left.

    Args:
        kind: of which sentences (None: the first that the corpus has). Titles and running text are never one score.
        case_marks: False has a model that reads them read the sentences as if they had no capitals.
        names: with the names that a tagger knows besides (`known_names`); the papers' models know none.
        memory: a file that keeps the languages done, so that an interrupted evaluation resumes; its owner removes it.

    Raises:
        ConlipaError: model or adapter cannot be loaded, or a language has no such split.
    """
    (model, adapter), kind = located(model, adapter), kind or corpus.kinds[0]  # the records of a Hub repo lie in its snapshot
    wanted = _wanted(corpus, langs, split, kind)
    (loaded, tokenizer), sources = load_adapted(model, adapter), trained_on(model, adapter)
    if not case_marks:
        without_case_marks(loaded)
    scores: dict[str, dict[str, Any]] = json.loads(memory.read_text(encoding="utf-8")) if memory and memory.is_file() else {}
    for iso in tqdm(wanted, desc="evaluate", unit="language", file=sys.stderr, disable=len(wanted) < 2):
        if iso not in scores:
            known = known_in(iso, lexicon_of(adapter or model)) if names else None
            scores[iso] = evaluate_language(loaded, tokenizer, corpus, iso, split, kind, known)
            if memory:
                write_json(scores, memory)
    return report({iso: scores[iso] for iso in wanted}, sources)


def _wanted(corpus: Corpus, langs: Sequence[str] | None, split: str, kind: str) -> list[str]:
    """The languages asked for, or all that there are."""
    available = corpus.languages(split, kind)
    wanted = [language(code).iso for code in langs] if langs else available
    for iso in wanted:
        if iso not in available:
            raise ConlipaError(f"{corpus.where or 'sample'}: no {split} split of {language(iso).name} ({iso}){nearest(iso, available)}")
    if not wanted:
        raise UsageError(f"{corpus.where or 'sample'}: has no {split} split at all")
    return wanted


def evaluate_kinds(
    model: str, adapter: str | None, corpus: Corpus, langs: Sequence[str], split: str, case_marks: bool = True, names: bool = False
) -> dict[str, Any]:
    """`evaluate` of the first kind of sentences that the corpus has; beside it, under its name, that of each further kind.

    A kind is left out where it has none of the languages asked for; where that is the first one, `kind` says which is given in its place.
    """
    wanted = [language(code).iso for code in langs]
    there = {kind: [iso for iso in corpus.languages(split, kind) if not wanted or iso in wanted] for kind in corpus.kinds}
    everywhere = {iso for found in there.values() for iso in found}
    missing = [iso for iso in wanted if iso not in everywhere]
    first = next((kind for kind, found in there.items() if found), corpus.kinds[0])
    result = evaluate(model, adapter, corpus, [*there[first], *missing], split, None, first, case_marks, names)  # says what is missing
    if first != corpus.kinds[0]:
        result["kind"] = first
    counted = orphans(corpus, result["languages"], split, first)
    for kind in [kind for kind, found in there.items() if found and kind != first]:
        result[kind] = evaluate(model, adapter, corpus, there[kind], split, None, kind, case_marks, names)
        counted |= {f"{iso} ({kind})": many for iso, many in orphans(corpus, there[kind], split, kind).items()}
    if counted:
        each = ", ".join(f"{iso} {many}" for iso, many in counted.items())
        print(f"evaluate: {sum(counted.values())} I- tags continue nothing; no entity of entity_f1 ({each})", file=sys.stderr)
    return result


def orphans(corpus: Corpus, langs: Iterable[str], split: str, kind: str | None = None) -> dict[str, int]:
    """How many I- tags continue no entity, by language; languages without any are left out."""
    found = {iso: sum(len(orphans_of([LABELS[tag] for tag in tags])) for tags in corpus.split(iso, split, kind)["ner_tags"][:]) for iso in langs}
    return {iso: many for iso, many in found.items() if many}


def report(scores: dict[str, dict[str, Any]], sources: Sequence[str]) -> dict[str, Any]:
    """The JSON of an evaluation."""
    zero_shot = {iso: row for iso, row in scores.items() if iso not in sources} or scores
    return {"languages": scores, **summary(zero_shot), "sources": list(sources)}


def tables(result: dict[str, Any]) -> str:
    """The tables of `evaluate_kinds`, each further one under its kind."""
    head = f"{result['kind']}:\n\n" if "kind" in result else ""
    return "\n\n".join([head + table({"": result}), *(f"{kind}:\n\n{table({'': result[kind]})}" for kind in KINDS if kind in result)])


def table(results: dict[str, dict[str, Any]]) -> str:
    """A Markdown table of one or more evaluations, side by side; `results` maps a column's heading to a report."""
    head = " | ".join(f"{name} {score}" for name in results for score in SCORES)
    lines = [f"| language | n | {head} |", "|---|---:|" + "---:|" * (len(results) * len(SCORES))]
    first = next(iter(results.values()))
    sources = set(first.get("sources", []))
    for iso, row in first["languages"].items():
        cells = " | ".join(f"{result['languages'][iso][score]:.2f}" for result in results.values() for score in SCORES)
        mark = " (source)" if iso in sources else ""
        lines.append(f"| {language(iso).name} ({iso}){mark} | {row['n']:.0f} | {cells} |")
    for name in ("average", "std"):
        cells = " | ".join(f"{result[name][score]:.2f}" for result in results.values() for score in SCORES)
        zero_shot = "" if sources.issuperset(first["languages"]) else " (zero-shot)"
        label = f"**AVG**{zero_shot}" if name == "average" else "**STD**"
        lines.append(f"| {label} | | {cells} |")
    return "\n".join(lines)
