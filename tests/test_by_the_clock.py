"""A run by the clock, trained as `mini` is: case marks, both kinds of text, averaged weights, scores while it goes; stopped and resumed."""

from __future__ import annotations

import argparse
import json
import os
import signal
from collections import Counter
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from conlipa.errors import ConlipaError
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.sentences import Sentences
from conlipa.modeling.recipe import MARKED_PHONEMES, PHONEMES, Augmentation, Ner
from conlipa.modeling.recipe_file import read_recipe, recipe_of
from conlipa.modeling.tokenizer import phoneme_tokenizer
from conlipa.modeling.train import held_out_of
from conlipa.modeling.training import loop
from conlipa.modeling.training.checkpoints import Checkpoints, Progress
from conlipa.modeling.training.feed import Feed
from tests.conftest import TINY, begun, run, running_until

MINUTES = 0.25
AS_MINI = """, case_marks: true, max_positions: 194}
ner: {batch_positions: 1024, join: 0.2, long_sentences: split, running_share: 0.4, mark_share: 0.6, ema: 0.9, validate_every: 20, log_every: 5,"""


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    """Titles, and some sentences that stand for running text."""
    rows = Corpus("sample").split("eng", "train").select(range(60))
    place = tmp_path / "running" / "eng" / "train.tsv"
    place.parent.mkdir(parents=True)
    place.write_text("".join("".join(f"{token}\tO\n" for token in row["tokens"]) + "\n" for row in rows), encoding="utf-8")
    return f"titles=sample{os.pathsep}running={tmp_path / 'running'}"


@pytest.mark.slow
def test_it_is_stopped_and_goes_on_for_what_is_left_of_its_minutes(corpus: str, tmp_path: Path) -> None:
    recipe, out = tmp_path / "tiny.yaml", tmp_path / "ner"
    recipe.write_text(TINY.replace("}\nner: {", AS_MINI), encoding="utf-8")
    command = ["modeling/train.py", "ner", "--profile", str(recipe), "--corpus", corpus, "--out", str(out), "--minutes", str(MINUTES)]
    running = begun(*command)
    running_until(running, lambda: list((tmp_path / ".ner.checkpoints").glob("step-*")))
    running.send_signal(signal.SIGTERM)
    running.wait(120)
    stopped = max(int(place.name.removeprefix("step-")) for place in (tmp_path / ".ner.checkpoints").glob("step-*"))
    refused = run(*command[:-1], "9", code=1)
    assert "is of another recipe or of other data" in refused.stderr
    run(*command)
    record = json.loads((out / "training.json").read_text(encoding="utf-8"))
    assert record["steps"] >= stopped > 0
    assert 60 * MINUTES <= record["seconds"] < 60 * MINUTES + 60  # the machine may be busy with other tests
    steps = [entry["step"] for entry in record["validation"]]
    assert steps[:-1] == list(range(20, record["steps"], 20))
    assert steps[-1] == record["steps"]  # the end is scored as well
    logged = [entry["step"] for entry in record["loss"]]
    assert len(logged) == len(set(logged))
    assert record["loss"][-1]["loss"] < record["loss"][0]["loss"]
    assert json.loads((out / "config.json").read_text(encoding="utf-8"))["conlipa_input"] == MARKED_PHONEMES
    assert all(torch.isfinite(weight).all() for weight in load_file(out / "model.safetensors").values())


def test_minutes_are_one_run_from_nothing_and_without_them_the_chain_is_trained() -> None:
    asked = argparse.Namespace(profile="mini", settings=[], minutes=60.0, stage="ner")
    assert (recipe_of(asked).ner.minutes, recipe_of(asked).ner.start) == (60.0, None)
    asked.minutes = None
    assert recipe_of(asked) == read_recipe("mini")
    assert read_recipe("mini").ner.start == "mini-ninth"


def test_capitals_are_read_by_mini_alone() -> None:
    kinds = {name: read_recipe(name).encoder.input_kind for name in ("mini", "mini-en", "paper")}
    assert kinds == {"mini": MARKED_PHONEMES, "mini-en": PHONEMES, "paper": PHONEMES}


@pytest.mark.parametrize("share", [0.0, 0.25, 0.6])
def test_a_share_of_the_batches_is_running_text(corpus: str, share: float) -> None:
    made = Sentences(Corpus(corpus), ["eng"], Ner(running_share=share, batch_size=8), phoneme_tokenizer(), 128)
    titles = int(made.packed.set_starts[1])
    batches = [np.asarray(rows) % made.numbers >= titles for rows in made.epoch(0, 8, 0)]
    if not share:  # all sentences alike
        return
    assert all(running.all() or not running.any() for running in batches)
    assert sum(bool(running.all()) for running in batches) / len(batches) == pytest.approx(share, abs=0.01)


