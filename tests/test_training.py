"""The stages by their own commands: launched, stopped, resumed, and on two processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate.utils import DistributedType
from safetensors.torch import load_file
from torch.nn.functional import pad
from torch.profiler import ProfilerActivity, profile

from conlipa.atomic_files import write_json
from conlipa.errors import ConlipaError
from conlipa.modeling.data.batches import LABEL_PAD
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.packing import packed_corpus
from conlipa.modeling.encoder import new_encoder, save_tagger
from conlipa.modeling.recipe import PHONEMES, Augmentation, Encoder, Ipac, LabelBias, Ner, Recipe
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.tokenizer import phoneme_tokenizer
from conlipa.modeling.train import _made_from, train_stage
from conlipa.modeling.training.ipac import IpacStage
from conlipa.modeling.training.loop import train
from conlipa.modeling.training.ner import DenoisingModule, NerModule
from conlipa.modeling.training.optim import optimizers_of
from conlipa.modeling.training.run_metadata import agrees
from tests.conftest import ROOT, TINY, begun, run, running_until

ACCELERATE = str(Path(sys.executable).with_name("accelerate"))


def launch(*arguments: str) -> list[str]:
    return [ACCELERATE, "launch", "--cpu", "--num_processes", "1", "modeling/train.py", *arguments]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY, encoding="utf-8")
    return path


@pytest.mark.slow
def test_both_stages_by_accelerate_launch(recipe: Path, tiny_release: Path, tmp_path: Path) -> None:
    ner, ipac = tmp_path / "ner", tmp_path / "ipac"
    subprocess.run(launch("ner", "--profile", str(recipe), "--out", str(ner)), cwd=ROOT, check=True, capture_output=True)
    released = load_file(tiny_release / "tiny-ner" / "model.safetensors")
    trained = load_file(ner / "model.safetensors")
    assert released.keys() == trained.keys()
    assert all((released[name] == trained[name]).all() for name in released)
    subprocess.run(launch("ipac", "--profile", str(recipe), "--ner", str(ner), "--out", str(ipac)), cwd=ROOT, check=True, capture_output=True)
    record = json.loads((ipac / "training.json").read_text(encoding="utf-8"))
    assert record["stage"] == "ipac"
    assert record["loss"][-1]["loss"] < record["loss"][0]["loss"]
    again = run("modeling/train.py", "ner", "--profile", str(recipe), "--out", str(ner))
    assert "is up to date" in again.stderr


@pytest.mark.slow
def test_sigterm_saves_and_the_same_command_ends_with_the_same_weights(recipe: Path, tiny_release: Path, tmp_path: Path) -> None:
    out = tmp_path / "ner"
    command = ["modeling/train.py", "ner", "--profile", str(recipe), "--out", str(out)]
    running = begun(*command, stderr=tmp_path / "said")
    running_until(running, lambda: list((tmp_path / ".ner.checkpoints").glob("step-*")))
    running.send_signal(signal.SIGTERM)
    running.wait(120)
    said = (tmp_path / "said").read_text(encoding="utf-8")
    assert running.returncode == 143, said
    assert "the same command resumes it" in said
    run(*command, fresh=True)
    released, resumed = (load_file(folder / "model.safetensors") for folder in (tiny_release / "tiny-ner", out))
    assert all((released[name] == resumed[name]).all() for name in released)


@pytest.mark.slow
def test_a_recipe_goes_on_from_another_and_adds_its_label_bias(recipe: Path, tiny_release: Path, tmp_path: Path) -> None:
    further = tmp_path / "further.yaml"
    text = TINY.replace("name: tiny", "name: further").replace("epochs: 3", f"epochs: 1, start: {recipe}")
    further.write_text(text, encoding="utf-8")
    plain, biased = tmp_path / "plain", tmp_path / "biased"
    run("modeling/train.py", "ner", "--profile", str(further), "--out", str(plain))
    assert not (tmp_path / ".plain.start").exists()
    record = json.loads((plain / "training.json").read_text(encoding="utf-8"))
    first = json.loads((tiny_release / "tiny-ner" / "training.json").read_text(encoding="utf-8"))
    assert record["start"]["ner"]["epochs"] == 3
    assert record["start_run"]["steps"] == first["steps"]
    onward, begun = ([entry["loss"] for entry in each["loss"]] for each in (record, first))
    assert all(after < before for after, before in zip(onward, begun, strict=False)), (onward, begun)  # on the same batches
    further.write_text(text.replace("epochs: 1, start", "epochs: 1, label_bias: {outside: -1.0, begin: 0.5}, start"), encoding="utf-8")
    shutil.copytree(tiny_release / "tiny-ner", tmp_path / ".biased.start")  # as if interrupted after it
    run("modeling/train.py", "ner", "--profile", str(further), "--out", str(biased))
    without, having = (load_file(folder / "model.safetensors") for folder in (plain, biased))
    for name in without:
        bias = torch.tensor([-1.0, 0.5, 0.0, 0.5, 0.0, 0.5, 0.0]) if name == "classifier.bias" else 0.0
        assert (without[name] + bias == having[name]).all(), name


@pytest.mark.slow
def test_pretraining_is_a_run_that_guesses_phonemes_and_ner_goes_on_from_it(recipe: Path, tmp_path: Path) -> None:
    guessing = "denoise_weight: 1.0, augmentation: {share: 1.0, mask: 0.15, noise: 0.02}"
    recipe.write_text(TINY.replace("epochs: 3", f"epochs: 3, tag_weight: 0.0, {guessing}"), encoding="utf-8")
    run("modeling/train.py", "ner", "--profile", str(recipe), "--out", str(tmp_path / "pretrained"))
    pretrained = load_file(tmp_path / "pretrained" / "model.safetensors")
    assert not [name for name in pretrained if not name.startswith(("roberta.", "classifier."))]  # the guessing head is not kept
    losses = [entry["loss"] for entry in json.loads((tmp_path / "pretrained" / "training.json").read_text(encoding="utf-8"))["loss"]]
    assert losses[0] > 4  # of 200 phonemes, nearly none is out of the question
    assert losses[-1] < losses[0] - 0.5
    further = tmp_path / "further.yaml"
    further.write_text(TINY.replace("name: tiny", "name: further").replace("epochs: 3", f"epochs: 1, start: {recipe}"), encoding="utf-8")
    shutil.copytree(tmp_path / "pretrained", tmp_path / ".tagger.start")  # as if interrupted after it
    run("modeling/train.py", "ner", "--profile", str(further), "--out", str(tmp_path / "tagger"))
    assert json.loads((tmp_path / "tagger" / "training.json").read_text(encoding="utf-8"))["start"]["ner"]["tag_weight"] == 0


def test_guessing_changed_phonemes_is_a_second_term_of_the_loss() -> None:
    torch.manual_seed(0)
    model = new_encoder(Encoder(hidden_size=32, layers=1, heads=2, intermediate_size=64)).eval()
    ids = torch.randint(5, 50, (3, 12))
    batch = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "labels": torch.randint(0, 7, (3, 12)),
        "originals": torch.full_like(ids, -100),
    }
    ((plain, positions),) = NerModule(model)(batch)
    module = DenoisingModule(model, Ner(tag_weight=0.5, denoise_weight=2.0, augmentation=Augmentation(share=1.0, noise=0.1)))
    (tagging, labels), (none, no_changes) = module(batch)
    assert (labels, no_changes) == (positions, 1)
    assert tagging.item() == pytest.approx(0.5 * plain.item(), rel=1e-5)
    assert none.item() == 0
    batch["originals"][1, 3:5] = 7
    _, (denoising, changes) = module(batch)
    hidden = model(ids, output_hidden_states=True).hidden_states[-1]
    chances = module.head(hidden[1, 3:5]).softmax(-1)[:, 7]
    assert changes == 2
    assert denoising.item() == pytest.approx(-2 * chances.log().sum().item(), rel=1e-4)


def test_a_step_reads_no_number_and_padding_changes_no_loss() -> None:
    torch.manual_seed(0)
    module = NerModule(new_encoder(Encoder(hidden_size=32, layers=1, heads=2, intermediate_size=64, dropout=0.0)))
    ids, labels = torch.randint(5, 50, (3, 12)), torch.randint(0, 7, (3, 12))
    short = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}
    padded = {name: pad(tensor, (0, 4), value=LABEL_PAD if name == "labels" else 0) for name, tensor in short.items()}
    with profile(activities=[ProfilerActivity.CPU]) as found:
        ((loss, positions),) = module(short)
        (loss / positions).backward()
        ((same, _),) = module(padded)
    assert same.item() == pytest.approx(loss.item(), rel=1e-5)
    assert positions == 36
    assert "aten::_local_scalar_dense" not in {event.name for event in found.events()}  # on a GPU it would wait there


def test_replay_does_not_take_the_label_bias_back() -> None:
    torch.manual_seed(0)
    model = new_encoder(Encoder(hidden_size=32, layers=1, heads=2, intermediate_size=64)).eval()
    ids = torch.randint(5, 50, (3, 12))
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": torch.randint(0, 7, (3, 12))}
    ((before, _),) = NerModule(model)(batch)
    bias = LabelBias(outside=-1.0, begin=1.0)
    model.classifier.bias.data += torch.tensor(bias.of_labels())
    ((after, _),) = NerModule(model, bias=bias)(batch)
    assert after.item() == pytest.approx(before.item(), rel=1e-5)


def test_replayed_batches_are_as_large_as_a_part_of_those_of_stage_one(tmp_path: Path) -> None:
    encoder = Encoder(hidden_size=32, layers=1, heads=2, intermediate_size=64)
    ipac = Ipac(languages=("swa",), batch_size=64, replay_weight=1.0)
    save_tagger(new_encoder(encoder), phoneme_tokenizer(), tmp_path / "ner")
    stage = IpacStage(Recipe("tiny", encoder, Ner(batch_positions=2048, accumulate=4), ipac), str(tmp_path / "ner"), Corpus("sample"), ["eng"])
    sizes = [stage.collate(rows)["replay_attention_mask"].numel() for rows in stage.batches(0)[:5]]
    assert 256 < max(sizes) <= 512


@pytest.mark.slow
def test_a_loss_that_is_no_number_stops_with_a_word(recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(TINY.replace("learning_rate: 2e-3", "learning_rate: 1e30"), encoding="utf-8")
    done = run("modeling/train.py", "ner", "--profile", str(recipe), "--out", str(tmp_path / "ner"), code=1)
    assert "conlipa: error: ner: the loss is nan at step" in done.stderr
    assert not (tmp_path / "ner").exists()


@pytest.mark.slow
def test_a_tracker_shows_the_losses(recipe: Path, tiny_release: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    out = tmp_path / "ipac"
    run("modeling/train.py", "ipac", "--profile", str(recipe), "--ner", str(tiny_release / "tiny-ner"), "--out", str(out), "--tracker", "tensorboard")
    (events,) = (tmp_path / "logs").rglob("events.out.tfevents.*")
    shown = EventAccumulator(str(events)).Reload()
    recorded = json.loads((out / "training.json").read_text(encoding="utf-8"))["loss"]
    assert [scalar.value for scalar in shown.Scalars("loss")] == pytest.approx([row["loss"] for row in recorded])
    assert {"learning_rate", "tokens_per_second"} <= set(shown.Tags()["scalars"])


def test_another_recipe_is_refused_where_a_model_stands(tiny_release: Path, recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "ner"
    shutil.copytree(tiny_release / "tiny-ner", out)
    recipe.write_text(TINY.replace("epochs: 3", "epochs: 4"), encoding="utf-8")
    done = run("modeling/train.py", "ner", "--profile", str(recipe), "--out", str(out), code=1)
    assert "holds a ner of another recipe or other data" in done.stderr


def test_the_record_says_what_the_weights_were_made_from(tiny_release: Path) -> None:
    record = json.loads((tiny_release / "tiny-ner" / "training.json").read_text(encoding="utf-8"))
    assert record["recipe"]["ner"]["languages"] == ["eng"]
    assert record["recipe"]["ner"]["seed"] == 0
    assert record["steps"] == 3 * 75
    assert record["environment"]["torch"].startswith("2.")
    assert len(record["data"]) == 16


def put(folder: Path, *sets: str, words: Sequence[str] = ("Oslo", "Rome")) -> str:
    """Sets of one-word sentences."""
    for name in sets:
        (folder / name).mkdir(parents=True)
        (folder / name / "train.tsv").write_text("".join(f"{word}\tB-LOC\n\n" for word in words), encoding="utf-8")
    return str(folder)


def test_a_finished_run_is_another_one_where_its_sets_are(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny, out = read_recipe(str(recipe)), tmp_path / "ner"
    first, second = put(tmp_path / "a", "eng"), put(tmp_path / "b", "eng")
    parted = put(tmp_path / "c", "eng", words=("Oslo", "Rome", "Oslo")), put(tmp_path / "d", "eng", words=("Rome",))
    made_from = _made_from("ner", tiny, Corpus(f"{first}{os.pathsep}{second}"), None, None)
    write_json(made_from, out / "training.json")
    train_stage("ner", tiny, Corpus(f"titles={first}{os.pathsep}titles={second}"), out)
    assert "is up to date" in capsys.readouterr().err
    for other in (f"titles={first}{os.pathsep}running={second}", os.pathsep.join(parted)):
        assert _made_from("ner", tiny, Corpus(other), None, None)["data"] == made_from["data"]
        with pytest.raises(ConlipaError, match="holds a ner of another recipe or other data"):
            train_stage("ner", tiny, Corpus(other), out)
    write_json({name: value for name, value in made_from.items() if name != "sets"}, out / "training.json")
    train_stage("ner", tiny, Corpus(f"titles={first}{os.pathsep}running={second}"), out)  # an older kit did not say
    assert "is up to date" in capsys.readouterr().err


def test_a_run_is_another_one_with_other_weights_in_the_folder_that_it_starts_from(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    tiny = read_recipe(str(recipe), [f"encoder.repo={tmp_path / 'encoder'}"])
    found = []
    for weights in (b"first", b"second"):
        (tmp_path / "encoder" / "model.safetensors").write_bytes(weights)
        found.append(_made_from("ner", tiny, Corpus("sample"), None, None))
    assert agrees(found[0], found[0])
    assert not agrees(found[0], found[1])
    assert agrees({name: value for name, value in found[0].items() if name != "weights"}, found[1])


def test_the_record_names_the_languages_that_were_read(recipe: Path, tmp_path: Path) -> None:
    corpus = Corpus(put(tmp_path / "more", "eng", "deu", "deu_2", "fin", "fin_2"))
    tiny = read_recipe(str(recipe), ["ner.languages=[deu, eng, fin]", "ner.exclude=[titles/fin*, titles/deu]"])
    assert _made_from("ner", tiny, corpus, None, None)["languages"] == ["deu", "eng"]
    packed = packed_corpus(corpus, ["deu", "eng"], ["titles/eng_*"], phoneme_tokenizer(), 128, PHONEMES, False)
    assert _made_from("ner", replace(tiny, ner=replace(tiny.ner, exclude=("*/eng",))), packed, None, None)["languages"] == ["deu"]
    alone, replayed = (replace(tiny, ipac=replace(tiny.ipac, replay_weight=weight)) for weight in (0.0, 1.0))
    nothing = Corpus(put(tmp_path / "none", "kaz"))
    about = _made_from("ipac", alone, nothing, str(tmp_path), None)
    assert about["languages"] == []
    assert agrees({**about, "languages": ["eng"]}, about)  # as an older kit recorded it
    with pytest.raises(ConlipaError, match="has no train split of any source language"):
        _made_from("ipac", replayed, nothing, str(tmp_path), None)


def test_muon_takes_the_matrices_of_the_layers_and_adamw_all_else() -> None:
    torch.manual_seed(0)
    model = new_encoder(Encoder(hidden_size=32, layers=2, heads=2, intermediate_size=64))
    adamw, muon = optimizers_of(NerModule(model), Ner(optimizer="muon", learning_rate=1e-2, weight_decay=0.0))
    taken = [[p for group in optimizer.param_groups for p in group["params"]] for optimizer in (adamw, muon)]
    assert sorted(map(id, taken[0] + taken[1])) == sorted(map(id, model.parameters()))
    assert {id(p) for p in taken[1]} == {id(p) for name, p in model.named_parameters() if ".layer." in name and p.ndim == 2}
    query = model.roberta.encoder.layer[0].attention.self.query.weight
    before = query.detach().clone()
    query.grad = torch.randn(32, 32) * torch.logspace(-0.5, 0.5, 32)  # some directions ten times as steep as others
    muon.step()
    turned = torch.linalg.svdvals(query.detach() - before)
    assert turned.max() < 2 * turned.median()  # most of them are gone equally far
    assert turned.square().mean().sqrt() == pytest.approx(1e-2 * 0.2 * 32**0.5, rel=0.3)  # as far as AdamW would


def test_muon_is_refused_where_each_process_has_a_part_of_a_matrix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("accelerate.Accelerator.distributed_type", DistributedType.FSDP)
    module = NerModule(new_encoder(Encoder(hidden_size=32, layers=1, heads=2, intermediate_size=64)))
    stage = SimpleNamespace(name="ner", settings=Ner(optimizer="muon", epochs=1), module=module, batches=lambda epoch: [[0]])
    with pytest.raises(ConlipaError, match="optimizer: adamw"):
        train(stage, tmp_path / "out", tmp_path / "work", {})  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()
