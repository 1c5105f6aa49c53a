"""Runs of stage 2 in one folder, each trained and measured once, whichever study asks for it.

A run's folder is named by a digest of all that it is made from (stage 1's weights, settings, pairs, replayed sentences) and by its seed, so that
arms of several studies with the same settings are one run.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from conlipa.errors import ConlipaError
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.fingerprint import of_folder, of_pairs, of_sentences
from conlipa.modeling.encoder import load_adapted
from conlipa.modeling.evaluation.evaluation import SCORES, tagged
from conlipa.modeling.inference.prediction import has_bf16
from conlipa.modeling.phoneme_ner_f1.phoneme_ner_f1 import Counts, entity_counts, position_counts
from conlipa.modeling.recipe import Recipe
from conlipa.modeling.records import RECORD
from conlipa.modeling.train import train_stage

Measured = dict[str, dict[str, Counts]]
"""Score → language → counts of each sentence."""
_ALL = 0
"""A language's limit where all its sentences are counted; as a limit that is asked for it is none."""


@dataclass(frozen=True)
class Runs:
    """The folder of all runs on one stage-1 model."""

    ner: str
    corpus: Corpus
    folder: Path

    @cached_property
    def _base(self) -> tuple[str, str]:
        return of_folder(self.ner), of_pairs()

    def _sources(self, recipe: Recipe) -> list[str]:
        """The recipe's source languages that the corpus has: those whose sentences are replayed."""
        there = self.corpus.languages("train")
        return [iso for iso in recipe.ner.languages if iso in there]

    def name(self, recipe: Recipe | None) -> str:
        """The run's folder of a recipe, whose seed is that of its `ipac` section; `none`: stage 1 alone."""
        if recipe is None:
            return "none"
        settings = {**asdict(recipe.ipac), "seed": None}
        made_of = [recipe.name, asdict(recipe.encoder), settings, *self._base]
        if recipe.ipac.replay_weight:
            made_of += [asdict(recipe.ner), self._sources(recipe), of_sentences(self.corpus, self._sources(recipe), "train")]
        return f"{hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12]}-{recipe.ipac.seed}"

    def adapter(self, recipe: Recipe) -> Path:
        """The folder of a recipe's adapter, which is trained now if it has not been."""
        folder = self.folder / self.name(recipe)
        if not (folder / RECORD).is_file():
            train_stage("ipac", recipe, self.corpus, folder, self.ner)
        return folder

    def measured(self, recipe: Recipe | None, langs: Sequence[str], sentences: int | None) -> Measured:
        """Counts of a run on the validation split of each language; trains it if that has not been done."""
        adapter = self.adapter(recipe) if recipe else None
        return measure(self.ner, adapter, self.corpus, langs, sentences, self._memory(recipe), bf16=has_bf16())

    def all_measured(
        self, recipes: Sequence[Recipe | None], langs: Sequence[str], sentences: int | None, jobs: int = 1, title: str = "runs"
    ) -> list[Measured]:
        """`measured` of each recipe, in order, `jobs` runs at once in processes of one thread each.

        Raises:
            ConlipaError: a process was killed, or a run failed.
        """
        different = {self.name(recipe): recipe for recipe in recipes}
        todo = [recipe for recipe in different.values() if not self._is_done(recipe, langs, sentences)]
        with tqdm(total=len(different), initial=len(different) - len(todo), desc=title, unit="run", file=sys.stderr) as bar:
            for _ in self._each(todo, langs, sentences, min(jobs, len(todo))):
                bar.update()
        return [self.measured(recipe, langs, sentences) for recipe in recipes]

    def _each(self, todo: Sequence[Recipe | None], langs: Sequence[str], sentences: int | None, jobs: int) -> Iterator[None]:
        if jobs < 2:
            for recipe in todo:
                self.measured(recipe, langs, sentences)
                yield
            return
        for recipe in todo:
            if recipe and recipe.ipac.replay_weight:  # found here once, not in every process
                for iso in self._sources(recipe):
                    of_sentences(self.corpus, [iso], "train")
        with _workers(jobs, self) as pool:
            for done in as_completed([pool.submit(_work, recipe, langs, sentences) for recipe in todo]):
                done.result()
                yield

    def _memory(self, recipe: Recipe | None) -> Path:
        return self.folder / f"{self.name(recipe)}.npz"

    def _is_done(self, recipe: Recipe | None, langs: Sequence[str], sentences: int | None) -> bool:
        adapter = self.folder / self.name(recipe) if recipe else None
        if adapter and not (adapter / RECORD).is_file():
            return False
        kept = _remembered(self._memory(recipe), _weights(self.ner, adapter))
        return all(_is_there(kept, self.corpus, iso, sentences) for iso in langs)


