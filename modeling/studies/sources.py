"""What case marks and running text each bring: stage 1 with neither, with one of them and with both, on languages that all four leave out.

    python -m conlipa.modeling.studies.sources --corpus titles=DIR:running=DIR --minutes 10 --out DIR
    python -m conlipa.modeling.studies.sources --set encoder.layers=4 --leave-out por,jpn --corpus … --minutes 5 --out DIR

Each is a run from nothing of so many minutes. Languages of which the corpus has running text alone are trained on in the two that read it.
Interrupted, the same command resumes; the table is Markdown.
"""

from __future__ import annotations

import argparse
import math
import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from conlipa.atomic_files import write_json, write_text
from conlipa.dataset_scripts.languages import language, listed
from conlipa.dataset_scripts.wikiann.places import RUNNING, TITLES, corpus_option
from conlipa.errors import ConlipaError, UsageError, exit_on_error
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.fingerprint import of_folder
from conlipa.modeling.data.packed_corpus import REDIRECTS
from conlipa.modeling.data.packing import packed_for
from conlipa.modeling.encoder import load_tagger, without_case_marks
from conlipa.modeling.evaluation.evaluation import tagged
from conlipa.modeling.evaluation.everyday import CASED
from conlipa.modeling.evaluation.markdown import markdown_table
from conlipa.modeling.evaluation.metrics import entity_f1
from conlipa.modeling.inference.prediction import has_bf16
from conlipa.modeling.recipe import Recipe
from conlipa.modeling.recipe_file import recipe_of, recipe_options
from conlipa.modeling.records import RECORD, read_json
from conlipa.modeling.studies.counts import check_counts
from conlipa.modeling.train import train_stage
from conlipa.quiet import quiet

LEFT_OUT = ("por", "est", "hye", "lav", "ben", "jpn", "hin", "nep")
ARMS = {"neither": (False, False), "case marks": (True, False), "running text": (False, True), "both": (True, True)}
"""Arm → whether it is trained with case marks, and on running text."""
GROUPS = [(kind, script) for kind in (RUNNING, TITLES) for script in ("cased", "uncased")]
Scores = dict[str, dict[str, dict[str, float]]]
"""`marked` or `plain`, as the sentences were read → kind → language → `entity_f1`."""


def arm(recipe: Recipe, marks: bool, running: bool, minutes: float, left_out: Sequence[str]) -> Recipe:
    """The recipe of one arm. Without marks in any sentence an encoder that reads them is one that does not: so all arms share their input."""
    ner = replace(
        recipe.ner,
        start=None,
        minutes=minutes,
        languages=tuple(lang for lang in recipe.ner.languages if lang not in left_out),
        mark_share=recipe.ner.mark_share if marks else 0.0,
        running_share=recipe.ner.running_share if running else 0.0,
        exclude=(*recipe.ner.exclude, *(f"{REDIRECTS}/{lang}" for lang in left_out), *([] if running else [f"{RUNNING}/*"])),
    )
    return replace(recipe, ner=ner)


def measured(folder: Path, corpus: Corpus, left_out: Sequence[str], sentences: int | None, marks: bool) -> Scores:
    """`entity_f1` of the languages left out: of running text the test split, of titles the validation split, or the one that there is.

    Args:
        sentences: of each language and kind, the first so many (None: all).
        marks: the model knows case marks: it is also scored on sentences with them.
    """
    memory = folder.with_name(f"{folder.name}.scores.json")
    made_with = {"weights": of_folder(str(folder)), "corpus": corpus.fingerprint(), "sentences": sentences, "languages": list(left_out)}
    if memory.is_file() and (there := read_json(memory)).get("of") == made_with:
        return Scores(there["scores"])
    model, tokenizer = load_tagger(str(folder))
    scores: Scores = {}
    for name in (*(["marked"] if marks else []), "plain"):
        if name == "plain":
            without_case_marks(model)
        scores[name] = {}
        for kind, order in ((RUNNING, ("test", "validation")), (TITLES, ("validation", "test"))):
            splits = {lang: split for split in reversed(order) for lang in left_out if lang in corpus.languages(split, kind)}
            found = {lang: tagged(model, tokenizer, corpus, lang, split, sentences, has_bf16(), kind=kind) for lang, split in splits.items()}
            scores[name][kind] = {lang: entity_f1(said.words, said.predicted_words) for lang, said in found.items()}
    write_json({"of": made_with, "scores": scores}, memory)
    return scores


