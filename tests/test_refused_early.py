"""What would lose somebody's files, hang, or train on something else than was asked for: refused in one line, before the work begins."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from datasets import Dataset, load_dataset
from safetensors.torch import load_file
from transformers import AutoConfig

from conlipa.atomic_files import atomic_folder, check_place, write_text
from conlipa.errors import ConlipaError
from conlipa.hub_cards.release import release
from conlipa.modeling.data import redirects
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.packed_corpus import PackedCorpus
from conlipa.modeling.data.packing import check_published, packed_corpus
from conlipa.modeling.data.sentences import Sentences
from conlipa.modeling.encoder import load_tagger, pretrained_encoder
from conlipa.modeling.inference.packaged import packaged
from conlipa.modeling.recipe import PHONEMES, Augmentation, Encoder, Ner
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.records import trained_on
from conlipa.modeling.tokenizer import phoneme_tokenizer
from conlipa.modeling.train import _redirects as redirects_of
from conlipa.modeling.train import train_stage
from conlipa.modeling.training.checkpoints import Checkpoints, Progress
from conlipa.modeling.training.ipac import IpacStage
from conlipa.modeling.training.run_metadata import agrees, run_metadata_of
from tests.conftest import run

TOKENIZER = phoneme_tokenizer()


@pytest.mark.parametrize("module", ["conlipa.modeling.train ner", "conlipa.modeling.data.packing"])
def test_a_folder_with_something_else_in_it_is_kept(module: str, tiny_recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "thesis.txt").write_text("years of work")
    for out, said in ((tmp_path / "runs", "holds something else"), (tmp_path / "..", "is in use")):
        done = run("-m", *module.split(), "--profile", str(tiny_recipe), "--out", str(out), code=1)
        assert said in done.stderr
        assert "Traceback" not in done.stderr
        assert (tmp_path / "runs" / "thesis.txt").read_text() == "years of work"


def test_a_packed_corpus_that_lacks_sets_of_the_recipe(tmp_path: Path) -> None:
    for name in ("eng", "eng_2"):
        (tmp_path / "more" / name).mkdir(parents=True)
        (tmp_path / "more" / name / "train.tsv").write_text(f"Oslo\tB-LOC\n{name}\tO\n")
    corpus = Corpus(f"running={tmp_path / 'more'}")
    for exclude in ((), ("running/eng_2", "running/deu")):
        packed_corpus(corpus, ["eng"], exclude, TOKENIZER, 128, PHONEMES, False).save(tmp_path / f"packed-{len(exclude)}")
    whole, part = (PackedCorpus.load(tmp_path / f"packed-{number}") for number in (0, 2))
    assert Sentences(whole, ["eng"], Ner(), TOKENIZER, 128).chosen.size == 2
    assert Sentences(part, ["eng"], Ner(exclude=["*/eng_2"]), TOKENIZER, 128).chosen.size == 1
    with pytest.raises(ConlipaError, match="packed without running/eng_2, which this recipe trains on"):
        Sentences(part, ["eng"], Ner(), TOKENIZER, 128)


@pytest.mark.parametrize(
    ("setting", "said"),
    [("encoder.layers=4", r"encoder\.layers is 4, expected at least the 8"), ("encoder.hidden_size=128", "256 as its hidden_size")],
)
def test_a_chain_whose_runs_do_not_fit(setting: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conlipa.modeling.training.loop.train", lambda *_, **__: pytest.fail("an earlier run was trained"))
    with pytest.raises(ConlipaError, match=said):
        train_stage("ner", read_recipe("mini", [setting]), Corpus("sample"), tmp_path / "ner")


def test_a_release_that_would_train_on_titles_that_its_recipe_excludes(tmp_path: Path) -> None:
    for name in ("eng", "eng_2", "deu_2"):
        (tmp_path / "more" / name).mkdir(parents=True)
        for split in ("train", "dev"):
            (tmp_path / "more" / name / f"{split}.tsv").write_text("Oslo\tB-LOC\n", encoding="utf-8")
    where, out = str(tmp_path / "more"), tmp_path / "release"
    with pytest.raises(ConlipaError, match=r"titles of eng as one set; expected it to name all of titles/eng, titles/eng_2, or none"):
        release(out, read_recipe("mini", ["ner.exclude=[titles/eng_2]"]), where)
    assert not out.exists()
    for exclude in (["titles/eng"], ["titles/deu_2"]):
        with pytest.raises(ConlipaError, match="as one set"):
            check_published(Corpus(where), ["eng", "deu"], exclude)
    for exclude in ([], ["titles/eng*"], ["titles/deu", "titles/deu_2"], ["titles/fin"], ["running/eng_2"]):
        check_published(Corpus(where), ["eng", "deu"], exclude)


def test_batches_too_narrow_for_the_processes() -> None:
    sentences = Sentences(Corpus("sample"), ["eng"], Ner(batch_positions=256, join=0.1), TOKENIZER, 128)
    sentences.check_rows(2)
    with pytest.raises(ConlipaError, match=r"256 positions are 2 of the longest sentences, for 3 processes; 384 are needed"):
        sentences.check_rows(3)


@pytest.mark.parametrize("wear", [Augmentation(share=0.5, swap=0.1), Augmentation(share=0.5, redirect=0.1)])
def test_names_for_names_may_make_a_sentence_as_wide_as_any(wear: Augmentation) -> None:
    sentences = Sentences(Corpus("sample"), ["eng"], Ner(batch_positions=256, augmentation=wear), TOKENIZER, 128)
    sentences.lengths = np.minimum(sentences.lengths, 40)
    with pytest.raises(ConlipaError, match=r"256 positions are 2 of the longest sentences, for 3 processes"):
        sentences.check_rows(3)


def test_replay_that_has_no_row_for_a_process(tiny_recipe: Path, tiny_release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = read_recipe(str(tiny_recipe))
    stage = IpacStage(replace(recipe, ipac=replace(recipe.ipac, replay_batch_size=1)), str(tiny_release / "tiny-ner"), Corpus("sample"), ["eng"])
    assert stage.batches(0)
    monkeypatch.setattr(stage, "processes", 2)
    with pytest.raises(ConlipaError, match="no batch of replayed sentences has a row for each of 2 processes"):
        stage.batches(0)


def _longer(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "ipa_tokens": [*row["ipa_tokens"], "a"]}


def _silent(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "ipa_tokens": ["", *row["ipa_tokens"][1:]]}


def _without(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "ner_tags": None}


@pytest.mark.parametrize(
    ("change", "said"), [(_longer, "row 3: lists of different lengths"), (_silent, "a word without phonemes"), (_without, "row 3: lists")]
)
def test_rows_of_a_release_that_do_not_go_together(change: Any, said: str, tiny_release: Path, tmp_path: Path) -> None:
    whole = load_dataset("parquet", data_files=str(tiny_release / "wikiann-ipa" / "tgk" / "validation.parquet"), cache_dir=str(tmp_path / "c"))[
        "train"
    ]
    rows = whole.to_list()
    file = tmp_path / "corpus" / "tgk" / "validation.parquet"
    file.parent.mkdir(parents=True)
    whole.to_parquet(file)
    assert len(Corpus(str(file.parent.parent)).split("tgk", "validation")) == len(rows)
    Dataset.from_list([change(row) if number == 2 else row for number, row in enumerate(rows)], features=whole.features).to_parquet(file)
    with pytest.raises(ConlipaError, match=said):
        Corpus(str(file.parent.parent)).split("tgk", "validation")


def test_a_tokenizer_that_is_not_the_models(tiny_release: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_release / "tiny-ner", tmp_path / "model")
    config = AutoConfig.from_pretrained(folder)
    load_tagger(str(folder))
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    added = dict(tokenizer["added_tokens"][0], content="<more>", id=config.vocab_size)
    (folder / "tokenizer.json").write_text(json.dumps({**tokenizer, "added_tokens": [*tokenizer["added_tokens"], added]}), encoding="utf-8")
    with pytest.raises(ConlipaError, match=rf"the tokenizer has {config.vocab_size + 1} ids, and the model {config.vocab_size}"):
        load_tagger(str(folder))


def test_an_encoder_of_fewer_positions_than_the_recipe_asks_for(tmp_path: Path) -> None:
    folder = shutil.copytree(packaged("mini-en")[0], tmp_path / "model")
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 30}), encoding="utf-8")
    pretrained_encoder(Encoder(repo=str(folder)))
    with pytest.raises(ConlipaError, match=r"encoder\.max_length gives 194 positions, and the model has 130"):
        pretrained_encoder(Encoder(repo=str(folder), case_marks=True, max_positions=194))


def test_stage_two_is_as_long_as_its_model(tiny_recipe: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(packaged("mini-en")[0], tmp_path / "model")
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 12}), encoding="utf-8")
    stage = IpacStage(read_recipe(str(tiny_recipe)), str(folder), Corpus("sample"), ["eng"])
    assert stage.replay
    assert stage.replay.width == 12
    rows = [
        TOKENIZER(str(row[side]), truncation=True, max_length=12)["input_ids"]
        for row in stage.loanwords.rows
        for side in ("english_ipa", "target_ipa")
    ]
    assert [ids for pair in stage.pairs for ids in pair] == rows


@pytest.mark.parametrize("languages", [None, "eng", [1]])
def test_a_record_that_names_no_languages(languages: object, tmp_path: Path) -> None:
    (tmp_path / "training.json").write_text(json.dumps({"languages": languages}))
    with pytest.raises(ConlipaError, match=r"training.json: damaged"):
        trained_on(str(tmp_path))


@pytest.mark.skipif(find_spec("wandb") is not None, reason="wandb is installed here")
def test_a_tracker_that_is_not_installed(tiny_recipe: Path, tmp_path: Path) -> None:
    done = run("-m", "conlipa.modeling.train", "ner", "--profile", str(tiny_recipe), "--out", str(tmp_path / "ner"), "--tracker", "wandb", code=1)
    assert "wandb is not installed (pip install wandb)" in done.stderr


def test_a_checkpoint_of_another_way_to_share_the_model(tmp_path: Path) -> None:
    def accelerator(kind: str) -> Any:
        return SimpleNamespace(
            distributed_type=SimpleNamespace(value=kind), is_main_process=True, wait_for_everyone=lambda: None,
            save_state=lambda folder, **_: Path(folder).mkdir(parents=True), load_state=lambda folder: None,
        )  # fmt: skip

    about = {"stage": "ner", "recipe": {"name": "x"}}
    Checkpoints(accelerator("MULTI_GPU"), tmp_path, about).save(Progress(step=7))
    assert Checkpoints(accelerator("MULTI_GPU"), tmp_path, about).resume().step == 7
    with pytest.raises(ConlipaError, match="is of a MULTI_GPU run, and this is a NO one"):
        Checkpoints(accelerator("NO"), tmp_path, about).resume()


def test_stage_two_is_another_one_where_its_replay_is(tiny_recipe: Path) -> None:
    recipe = read_recipe(str(tiny_recipe))
    first = run_metadata_of(recipe, "ipac", "data")
    other = run_metadata_of(replace(recipe, ner=replace(recipe.ner, mark_share=0.5)), "ipac", "data")
    assert agrees(first, first)
    assert not agrees(first, other)
    older = {**first, "recipe": {key: value for key, value in first["recipe"].items() if key != "ner"}}
    assert agrees(older, first)
    for damaged in (None, 5, "ner", [1], {"name": {}, "ner": 5}):
        assert not agrees({"stage": "ipac", "recipe": damaged, "start": damaged}, first)
    assert run_metadata_of(replace(recipe, ner=replace(recipe.ner, learning_rate=1.0)), "ipac", "data") == first  # no matter of replay


def test_a_damaged_checkpoint_is_one_line_that_says_what_to_remove(tmp_path: Path) -> None:
    accelerator: Any = SimpleNamespace(load_state=lambda folder: load_file(Path(folder) / "model.safetensors"))
    place = tmp_path / "step-0000007"
    place.mkdir()
    (place / "model.safetensors").write_bytes(b"\x10\0\0")
    about = {"stage": "ner", "recipe": {"name": "x"}}
    sound = {"progress": {"step": 7}, "run_metadata": about}
    for text in ("", "[]", "{}", json.dumps({**sound, "run_metadata": 5}), json.dumps({**sound, "progress": {"steps": 7}}), json.dumps(sound)):
        (place / "loop.json").write_text(text, encoding="utf-8")
        with pytest.raises(ConlipaError, match=r"step-0000007: cannot be resumed \(.+\); if it is damaged, remove it"):
            Checkpoints(accelerator, tmp_path, about).resume()


def test_a_run_that_hears_redirects_is_another_one_with_other_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hearing, deaf = (read_recipe("mini", [f"ner.augmentation.redirect={share}"]) for share in (0.5, 0))
    packed = packed_corpus(Corpus("sample"), ["eng"], hearing.ner.exclude, TOKENIZER, 128, PHONEMES, False)
    packed.save(tmp_path / "packed")
    first = redirects_of("ner", hearing, Corpus("sample"))
    assert first == redirects_of("ner", hearing, PackedCorpus.load(tmp_path / "packed"))
    assert redirects_of("ner", deaf, Corpus("sample")) == {}
    monkeypatch.setattr(redirects, "FILE", tmp_path / "other.csv")
    (tmp_path / "other.csv").write_text("iso,word,ipa\ndeu,weiterleitung,v a\n", encoding="utf-8")
    older = run_metadata_of(hearing, "ner", "data")
    before, after = {**older, **first}, {**older, **redirects_of("ner", hearing, Corpus("sample"))}
    assert agrees(before, before)
    assert not agrees(before, after)
    assert agrees(older, after)  # an older kit did not say


def test_a_folder_behind_a_link_is_written_and_a_mount_point_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to(tmp_path / "far")
    check_place(tmp_path / "near", "model")
    with atomic_folder(tmp_path / "near") as beside:
        (beside / "model").write_text("work")
    assert (tmp_path / "near").is_symlink()
    assert (tmp_path / "far" / "model").read_text() == "work"
    monkeypatch.setattr("os.path.ismount", lambda place: place == tmp_path / "far")
    with pytest.raises(ConlipaError, match="near: is a mount point, and cannot be written as a whole; name a folder inside it"):
        check_place(tmp_path / "near", "model")


def test_what_cannot_take_its_name_is_kept(tmp_path: Path) -> None:
    def write() -> None:
        with atomic_folder(tmp_path / "out") as beside:
            (beside / "model").write_text("work")
            (tmp_path / "out").write_text("a file that came meanwhile")

    with pytest.raises(ConlipaError, match=r"out: could not be written .*; all that belongs there is in .*out\.partial"):
        write()
    assert (tmp_path / "out.partial" / "model").read_text() == "work"


def test_a_file_goes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "far.json")
    for number in range(2):
        write_text(f"{number}", tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "far.json").read_text() == "1"


@pytest.mark.skipif(sys.platform == "win32", reason="has no /dev/fd")
def test_a_device_is_written_to_and_stays_what_it_is() -> None:
    read, written = os.pipe()
    write_text("through", Path(f"/dev/fd/{written}"))
    assert os.read(read, 100) == b"through"
    os.close(read)
    os.close(written)