def test_running_text_without_names_cannot_be_taken_by_its_names_alone(corpus: str) -> None:
    settings = Ner(running_share=0.5, nameless_share=0.0)
    with pytest.raises(ConlipaError, match="no sentence of the running text has a name"):
        Sentences(Corpus(corpus), ["eng"], settings, phoneme_tokenizer(), 128).epoch(0, 8, 0)


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_make_the_batches_that_one_process_would(workers: int) -> None:
    settings = Ner(batch_positions=512, accumulate=2, augmentation=Augmentation(share=1.0, noise=0.2, drop=0.1))
    sentences = Sentences(Corpus("sample"), ["eng"], settings, phoneme_tokenizer(), 128)
    stage = SimpleNamespace(settings=settings, batches=lambda epoch: sentences.epoch(epoch, 8, 0)[:9], collate=sentences.batch)
    alone, many = (Feed(stage, Accelerator(cpu=True), 2) for _ in range(2))
    many.workers = workers
    made = [list(feed.loader(step=4)) for feed in (alone, many)]
    assert len(made[0]) == len(made[1]) == 2 * 9 - 4
    for first, second in zip(*made, strict=True):
        assert len(first) == len(second) == 2
        assert all(torch.equal(part[name], same[name]) for part, same in zip(first, second, strict=True) for name in part)


def test_each_process_has_a_row_of_every_batch() -> None:
    stage = SimpleNamespace(name="ner", settings=Ner(), batches=lambda epoch: [[1, 2, 3], [4], [5, 6]], collate=list)
    two, four = (SimpleNamespace(num_processes=many, process_index=1) for many in (2, 4))
    feed = Feed(stage, two, 1)  # type: ignore[arg-type]
    assert (feed.total, list(feed.batches(0))) == (2, [[1, 2, 3], [5, 6]])
    with pytest.raises(ConlipaError, match="no batch has a row for each of 4 processes"):
        Feed(stage, four, 1)  # type: ignore[arg-type]


def test_a_resumed_run_makes_no_epoch_that_it_is_through_with() -> None:
    made: list[int] = []
    stage = SimpleNamespace(settings=Ner(), batches=lambda epoch: made.append(epoch) or [[epoch, batch] for batch in range(3 + epoch)], collate=list)
    one: Any = SimpleNamespace(num_processes=1, process_index=0)
    sizes: list[int] = []
    whole = list(islice(Feed(stage, one, None, sizes).batches(0), 14))
    made.clear()
    assert list(islice(Feed(stage, one, None, sizes[:3]).batches(9), 5)) == whole[9:]
    assert made == [2, 3]


def test_to_find_its_place_takes_no_time_of_a_run_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def slow(epoch: int) -> list[list[int]]:
        now[0] += 50.0
        return [[0, 1]]

    run = object.__new__(loop.Run)
    accelerator: Any = SimpleNamespace(num_processes=1, process_index=0, device="cpu")
    stage = SimpleNamespace(settings=Ner(minutes=1.0), batches=slow, collate=lambda rows: {"input_ids": torch.zeros(2)})
    run.settings, run.total, run.accelerator, run.progress = stage.settings, None, accelerator, Progress(step=0, seconds=7.0)
    run.feed, run.started = Feed(stage, accelerator, None), -7.0
    next(run.parts())
    assert (run.seconds, run.progress.waited) == (7.0, 0.0)


def test_each_process_has_as_many_parts_of_a_batch() -> None:
    stage = SimpleNamespace(name="ner", settings=Ner(accumulate=4), batches=lambda epoch: [list(range(9))], collate=list)
    feeds = [Feed(stage, SimpleNamespace(num_processes=4, process_index=number), 1) for number in range(4)]  # type: ignore[arg-type]
    assert [feed.collated(list(range(9))) for feed in feeds] == [[[0, 8], [4]], [[1], [5]], [[2], [6]], [[3], [7]]]


def test_a_checkpoint_of_another_run_is_neither_resumed_nor_removed(tmp_path: Path) -> None:
    loaded: Counter[str] = Counter()
    accelerator: object = SimpleNamespace(load_state=lambda place: loaded.update([Path(place).name]))
    place = tmp_path / "step-0000007" / "loop.json"
    place.parent.mkdir()
    made_from = {"recipe": {"ner": {"learning_rate": 1e-3, "log_every": 10}}}
    place.write_text(json.dumps({"progress": {"step": 7}, "run_metadata": made_from}), encoding="utf-8")
    other_pace = {"recipe": {"ner": {"learning_rate": 1e-3, "log_every": 2}}}
    assert Checkpoints(accelerator, tmp_path, other_pace).resume().step == 7  # type: ignore[arg-type]
    with pytest.raises(ConlipaError, match="is of another recipe or of other data"):
        Checkpoints(accelerator, tmp_path, {"recipe": {"ner": {"learning_rate": 2e-3}}}).resume()  # type: ignore[arg-type]
    assert place.is_file()
    assert loaded == {"step-0000007": 1}


def test_models_are_not_selected_by_the_languages_that_they_are_reported_on() -> None:
    with pytest.raises(ConlipaError, match=r"ner\.held_out: kin is of Case 1, for reporting alone"):
        held_out_of(Corpus("sample"), ["eng", "kin"])
