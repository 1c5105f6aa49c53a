"""A prediction file scored as a model is: WikiANN's own form, `token<TAB>label`, with the sentences of a split in order.

A line without a tab is a label alone. Between sentences stands an empty line, as in the corpus. A file in IOB1 is read as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conlipa.dataset_scripts.languages import language
from conlipa.dataset_scripts.wikiann.reading import DOCSTART, LABELS, numbered_lines, read_as_iob2
from conlipa.errors import ConlipaError, UsageError, nearest
from conlipa.modeling.alignment import LABEL_IDS, MAX_LENGTH
from conlipa.modeling.data.corpus import Corpus, encoded
from conlipa.modeling.evaluation.evaluation import report
from conlipa.modeling.evaluation.markdown import markdown_table
from conlipa.modeling.phoneme_ner_f1.phoneme_ner_f1 import entity_counts, entity_f1, interval, paper_f1, position_counts, resampled
from conlipa.modeling.tokenizer import phoneme_tokenizer

RESAMPLES, CONFIDENCE = 1000, 0.95


def scored(where: Path, corpus: Corpus, langs: Sequence[str], split: str) -> dict[str, Any]:
    """The JSON of an evaluation (`evaluation.report`); each score has its 95% interval (bootstrap over sentences) beside it.

    Args:
        where: the file of one language, or a folder with an `ISO.tsv` of each.
        langs: ISO 639-3 codes; of a folder none means all that it holds.

    Raises:
        UsageError: a file with several languages or none, a folder without files.
        ConlipaError: a file that does not fit the split, its line named.
    """
    if where.is_dir():
        wanted = [language(code).iso for code in langs or sorted(path.stem for path in where.glob("*.tsv"))]
        files = {iso: where / f"{iso}.tsv" for iso in wanted}
        if not files:
            raise UsageError(f"{where}: holds no ISO.tsv")
    elif len(langs) == 1:
        files = {language(langs[0]).iso: where}
    else:
        raise UsageError(f"{where}: is the file of one language; name it with --langs, or give a folder with an ISO.tsv of each language")
    return report({iso: _scores(path, corpus, iso, split) for iso, path in files.items()}, [])


def _scores(path: Path, corpus: Corpus, lang: str, split: str) -> dict[str, Any]:
    kinds = [kind for kind in corpus.kinds if lang in corpus.languages(split, kind)]
    if len(kinds) > 1:
        raise UsageError(f"{corpus.where}: has {lang} as {' and as '.join(kinds)}, which are never one score; name one of them with --corpus")
    rows = corpus.split(lang, split)
    tokens, gold = rows["tokens"][:], rows["ner_tags"][:]
    labels = read(path, tokens, f"the {lang} {split} split")
    tokenizer = phoneme_tokenizer()
    positions = [
        [example["labels"] for example in encoded([{**row, "ner_tags": tags} for row, tags in zip(rows, side, strict=True)], tokenizer, MAX_LENGTH)]
        for side in (gold, labels)
    ]
    result: dict[str, Any] = {}
    for name, score, counts in (("paper_f1", paper_f1, position_counts(*positions)), ("entity_f1", entity_f1, entity_counts(gold, labels))):
        result[name] = float(score(counts.sum(axis=0)))
        result[f"{name}_interval"] = interval(score(resampled(counts, RESAMPLES, 0)), CONFIDENCE)
    return {**result, "n": len(gold)}


def read(path: Path, tokens: Sequence[Sequence[str]], what: str) -> list[list[int]]:
    """Label ids of the words of each sentence, in IOB2.

    Args:
        tokens: the words that the file must be about; `what` names them in a complaint.

    Raises:
        ConlipaError: too many or too few lines or sentences, another token, an unknown label.
    """
    found: list[list[str]] = []
    current: list[str] = []
    lines = _lines(path)
    for number, line in enumerate([*lines, ""], 1):
        place = f"{path}:{number}"
        if not line or line.startswith(DOCSTART):
            if current and len(current) < len(tokens[len(found)]):
                expected = tokens[len(found)][len(current)]
                raise ConlipaError(f"{place}: sentence {len(found) + 1} ends here, expected its word {len(current) + 1}, {expected!r}")
            if current:
                found.append(current)
                current = []
            continue
        if len(found) == len(tokens):
            raise ConlipaError(f"{place}: expected the end of the file after {len(tokens)} sentences ({what}), found {line[:40]!r}")
        if len(current) == len(tokens[len(found)]):
            raise ConlipaError(f"{place}: expected an empty line after the {len(current)} words of sentence {len(found) + 1}, found {line[:40]!r}")
        token, tab, label = line.rpartition("\t")
        if tab and token != (expected := tokens[len(found)][len(current)]):
            raise ConlipaError(f"{place}: word {len(current) + 1} of sentence {len(found) + 1} is {token!r}, expected {expected!r} ({what})")
        if label not in LABEL_IDS:
            raise ConlipaError(f"{place}: unknown label {label[:40]!r}{nearest(label, LABELS)} (labels: {', '.join(LABELS)})")
        current.append(label)
    if len(found) < len(tokens):
        raise ConlipaError(f"{path}:{max(1, len(lines))}: ends after {len(found)} sentences, expected {len(tokens)} ({what})")
    return [[LABEL_IDS[label] for label in labels] for labels in read_as_iob2(path, found) or found]


def _lines(path: Path) -> list[str]:
    """The lines of a file, without the empty ones at its end."""
    lines = [line for _, line in numbered_lines(path)]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def table(result: dict[str, Any]) -> str:
    """The Markdown table of `scored`, with the intervals."""

    def cells(name: str, row: dict[str, Any]) -> list[str | float | None]:
        shown = [f"{row[score]:.2f} ({' to '.join(f'{end:.2f}' for end in row[f'{score}_interval'])})" for score in ("paper_f1", "entity_f1")]
        return [f"{language(name).name} ({name})", row["n"], *shown]

    rows = [cells(name, row) for name, row in result["languages"].items()]
    rows += [[name, "", *result[key].values()] for name, key in (("**AVG**", "average"), ("**STD**", "std"))]
    return markdown_table(["language", "n", "paper_f1 (95% interval)", "entity_f1 (95% interval)"], rows)
