"""A control that the papers lack: two encoders from scratch that differ in what they read alone, phonemes or the letters of the orthography.

The papers compare XPhoneBERT with mBERT and CANINE, which differ in size, pretraining and languages as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from conlipa.atomic_files import atomic_folder
from conlipa.dataset_scripts.g2p.phonemizer import WORD_SEPARATOR
from conlipa.dataset_scripts.languages import language
from conlipa.modeling.data.corpus import Corpus, CorpusSet
from conlipa.modeling.data.fingerprint import of_sentences
from conlipa.modeling.encoder import new_encoder, save_tagger
from conlipa.modeling.evaluation.comparison import PAPERS
from conlipa.modeling.evaluation.evaluation import SCORES
from conlipa.modeling.evaluation.markdown import markdown_table, with_interval
from conlipa.modeling.evaluation.papers import published
from conlipa.modeling.evaluation.significance import Difference, difference_over_languages
from conlipa.modeling.recipe import GRAPHEMES, PHONEMES, Augmentation, LabelBias, Recipe
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.report.scripts import OTHER, by_script
from conlipa.modeling.report.section import Inputs, Section
from conlipa.modeling.studies.ablation import scored
from conlipa.modeling.studies.runs import Measured, measure
from conlipa.modeling.tokenizer import SPECIAL
from conlipa.modeling.train import train_stage

KEY = "graphemes"
TITLE = "Graphemes instead of phonemes"
SENTENCES, BATCH_SIZE = 12_000, 32
"""Of the training: the first so many sentences of all source languages together, once. They have about 500,000 positions, in phonemes or letters."""
SOURCE, SOURCE_SENTENCES = "eng", 1000
SEEN, UNSEEN, ALL = "… of a source language", "… of no source language", "all"
_PAPERS = ("XPhoneBERT", "CANINE", "mBERT")


class FirstSentences(Corpus):
    """A corpus with the first sentences of each training split alone."""

    def __init__(self, corpus: Corpus, first: int) -> None:
        super().__init__(corpus.where, corpus.strict)
        self.first = first

    def split(self, lang: str, split: str, kind: str | None = None) -> Dataset:
        rows = super().split(lang, split, kind)
        return rows.select(range(min(self.first, len(rows)))) if split == "train" else rows

    def rows(self, each: CorpusSet) -> Dataset:
        """Of one set: what is left of the first sentences after the sets of its language that come before it."""
        rows = super().rows(each)
        if each.split != "train":
            return rows
        room = self.first
        for other in self.sets([each.lang], "train"):
            if other == each:
                break
            room -= len(super().rows(other))
        return rows.select(range(max(0, min(room, len(rows)))))


def section(inputs: Inputs) -> Section:
    """A table a score, by script, with the papers' models of letters and of phonemes."""
    recipe = control(inputs.recipe)
    there = inputs.corpus.languages("train")
    sources = [iso for iso in recipe.ner.languages if iso in there]
    corpus = FirstSentences(inputs.corpus, -(-SENTENCES // max(1, len(sources))))
    trained = {input_kind: measured(inputs, recipe, corpus, sources, input_kind) for input_kind in (PHONEMES, GRAPHEMES)}
    groups = groups_of(inputs.langs, sources)
    if SOURCE in corpus.languages("validation"):
        groups[f"{language(SOURCE).name}, trained on" if SOURCE in sources else language(SOURCE).name] = [SOURCE]
    compared = {score: {name: compare(trained, langs, score) for name, langs in groups.items() if langs} for score in SCORES}
    many = sum(len(corpus.split(iso, "train")) for iso in sources)
    parts = [_introduction(recipe, sources, many)]
    parts += [f"`{score}`:\n\n{_table(rows, groups, score)}" for score, rows in compared.items()]
    return Section(KEY, TITLE, "\n\n".join(parts), data={"groups": groups, "sentences": many, "scores": compared})


def control(recipe: Recipe) -> Recipe:
    """Stage 1 of both encoders: the recipe's shape and rate of learning, without what only phonemes can have.

    A recipe that begins with pretrained weights has no shape of its own: then `mini`'s.
    """
    base = read_recipe("mini") if recipe.encoder.repo else recipe
    encoder = replace(base.encoder, articulatory=False, pooler=False, vocab_size=None, case_marks=False)
    ner = replace(
        base.ner,
        start=None,
        epochs=1,
        minutes=None,
        batch_size=BATCH_SIZE,
        batch_positions=None,
        accumulate=1,
        sentences_per_language=None,
        sentences_of=None,
        nameless_share=1.0,
        running_share=0.0,
        exclude=(),
        join=0.0,
        augmentation=Augmentation(),
        label_bias=LabelBias(),
    )
    return Recipe("control", encoder, ner)


def measured(inputs: Inputs, recipe: Recipe, corpus: FirstSentences, sources: Sequence[str], input_kind: str) -> Measured:
    """Counts of an encoder that reads phonemes or graphemes, on the report's languages and on English; trained first if it is not there yet."""
    tested = [SOURCE] if SOURCE in corpus.languages("validation") else []
    limits = {**dict.fromkeys(inputs.langs, inputs.sentences), **dict.fromkeys(tested, SOURCE_SENTENCES)}
    letters = ""
    if input_kind == GRAPHEMES:
        splits = [corpus.split(iso, "train") for iso in sources] + [corpus.split(iso, "validation")[:limit] for iso, limit in limits.items()]
        letters = "".join(sorted({letter for rows in splits for tokens in rows["tokens"] for letter in "".join(tokens)}))
    made_of = [recipe.as_dict(), of_sentences(corpus, sources, "train"), letters]
    folder = inputs.out / "work" / KEY / f"{input_kind}-{hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12]}"
    if input_kind == GRAPHEMES:
        start = folder.with_name(f"{folder.name}-start")
        if not start.is_dir():
            write_start(start, recipe, letters)
        recipe = replace(recipe, encoder=replace(recipe.encoder, repo=str(start), input="graphemes"))
    train_stage("ner", recipe, corpus, folder)
    found: Measured = {score: {} for score in SCORES}
    for iso, limit in limits.items():
        for score, counts in measure(str(folder), None, corpus, [iso], limit, folder.with_suffix(".npz")).items():
            found[score] |= counts
    return found


def write_start(place: Path, recipe: Recipe, letters: Iterable[str]) -> None:
    """The folder of an untrained encoder of the recipe's shape that reads letters: what a pretrained one is to the grapheme path."""
    tokenizer = letter_tokenizer(letters, recipe.encoder.max_length)
    torch.manual_seed(recipe.ner.seed)
    with atomic_folder(place) as folder:
        save_tagger(new_encoder(replace(recipe.encoder, vocab_size=len(tokenizer))), tokenizer, folder)


def letter_tokenizer(letters: Iterable[str], max_length: int) -> PreTrainedTokenizerFast:
    """One id a letter; the first position of each word is the word separator."""
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys([*SPECIAL, WORD_SEPARATOR, *letters]))}
    backend = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(WORD_SEPARATOR, prepend_scheme="always")
    ends = [(token, vocabulary[token]) for token in ("<s>", "</s>")]
    backend.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    named = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=backend, mask_token="<mask>", model_max_length=max_length, **named)


