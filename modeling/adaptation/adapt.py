"""Fit a finished tagger to a few tagged sentences, and say by cross-validation what that brings."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from accelerate.utils import set_seed
from filelock import FileLock, Timeout

from conlipa.atomic_files import write_json
from conlipa.errors import ConlipaError
from conlipa.modeling.adaptation.stage import AdaptStage
from conlipa.modeling.data.fingerprint import of_folder
from conlipa.modeling.evaluation.metrics import entity_f1
from conlipa.modeling.evaluation.significance import paired_bootstrap
from conlipa.modeling.inference.lexicon import Lexicon, known_in, lexicon_of
from conlipa.modeling.phoneme_ner_f1.phoneme_ner_f1 import entity_counts
from conlipa.modeling.records import RECORD, read_json, trained_on
from conlipa.modeling.records import fitted_to as fitted_before
from conlipa.modeling.training.loop import train

FOLDS = 5
HALF_WAY = 0.5
"""How far the weights go from the model's own to those of the training. Few sentences spoil what a model knows: half way brings nearly as much where
they bring something, and the whole way did great harm in some languages (docs/trials.md)."""
Rows = Sequence[dict[str, Any]]
Fold = dict[str, Any]
"""The rows that a fold left out, and the labels that they got: `after` the fitting, and `before`."""


def adapt(model: str, adapter: str | None, rows: Rows, lang: str, out: Path, base_name: str | None = None) -> dict[str, Any]:
    """Cross-validate, then train on all sentences and write the adapter to `out`; interrupted, the same call goes on where it was.

    Args:
        model, adapter: the tagger to start from.
        rows: of the WikiANN-IPA contract (`tagged_file.py`).
        base_name: what the adapter calls its base model (None: `model`).

    Returns:
        What `training.json` in the folder holds: `before` and `after`, the `entity_f1` of sentences that were left out of the training in turn,
        with `low` and `high`, the 95% interval of the difference (paired bootstrap over the sentences). `share` is `HALF_WAY`, or 0 where that
        interval lies below zero: then the model stays as it is. Anything less sure is chance: twenty sentences hold few names.

    Raises:
        ConlipaError: `out` holds something else, the model cannot be loaded, or `adapter` was fitted to some of the rows.
        Stopped: SIGTERM came; the state is saved.
    """
    lexicon, fitted_to = _lexicon(adapter or model, lang), _fitted_to(model, adapter, rows)
    made_from = {
        "stage": AdaptStage.name,
        "language": lang,
        "data": _digest(rows),
        "model": of_folder(model),
        "adapter": of_folder(adapter) if adapter else "",
        "words": _digest([asdict(lexicon)]),
    }
    with _alone(out) as work:
        if out.exists():
            record = _finished(out, made_from)
            shutil.rmtree(work, ignore_errors=True)  # of a run that was killed just after it was through
            return record
        if all(any(row["ner_tags"]) for row in rows):
            print("adapt: every sentence holds a name; some as they come, without a name, teach what is none", file=sys.stderr)
        scores = _cross_validated(model, adapter, rows, lexicon, work, made_from)
        set_seed(0)
        stage = AdaptStage(model, adapter, rows, lang, scores["share"], base_name, lexicon.and_of(rows) if scores["share"] else lexicon)
        known = {"sentences": len(rows), "fitted_to": fitted_to, "languages": trained_on(model, adapter)}
        record = train(stage, out, work / "checkpoints", {**made_from, **known, **scores})
        shutil.rmtree(work, ignore_errors=True)
        return record


def _finished(out: Path, made_from: dict[str, Any]) -> dict[str, Any]:
    """The record of a folder that is there.

    Raises:
        ConlipaError: it is of something else.
    """
    record = read_json(out / RECORD) if (out / RECORD).is_file() else {}
    if any(record.get(key) != value for key, value in made_from.items()):
        raise ConlipaError(f"{out}: is there already, and holds something else; name another folder with --out")
    return record


def _lexicon(folder: str, lang: str) -> Lexicon:
    """The words that the tagger knows already."""
    there = lexicon_of(folder)
    return there if there and there.language == lang else Lexicon(lang, {}, [])


def _fitted_to(model: str, adapter: str | None, rows: Rows) -> list[str]:
    """Digests of the sentences that an adapter which starts from these has seen, the rows included.

    Raises:
        ConlipaError: they have seen some of the rows already: the cross-validation would score those as new ones.
    """
    own, before = {_digest([row["tokens"]]): row["tokens"] for row in rows}, set(fitted_before(model, adapter))
    if shared := [tokens for digest, tokens in own.items() if digest in before]:
        many, one = f"{len(shared)} of the {len(own)} sentences", " ".join(shared[0])[:60]
        raise ConlipaError(f"{adapter or model}: was fitted to {many} already ({one}): they cannot show a gain; leave them out, or start anew")
    return sorted({*own, *before})


@contextmanager
def _alone(out: Path) -> Iterator[Path]:
    """The folder for what is not finished, in which nobody else works.

    Raises:
        ConlipaError: somebody does, or it is the working folder.
    """
    if not out.name:
        raise ConlipaError(f"{out}: is in use; name a new folder with --out")
    work = out.with_name(f".{out.name}.adapt")
    work.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(work.with_name(f"{work.name}.lock"), timeout=0)
    try:
        with lock:
            yield work
        with suppress(OSError):  # another process has taken it
            Path(lock.lock_file).unlink()
    except Timeout:
        raise ConlipaError(f"{out}: another process is writing it; wait for it, or name another folder with --out") from None


def _cross_validated(model: str, adapter: str | None, rows: Rows, lexicon: Lexicon, work: Path, made_from: dict[str, Any]) -> dict[str, Any]:
    """Scores before and after, on sentences that each fold leaves out; folds that are done are kept in `work`."""
    memory = work / "folds.json"
    kept = read_json(memory) if memory.is_file() else {}
    if kept.get("made_from") != made_from:
        shutil.rmtree(work, ignore_errors=True)
        kept = {"made_from": made_from, "folds": {}}
    order = random.Random(0).sample(range(len(rows)), len(rows))
    for fold in range(FOLDS):
        if str(fold) in kept["folds"]:
            continue
        print(f"adapt: fold {fold + 1} of {FOLDS}", file=sys.stderr)
        set_seed(fold)
        held, others = order[fold::FOLDS], [rows[i] for place, i in enumerate(order) if place % FOLDS != fold]
        stage, known = AdaptStage(model, adapter, others, lexicon.language), [lexicon.and_of(others), lexicon]
        said = _said(stage, [rows[i] for i in held], known, work / f"fold-{fold}", {**made_from, "fold": fold})
        kept["folds"][str(fold)] = {"rows": held, **said}
        work.mkdir(parents=True, exist_ok=True)
        write_json(kept, memory)
    return _scores(rows, list(kept["folds"].values()))


def _said(stage: AdaptStage, left_out: Rows, known: Sequence[Lexicon], place: Path, metadata: dict[str, Any]) -> dict[str, list[list[int]]]:
    """The labels that a model gives to sentences after the stage and before, knowing the words that are `known` then."""
    checkpoints = place.with_name(f"{place.name}.checkpoints")
    shutil.rmtree(checkpoints, ignore_errors=True)  # a fold is short, and is scored at its end: it begins anew
    train(stage, place, checkpoints, metadata)
    shutil.rmtree(place)
    said = {}
    for when, share, words in zip(("after", "before"), (HALF_WAY, 0.0), known, strict=True):
        stage.go_back_to(share)
        said[when] = stage.labels(left_out, known_in(words.language, words))
    return said


def _scores(rows: Rows, folds: Sequence[Fold]) -> dict[str, Any]:
    gold = [list(rows[i]["ner_tags"]) for fold in folds for i in fold["rows"]]
    before, after = ([labels for fold in folds for labels in fold[when]] for when in ("before", "after"))
    change = paired_bootstrap(entity_counts(gold, after), entity_counts(gold, before))
    return {
        "folds": FOLDS,
        "before": round(entity_f1(gold, before), 2),
        "after": round(entity_f1(gold, after), 2),
        "low": round(change.low, 2),
        "high": round(change.high, 2),
        "share": HALF_WAY if change.high >= 0 else 0.0,
    }


def _digest(rows: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(list(rows), sort_keys=True).encode()).hexdigest()[:16]
