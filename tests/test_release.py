"""The end-to-end pipeline as a user runs it, and what stock Hugging Face classes make of its tree."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from datasets import load_dataset

from conlipa.atomic_files import write_json
from conlipa.dataset_scripts.loanwords.builder import GROUPS
from conlipa.errors import ConlipaError
from conlipa.hub_cards.release import MANIFEST, _claim, _take_stage_one
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.fingerprint import of_sentences
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.training.run_metadata import run_metadata_of
from tests.conftest import TINY, begun, complaint, conlipa, run, running_until

LOGITS = """
import json, sys, torch
from transformers import AutoModelForTokenClassification, AutoTokenizer
from peft import PeftModel
assert not any(m.split(".")[0] in ("modeling", "dataset_scripts", "conlipa") for m in sys.modules)
ner, ipac, text = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(ner)
model = PeftModel.from_pretrained(AutoModelForTokenClassification.from_pretrained(ner), ipac).eval()
ids = tokenizer(text, return_tensors="pt")
with torch.inference_mode():
    print(json.dumps({"ids": ids["input_ids"].tolist(), "logits": model(**ids).logits.tolist()}))
"""


def yaml_of(card: Path) -> dict[str, object]:
    data: dict[str, object] = yaml.safe_load(card.read_text(encoding="utf-8").split("---\n")[1])
    return data


def test_the_tree_has_one_folder_a_repo_with_a_card_each(tiny_release: Path) -> None:
    folders = sorted(path.name for path in tiny_release.iterdir() if path.is_dir())
    assert folders == ["conlipa", "phoneme_ner_f1", "space", "tiny-ipac", "tiny-ner", "wikiann-ipa"]
    for folder in folders:
        assert yaml_of(tiny_release / folder / "README.md")["license"]
    assert not list(tiny_release.rglob("*.partial"))
    assert not [path for path in tiny_release.rglob("*") if path.suffix in (".bin", ".pkl", ".pt", ".pth")]


def test_the_cards_figures_are_the_runs_own(tiny_release: Path) -> None:
    scores = json.loads((tiny_release / "evaluation.json").read_text(encoding="utf-8"))
    for folder, when in (("tiny-ner", "before"), ("tiny-ipac", "after")):
        card = tiny_release / folder / "README.md"
        model_index = yaml_of(card)["model-index"]
        results = model_index[0]["results"]  # type: ignore[index]
        values = [metric["value"] for result in results for metric in result["metrics"]]
        expected = [round(row[score], 2) for row in scores[when]["languages"].values() for score in ("paper_f1", "entity_f1")]
        assert values == expected
        assert f"| {scores[when]['average']['paper_f1']:.2f} |" in card.read_text(encoding="utf-8")


def test_hub_classes_parse_the_cards(tiny_release: Path) -> None:
    from huggingface_hub import DatasetCard, ModelCard, RepoCard

    assert ModelCard.load(tiny_release / "tiny-ner" / "README.md").data.eval_results
    assert ModelCard.load(tiny_release / "tiny-ipac" / "README.md").data.base_model == "NAMESPACE/tiny-ner"
    assert DatasetCard.load(tiny_release / "conlipa" / "README.md").data.license == "cc-by-4.0"
    space = RepoCard.load(tiny_release / "space" / "README.md").data.to_dict()
    assert (space["sdk"], space["python_version"]) == ("gradio", "3.11")


def test_stock_classes_in_a_fresh_process_give_the_logits_of_the_evaluation(tiny_release: Path) -> None:
    from conlipa.modeling.alignment import encode
    from conlipa.modeling.encoder import load_adapted
    from conlipa.modeling.inference.prediction import logits

    words = [["l", "ʌ", "n", "d", "ə", "n"], ["ɪ", "z"], ["tʃʰʲ", "“"]]
    model, tokenizer = load_adapted(str(tiny_release / "tiny-ner"), str(tiny_release / "tiny-ipac"))
    example = encode(tokenizer, words, None, 128)
    (ours,) = logits(model, [example], tokenizer.pad_token_id)
    text = "l ʌ n d ə n ▁ ɪ z ▁ tʃʰʲ “"
    theirs = json.loads(run("-c", LOGITS, str(tiny_release / "tiny-ner"), str(tiny_release / "tiny-ipac"), text).stdout)
    assert theirs["ids"] == [example["input_ids"]]
    difference = max(abs(a - b) for row, other in zip(ours.tolist(), theirs["logits"][0], strict=True) for a, b in zip(row, other, strict=True))
    assert difference < 1e-5


def test_the_adapter_changes_the_model(tiny_release: Path) -> None:
    scores = json.loads((tiny_release / "evaluation.json").read_text(encoding="utf-8"))
    assert scores["before"]["languages"] != scores["after"]["languages"]


@pytest.mark.parametrize("config", ["all", "extra", *GROUPS["all"], *GROUPS["extra"]])
def test_conlipa_loads_from_its_folder(tiny_release: Path, config: str) -> None:
    pairs = load_dataset(str(tiny_release / "conlipa"), config, split="train")
    streamed = load_dataset(str(tiny_release / "conlipa"), config, split="train", streaming=True)
    assert next(iter(streamed)) == pairs[0]
    assert set(pairs["language"]) == set(GROUPS.get(config, [config]))


def test_wikiann_ipa_loads_from_its_folder(tiny_release: Path) -> None:
    configs = [path.name for path in (tiny_release / "wikiann-ipa").iterdir() if path.is_dir()]
    assert len(configs) >= 11
    for config in configs:
        rows = load_dataset(str(tiny_release / "wikiann-ipa"), config, split="validation")
        streamed = load_dataset(str(tiny_release / "wikiann-ipa"), config, split="validation", streaming=True)
        assert next(iter(streamed)) == rows[0]
        assert rows.features["ner_tags"].feature.num_classes == 7


def test_a_second_release_does_nothing_again(tiny_release: Path) -> None:
    recipe = tiny_release.parent / "tiny.yaml"
    before = {
        path: path.stat().st_mtime_ns
        for path in tiny_release.rglob("*")
        if path.is_file() and path.name != "README.md" and path.parent.name not in ("space", "phoneme_ner_f1")
    }
    cards = {path: path.read_bytes() for path in tiny_release.rglob("README.md")}
    done = conlipa("release", "--out", str(tiny_release), "--profile", str(recipe))
    assert done.stderr.count("is up to date") == 5
    assert "| **AVG** (zero-shot) |" in done.stdout
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert cards == {path: path.read_bytes() for path in cards}


def test_a_release_of_a_kit_with_fewer_options_goes_on(tmp_path: Path) -> None:
    _claim(tmp_path, read_recipe("mini"), "sample", "digest")
    manifest = tmp_path / MANIFEST
    there = json.loads(manifest.read_text(encoding="utf-8"))
    del there["recipe"]["ner"]["denoise_weight"]
    manifest.write_text(json.dumps(there), encoding="utf-8")
    _claim(tmp_path, read_recipe("mini"), "sample", "digest")
    with pytest.raises(ConlipaError, match="its recipe differs"):
        _claim(tmp_path, read_recipe("mini-en"), "sample", "digest")
    manifest.write_text(json.dumps({**json.loads(manifest.read_text(encoding="utf-8")), "of a later kit": 1}), encoding="utf-8")
    with pytest.raises(ConlipaError, match="its of a later kit differs"):
        _claim(tmp_path, read_recipe("mini"), "sample", "digest")


def test_a_stage_one_from_elsewhere_is_of_the_same_sentences(tiny_recipe: Path, tmp_path: Path) -> None:
    recipe, stage, place = read_recipe(str(tiny_recipe)), tmp_path / "stage", tmp_path / "release" / "tiny-ner"
    for name in ("theirs", "ours"):
        (tmp_path / name / "eng").mkdir(parents=True)
        (tmp_path / name / "eng" / "train.tsv").write_text(f"Oslo\tB-LOC\nis\tO\n{name}\tO\n", encoding="utf-8")
    theirs, ours = Corpus(str(tmp_path / "theirs")), Corpus(str(tmp_path / "ours"))
    write_json(run_metadata_of(recipe, "ner", of_sentences(theirs, ["eng"], "train"), languages=["eng"]), stage / "training.json")
    with pytest.raises(ConlipaError, match="was trained on other sentences than those of this release"):
        _take_stage_one(stage, recipe, place, [ours])
    assert not place.exists()
    for _ in range(2):
        _take_stage_one(stage, recipe, place, [ours, theirs])
    assert (place / "training.json").read_bytes() == (stage / "training.json").read_bytes()
    write_json({**json.loads((stage / "training.json").read_text(encoding="utf-8")), "seconds": 1}, stage / "training.json")
    with pytest.raises(ConlipaError, match="is another stage 1 than this release has"):
        _take_stage_one(stage, recipe, place, [theirs])


def test_a_folder_of_another_release_is_refused(tiny_release: Path, tmp_path: Path) -> None:
    assert "belongs to another release (its recipe differs)" in complaint("release", "--out", str(tiny_release), code=1)
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    assert "is not empty, and no release of this kit" in complaint("release", "--out", str(tmp_path), code=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_publish_prints_its_plan(tiny_release: Path) -> None:
    done = conlipa("publish", str(tiny_release), "--namespace", "someone", "--dry-run")
    assert "files that would be removed are not known: someone/conlipa is a Hub repo, and HF_HUB_OFFLINE is set" in done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()] == [
        f"someone/{name}" for name in ("conlipa", "wikiann-ipa", "tiny-ner", "tiny-ipac", "phoneme_ner_f1", "zero-shot-ner")
    ]


@pytest.mark.slow
def test_killed_in_both_stages_the_same_command_ends_with_the_same_tree(tiny_release: Path, tmp_path: Path) -> None:
    recipe, out = tmp_path / "tiny.yaml", tmp_path / "release"
    recipe.write_text(TINY, encoding="utf-8")
    command = ["-m", "conlipa", "release", "--out", str(out), "--profile", str(recipe)]
    for stage in ("ner", "ipac"):
        running = begun(*command)
        running_until(running, lambda: list((out / f".tiny-{stage}.checkpoints").glob("step-*")))  # noqa: B023 - asked at once
        running.kill()
        running.wait()
        assert not (out / f"tiny-{stage}").exists()
    done = run(*command)
    assert "is up to date" in done.stderr
    assert _content(out) == _content(tiny_release)


def _content(tree: Path) -> dict[str, bytes]:
    """Every file of a release, without how long it took."""
    found = {}
    for path in sorted(tree.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            if path.name == "training.json":
                record = json.loads(content)
                content = json.dumps({key: value for key, value in record.items() if key not in ("seconds", "tokens_per_second", "waited")}).encode()
            if path.name == "README.md":
                content = b"\n".join(line for line in content.splitlines() if b" s, " not in line and b" s. The recipe" not in line)
            found[str(path.relative_to(tree))] = content
    return found


def test_a_cut_evaluation_is_finished_from_what_it_has(tiny_release: Path, tmp_path: Path) -> None:
    from conlipa.modeling.evaluation.evaluation import evaluate

    memory = tmp_path / "memory"
    memory.write_text(json.dumps({"sin": {"paper_f1": 1.0, "entity_f1": 2.0, "n": 3}}), encoding="utf-8")
    result = evaluate(str(tiny_release / "tiny-ner"), None, Corpus("sample"), ["sin", "tgk"], "validation", memory)
    assert result["languages"]["sin"]["n"] == 3
    assert result["languages"]["tgk"]["n"] == 80


@pytest.mark.skipif(sys.platform == "win32", reason="a limit of the size of a file is a matter of POSIX")
def test_a_full_disk_is_one_line_and_leaves_nothing_that_looks_finished(tiny_release: Path, tmp_path: Path) -> None:
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000));"
        "from conlipa.cli import main; main(sys.argv[1:])"
    )
    out = tmp_path / "release"
    shutil.copytree(tiny_release / "conlipa", out / "conlipa")
    (out / "release.json").write_bytes((tiny_release / "release.json").read_bytes())
    recipe = tiny_release.parent / "tiny.yaml"
    shutil.copytree(tiny_release / "wikiann-ipa", out / "wikiann-ipa")
    done = run("-c", limited, "release", "--out", str(out), "--profile", str(recipe), code=1)
    (line,) = [line for line in done.stderr.splitlines() if "conlipa: error:" in line]
    assert "could not be written" in line
    assert "Traceback" not in done.stderr
    assert not (out / "tiny-ner").exists()
    assert not list(out.glob(".tiny-ner.checkpoints/step-*"))