def groups_of(langs: Sequence[str], sources: Sequence[str]) -> dict[str, list[str]]:
    """Test languages in Latin script, in others, those of them that a source language is written in and those that none is, all."""
    groups, known = by_script(langs), {language(iso).script for iso in sources}
    groups[SEEN] = [iso for iso in groups[OTHER] if language(iso).script in known]
    groups[UNSEEN] = [iso for iso in groups[OTHER] if language(iso).script not in known]
    return {**groups, ALL: list(langs)}


def compare(trained: dict[str, Measured], langs: Sequence[str], score: str) -> dict[str, Any]:
    """Means over languages of both encoders, and the first less the second, with its paired interval over sentences."""
    sides = {input_kind: {iso: counts[score][iso] for iso in langs} for input_kind, counts in trained.items()}
    means = {input_kind: sum(map(scored, side.values())) / len(langs) for input_kind, side in sides.items()}
    return {**means, "difference": difference_over_languages([sides[PHONEMES]], [sides[GRAPHEMES]])._asdict()}


def _introduction(recipe: Recipe, sources: Sequence[str], many: int) -> str:
    encoder = recipe.encoder
    return (
        f"Two encoders from scratch: {encoder.layers} layers, width {encoder.hidden_size}, the same {many:,} training sentences of"
        f" {', '.join(sources)}, one epoch in batches of {recipe.ner.batch_size}, learning rate {recipe.ner.learning_rate:g},"
        f" one seed ({recipe.ner.seed}). One reads the kit's phonemes, one the letters of the orthography (a vector a letter; letters that no source"
        " language has keep their first, random ones). Neither has articulatory features, augmentation or a bias of its labels. Letters keep upper"
        " case, which phonemes do not have. So little training gives low scores; what counts is the difference, in points with its 95% interval"
        " (paired bootstrap over sentences: with one seed, the chance of training is not in it). Means over the test languages by script; the"
        " papers' `paper_f1` of the very same languages beside. `paper_f1` counts positions, which are letters in one model and phonemes in the"
        " other; `entity_f1` counts the same words in both."
    )


def _table(rows: dict[str, dict[str, Any]], groups: dict[str, list[str]], score: str) -> str:
    papers = _PAPERS if score == "paper_f1" else ()
    lines: list[list[str | float | None]] = []
    for name, row in rows.items():
        theirs = [[published(iso)[PAPERS[model]] for iso in groups[name] if PAPERS[model] in published(iso)] for model in papers]
        means = [sum(values) / len(values) if len(values) == len(groups[name]) else None for values in theirs]
        found = Difference(**row["difference"])
        difference = with_interval(found.difference, found.low, found.high)
        lines.append([name, str(len(groups[name])), row[PHONEMES], row[GRAPHEMES], difference, *means])
    return markdown_table(
        ["script", "languages", "phonemes", "graphemes", "phonemes less graphemes", *(f"papers' {model}" for model in papers)], lines
    )