def seeded(recipe: Recipe, seed: int) -> Recipe:
    """The recipe with another seed of stage 2."""
    return replace(recipe, ipac=replace(recipe.ipac, seed=seed))


def measure(
    ner: str, adapter: str | Path | None, corpus: Corpus, langs: Sequence[str], sentences: int | None, memory: Path, bf16: bool = False
) -> Measured:
    """Counts of the validation split, the first so many sentences of each language (None: all).

    Args:
        memory: an `.npz` file that keeps them, with the weights and sentences that they are of: no language is tagged twice.
        bf16: as in `evaluation.tagged`; a study, whose arms are all measured alike, can afford it.
    """
    sentences = sentences or None
    weights = _weights(ner, adapter)
    kept = _remembered(memory, weights)
    loaded: tuple[Any, Any] | None = None
    for iso in langs:
        if not _is_there(kept, corpus, iso, sentences):
            loaded = loaded or load_adapted(ner, str(adapter) if adapter else None)
            said = tagged(*loaded, corpus, iso, "validation", sentences, bf16, corpus.kinds[0])
            kept |= {
                f"{iso} of": np.array(_of(corpus, iso)),
                f"{iso} limit": np.array(sentences or _ALL),
                f"{iso} paper_f1": position_counts(said.positions, said.predicted_positions),
                f"{iso} entity_f1": entity_counts(said.words, said.predicted_words),
            }
            memory.parent.mkdir(parents=True, exist_ok=True)
            beside = memory.with_suffix(".partial.npz")
            np.savez_compressed(beside, weights=np.array(weights), **kept)
            beside.replace(memory)
    return {score: {iso: kept[f"{iso} {score}"][:sentences] for iso in langs} for score in SCORES}


def _weights(ner: str, adapter: str | Path | None) -> str:
    return f"{of_folder(ner)} {of_folder(str(adapter)) if adapter else ''}"


def _remembered(memory: Path, weights: str) -> dict[str, Any]:
    """What is kept of these weights."""
    if not memory.is_file():
        return {}
    with np.load(memory, allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files if name != "weights"} if str(kept["weights"]) == weights else {}


def _is_there(kept: dict[str, Any], corpus: Corpus, iso: str, sentences: int | None) -> bool:
    limit = int(kept.get(f"{iso} limit", -1))
    enough = limit == _ALL or (sentences is not None and sentences <= limit)
    return enough and str(kept[f"{iso} of"]) == _of(corpus, iso)


def _of(corpus: Corpus, iso: str) -> str:
    """What is scored: of several kinds of sentences the first, which never makes one score with another."""
    found = of_sentences(corpus, [iso], "validation")
    return found if len(corpus.kinds) == 1 else f"{found} {corpus.kinds[0]}"


@contextmanager
def _workers(jobs: int, runs: Runs) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with this one; what is begun resumes from its checkpoint."""
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _begin, (runs,))
    try:
        yield pool
    except BrokenProcessPool as error:
        raise ConlipaError("a run's process was killed (out of memory?); the same command resumes, and fewer --jobs need less memory") from error
    finally:
        pool.shutdown(cancel_futures=True)


_of_this_process: Runs
"""In a process of `_workers`: what it has looked up of the corpus serves all its runs."""


def _begin(runs: Runs) -> None:
    """In a new process: one thread, no bars beside the one that counts the runs, and an end with its parent, even one by `kill -9`."""
    import torch

    from conlipa.quiet import quiet

    global _of_this_process
    _of_this_process = runs
    torch.set_num_threads(1)
    quiet()
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _work(recipe: Recipe | None, langs: Sequence[str], sentences: int | None) -> None:
    _of_this_process.measured(recipe, langs, sentences)