def table(found: dict[str, Scores], cased: dict[str, bool]) -> str:
    """Markdown: a row for each arm and way to read, with the means over languages with and without capitals."""
    rows: list[list[str | float | None]] = []
    for name, scores in found.items():
        for way, kinds in scores.items():
            own: list[float | None] = []
            for kind, script in GROUPS:
                values = [score for lang, score in kinds[kind].items() if cased[lang] == (script == "cased")]
                own.append(mean(values) if values else None)
            rows.append([name if way == next(iter(scores)) else "", "yes" if way == "marked" else "no", *own])
    return markdown_table(["trained with", "marks in the input", *(f"{kind}, {script}" for kind, script in GROUPS)], rows, digits=1)


def text(
    found: dict[str, Scores], cased: dict[str, bool], records: Sequence[dict[str, Any]], sentences: int | None, minutes: float, command: str
) -> str:
    """The table with all that it takes to read it."""
    many = f"the first {sentences} sentences of each" if sentences else "all sentences"
    positions = [record["tokens_per_second"] * record["seconds"] / 1e6 for record in records]
    shown = {script: " ".join(lang for lang, is_so in cased.items() if is_so == (script == "cased")) for script in ("cased", "uncased")}
    return (
        f"`entity_f1`, mean over languages that all four models leave out, titles and running text alike (cased: {shown['cased']}; uncased:"
        f" {shown['uncased']}), {many}; stage 1 alone, {minutes:g} minutes each from nothing,"
        f" {min(positions):.1f} to {max(positions):.1f} million positions:\n\n{table(found, cased)}\n\nMade by `{command}`\n"
    )


def command_of(arguments: argparse.Namespace) -> str:
    """The command, without the paths of this machine."""
    settings = "".join(f" --set {shlex.quote(setting)}" for setting in arguments.settings)
    return (
        f"python -m conlipa.modeling.studies.sources --profile {Path(arguments.profile).name}{settings} --corpus titles=DIR{os.pathsep}running=DIR"
        f" --leave-out {arguments.leave_out} --minutes {arguments.minutes:g} --sentences {arguments.sentences} --out DIR"
    )


def run(arguments: argparse.Namespace) -> str:
    """Train and measure all arms; the text."""
    check_counts(arguments, sentences=0)
    if not 0 < arguments.minutes < math.inf:
        raise UsageError(f"--minutes is {arguments.minutes:g}; expected more than 0")
    sentences = arguments.sentences or None
    recipe, corpus, left_out = recipe_of(arguments), Corpus(arguments.corpus), listed(arguments.leave_out)
    if not left_out:
        raise UsageError("--leave-out names no language; expected those to measure on")
    if recipe.ner.minutes != arguments.minutes:
        raise UsageError("--set ner.minutes: the time of each of the four is --minutes")
    if not recipe.encoder.case_marks:
        raise UsageError(f"--profile {arguments.profile}: its encoder reads no case marks (encoder.case_marks)")
    if RUNNING not in corpus.kinds or TITLES not in corpus.kinds:
        raise ConlipaError(f"{arguments.corpus}: expected titles and running text (titles=DIR{os.pathsep}running=DIR)")
    measurable = {lang for kind in corpus.kinds for split in ("test", "validation") for lang in corpus.languages(split, kind)}
    if missing := [lang for lang in left_out if lang not in measurable]:
        raise ConlipaError(f"{corpus.where}: has no test or validation split of {', '.join(missing)}, which --leave-out names")
    if not set(recipe.ner.languages) - set(left_out):
        raise UsageError("--leave-out leaves no source language to train on")
    cased = {lang: language(lang).script in CASED for lang in left_out}
    whole = packed_for(recipe, corpus)
    found: dict[str, Scores] = {}
    records = []
    for name, (marks, running) in ARMS.items():
        folder = arguments.out / name.replace(" ", "-")
        train_stage("ner", arm(recipe, marks, running, arguments.minutes, left_out), whole, folder)
        records.append(read_json(folder / RECORD))
        found[name] = measured(folder, corpus, left_out, sentences, marks)
    written = text(found, cased, records, sentences, arguments.minutes, command_of(arguments))
    write_json({"scores": found, "cased": cased}, arguments.out / "sources.json")
    write_text(written, arguments.out / "sources.md")
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    recipe_options(parser)
    corpus_option(parser)
    parser.add_argument("--leave-out", default=",".join(LEFT_OUT), metavar="ISO,ISO", help=f"languages to measure on (default: {','.join(LEFT_OUT)})")
    parser.add_argument("--minutes", type=float, required=True, metavar="N", help="of training, for each of the four")
    parser.add_argument("--sentences", type=int, default=300, help="of each language left out, the first so many (default: 300; 0: all)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    quiet()
    with exit_on_error():
        print(run(parser.parse_args()))


if __name__ == "__main__":
    main()
