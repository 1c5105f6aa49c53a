from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from conlipa.errors import ConlipaError, UsageError
from conlipa.modeling.recipe import Recipe
from conlipa.modeling.recipe_file import profiles, read_recipe
from conlipa.modeling.tokenizer import size
from conlipa.modeling.train import _earlier as earlier_of
from tests.conftest import complaint, run


def test_the_paper_s_recipe_is_the_paper_s() -> None:
    paper = read_recipe("paper")
    assert paper.encoder.repo == "vinai/xphonebert-base"
    assert (paper.ner.epochs, paper.ner.learning_rate, paper.ner.weight_decay, paper.ner.batch_size, paper.ner.warmup_ratio) == (
        10,
        1e-5,
        0.01,
        128,
        0.025,
    )
    assert (paper.ipac.korean_pairs, paper.ipac.temperature, paper.ipac.epochs, paper.ipac.projection) == (512, 0.1, 2, 64)
    assert (paper.ipac.lora_rank, paper.ipac.lora_alpha, paper.ipac.lora_dropout) == (8, 32, 0.1)
    assert (paper.ipac.replay_weight, paper.ipac.shared_english) == (0.0, "negative")  # improvements are off


def test_parameter_counts_come_out_exactly() -> None:
    done = run("modeling/train.py", "ipac", "--profile", "paper", "--dry-run")
    assert json.loads(done.stdout) == {"encoder_and_head": 87_559_687, "adapter": 1_327_104, "projection": 49_216, "total": 88_936_007}


def test_the_shape_of_a_repo_is_not_made_up(tmp_path: Path) -> None:
    recipe = tmp_path / "mbert.yaml"
    recipe.write_text("name: mbert\nencoder: {repo: google-bert/bert-base-multilingual-cased, input: graphemes}\n", encoding="utf-8")
    said = run("modeling/train.py", "ner", "--profile", str(recipe), "--dry-run", code=2).stderr
    assert said.startswith("conlipa: error: --dry-run: the model of encoder.repo has a shape of its own")


def test_another_repo_does_not_have_the_revision_of_the_profiles(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("base: paper\nencoder: {repo: someone/phonebert}\n", encoding="utf-8")
    assert read_recipe("paper").encoder.revision == "refs/pr/2"
    assert read_recipe(str(own)).encoder.revision is None
    assert read_recipe("paper", ["encoder.repo=null"]).encoder.revision is None
    assert read_recipe("paper", ["encoder.revision=v1", "encoder.repo=someone/phonebert"]).encoder.revision == "v1"


def test_the_mini_encoder_is_small() -> None:
    counts = json.loads(run("modeling/train.py", "ner", "--dry-run").stdout)
    assert 2_000_000 < counts["encoder_and_head"] < 10_000_000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ner: {epoch: 3}", "unknown key 'ner.epoch'; did you mean epochs"),
        ("nre: {}", "unknown key 'nre'; did you mean ner"),
        ("ner: {denoise_weight: 1, augmentation: {share: 1, drop: 0.1}}", "ner: denoise_weight has nothing to predict"),
        ("ner: {tag_weight: 0}", "there is nothing to learn"),
        ("ner: {cuda_graphs: true}", "cuda_graphs needs batches of few shapes"),
        ("ner: {cuda_graphs: true, batch_positions: 4096, accumulate: 2}", "cuda_graphs needs batches of few shapes"),
        ("ner: {tag_weight: 0.5}", "tag_weight weighs the labels against denoise_weight, which is 0"),
        ("ipac: {balanced: true, hard_negatives: 0.5}", "balanced and hard_negatives do not go together"),
        ("ipac: {validate_every: 5}", "ipac: validate_every is of stage 1 alone"),
        ("ner: {epochs: many}", "ner.epochs is 'many', expected a valid integer"),
        ("ner: {learning_rate: fast}", "ner.learning_rate is 'fast', expected a valid number"),
        ("ipac: {pooling: max}", "ipac.pooling is 'max', expected 'mean' or 'first'"),
        ("ner: {languages: eng}", "ner.languages is 'eng', expected a valid tuple"),
        ("ner: {languages: []}", "ner.languages is [], expected"),
        ("- a", "expected a mapping"),
        ("a: [", "not YAML"),
        ("ner: 5", "ner is 5, expected"),
        ("ner: {epochs: -1}", "ner.epochs is -1, expected greater than or equal to 1"),
        ("ner: {epochs: true}", "ner.epochs is True, expected"),
        ("ipac: {lora_rank: 0}", "ipac.lora_rank is 0, expected"),
        ("ipac: {temperature: 0}", "ipac.temperature is 0, expected"),
        ("encoder: {max_length: 0}", "encoder.max_length is 0, expected"),
        ("encoder: {max_length: 512}", "encoder.max_length is 512, expected less than or equal to 128"),
        ("ner: {batch_size: 0}", "ner.batch_size is 0, expected"),
        ("ner: {checkpoint_every: 0}", "ner.checkpoint_every is 0, expected"),
        ("ner: {learning_rate: .nan}", "ner.learning_rate is nan, expected"),
        ("ner: {learning_rate: .inf}", "ner.learning_rate is inf, expected"),
        ("encoder: {dropout: 2}", "encoder.dropout is 2, expected less than 1"),
        ("ner: {label_smoothing: 2}", "ner.label_smoothing is 2, expected less than 1"),
        ("ner: {seed: -1}", "ner.seed is -1, expected"),
        ("ner: {seed: 99999999999999999999}", "ner.seed is 99999999999999999999, expected"),
        ("encoder: {hidden_size: 100, heads: 3}", "encoder: hidden_size 100 is not a multiple of heads 3"),
        ("encoder: {hidden_size: 65536, heads: 1, layers: 200, intermediate_size: 65536}", "parameters, expected at most 2,000,000,000"),
        ("encoder: {case_marks: true}", "max_positions is 130, expected at least 194"),
        ("encoder: {vocab_size: 400}", f"encoder: vocab_size is 400, expected {size()}, or null for the kit's own tokenizer"),
        ("encoder: {vocab_size: 100, articulatory: false}", f"encoder: vocab_size is 100, expected at least {size()} for the kit's own tokenizer"),
        ("ner: {augmentation: {share: 2}}", "ner.augmentation.share is 2, expected less than or equal to 1"),
        ("ner: {augmentation: {noise: 0.9, drop: 0.5}}", "noise, drop and mask together are more than 1"),
        ("ner: {warmup_ratio: 5}", "ner.warmup_ratio is 5, expected"),
        ("ner: {label_bias: {outside: .nan}}", "ner.label_bias.outside is nan, expected"),
        ("ner: {learning_rate: 2026-11-26}", "ner.learning_rate is datetime.date(2026, 11, 26), expected"),
        ("name: ../../EVIL", "name is '../../EVIL', expected one name of letters"),
        ("name: /abs/EVIL", "name is '/abs/EVIL', expected"),
        ("name: ''", "name is '', expected"),
        (f"ner: {{seed: {'9' * 5000}}}", "not YAML: Exceeds the limit"),
        ("a: " + "[" * 5000, "not YAML"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "aliases (*name) are not allowed"),
        ("x: " + "y" * 100_000, "more than 100,000 bytes"),
        ("ner: {learning_rate: true}", "ner.learning_rate is true or false, expected a number"),
        ("ner: {minutes: true}", "ner.minutes is true or false, expected a number"),
        ("ner: {languages: [../../x]}", "ner.languages.0 is '../../x', expected one name of letters"),
        ("ipac: {languages: [/x]}", "ipac.languages.0 is '/x', expected one name of letters"),
        ("ipac: {languages: [fra]}", "ipac: languages has 'fra', which has no loanword pairs"),
        ("ipac: {languages: [swa, tr]}", "ipac: languages has 'tr', which has no loanword pairs; did you mean tur"),
        ("ipac: {languages: [tur, tur]}", "ipac.languages: has tur twice"),
        ("ner: {sentences_of: {english: 5}}", "ner: sentences_of has 'english', expected ISO 639-3 codes"),
        ("encoder: {revision: main}", "encoder: revision is of a repo, and there is none"),
        ("ner: {languages: [eng, deu, eng]}", "ner.languages: has eng twice"),
        ("ipac: {languages: [tur, est], extra: true}", "ipac: languages has est, which extra: true takes already"),
        ("name: " + "語" * 96, "expected one name of letters"),
        (f"ner: {{seed: 0x{'f' * 4000}}}", "ner.seed is a number of thousands of digits, expected"),
        ('"a\\nb\\e[31m": 1', r"unknown key 'a\nb\x1b[31m'"),
        ('x: !!int ""', "not YAML"),
        ("x: !!bool maybe", "not YAML"),
        ("x: !!timestamp soon", "not YAML"),
    ],
)
def test_a_wrong_recipe_is_refused_in_one_line_that_says_what_is_allowed(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConlipaError) as caught:
        read_recipe(str(path))
    assert reason in str(caught.value)
    assert str(path) in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= 400 + len(str(path))


def test_a_recipe_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(ConlipaError, match="not UTF-8"):
        read_recipe(str(tmp_path / "mine.yaml"))


def test_a_name_that_leads_elsewhere_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: ../../EVIL\n", encoding="utf-8")
    line = complaint("release", "--profile", str(tmp_path / "mine.yaml"), "--out", str(tmp_path / "a" / "b"), code=1)
    assert "name is '../../EVIL'" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml"]


def test_a_setting_is_changed_on_the_command_line() -> None:
    recipe = read_recipe("mini", ["ner.learning_rate=1e-3", "ner.augmentation.share=0", "encoder.layers=2", "ner.languages=[eng, fin]"])
    assert (recipe.ner.learning_rate, recipe.ner.augmentation.share, recipe.encoder.layers, recipe.ner.languages) == (1e-3, 0.0, 2, ("eng", "fin"))
    assert read_recipe("mini", ["ner.epochs=7"]) == replace(read_recipe("mini"), ner=replace(read_recipe("mini").ner, epochs=7))
    counts = [json.loads(run("modeling/train.py", "ner", "--dry-run", "--set", f"encoder.layers={layers}").stdout)["total"] for layers in (1, 2)]
    assert counts[0] < counts[1]
    with pytest.raises(ConlipaError, match=r"unknown key 'ner.learningrate'; did you mean learning_rate"):
        read_recipe("mini", ["ner.learningrate=1"])
    with pytest.raises(UsageError, match="the value is not YAML"):
        read_recipe("mini", ["ner.epochs=!!int ''"])
    with pytest.raises(UsageError, match="expected SECTION"):
        read_recipe("mini", ["epochs"])


def test_a_copy_with_other_settings_is_checked_too() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        replace(read_recipe("mini").ner, epochs=0)


def chain(recipe: Recipe) -> list[Recipe]:
    earlier = earlier_of(recipe)
    return [recipe, *(chain(earlier) if earlier else [])]


@pytest.mark.parametrize("name", profiles())
def test_the_kit_s_own_runs_start_from_what_their_files_name(name: str) -> None:
    for run_, earlier in pairwise(chain(read_recipe(name))):
        assert run_.ner.start
        named = read_recipe(run_.ner.start)
        assert earlier == (named if run_.ner.minutes else replace(named, ner=replace(named.ner, minutes=None)))


def test_what_is_changed_for_a_chain_holds_for_all_its_runs() -> None:
    plain, runs = (chain(read_recipe("mini", settings)) for settings in ((), ["ner.exclude=[]", "ner.languages=[eng, tgk]", "ner.optimizer=adamw"]))
    assert len(runs) == 10
    changes = {"exclude": (), "languages": ("eng", "tgk"), "optimizer": "adamw"}
    assert runs == [replace(each, ner=replace(each.ner, **changes)) for each in plain]
    fewer = chain(read_recipe("mini", ["ner.sentences_per_language=100", "ner.sentences_of={eng: 200}", "ner.seed=77"]))
    assert {(each.ner.sentences_per_language, each.ner.sentences_of["eng"]) for each in fewer if each.ner.sentences_of} == {(100, 200)}
    assert [each.ner.seed for each in fewer[1:]] == [each.ner.seed for each in plain[1:]]


def test_a_file_that_starts_from_a_file_changes_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text("ner: {languages: [eng, fin]}\n", encoding="utf-8")
    (tmp_path / "own.yaml").write_text(f"ner: {{languages: [eng], exclude: [titles/x], start: {tmp_path / 'many.yaml'}}}\n", encoding="utf-8")
    assert earlier_of(read_recipe(str(tmp_path / "own.yaml"))) == read_recipe(str(tmp_path / "many.yaml"))
    (tmp_path / "own.yaml").write_text("ner: {languages: [eng], minutes: 10, start: mini-ninth}\n", encoding="utf-8")
    assert earlier_of(read_recipe(str(tmp_path / "own.yaml"))) == read_recipe("mini-ninth")


def test_an_unknown_profile_is_told_its_nearest() -> None:
    with pytest.raises(UsageError, match="unknown profile 'minni'; did you mean mini"):
        read_recipe("minni")
    assert {"mini", "paper"} <= set(profiles())


def test_a_recipe_says_only_what_differs_from_its_base(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("base: mini\nname: own\nner: {epochs: 7, augmentation: {noise: 0.5}}\n", encoding="utf-8")
    found, mini = read_recipe(str(own)), read_recipe("mini")
    augmentation = replace(mini.ner.augmentation, noise=0.5)
    assert found == replace(mini, name="own", ner=replace(mini.ner, epochs=7, augmentation=augmentation))
    own.write_text("base: mini\nner: {languages: [eng]}\n", encoding="utf-8")
    assert earlier_of(read_recipe(str(own))).ner.languages == ("eng",)  # of the kit's chain, by its name
    for wrong in ("minni", "[mini]", "{a: 1}", '"a\\nb"'):
        own.write_text(f"base: {wrong}\n", encoding="utf-8")
        with pytest.raises(ConlipaError, match=r"own\.yaml: base is [^\n]+, expected one of mini"):
            read_recipe(str(own))
    own.write_text("base: mini\nname: {a: 1}\nner: 5\n", encoding="utf-8")
    with pytest.raises(ConlipaError, match=r"own\.yaml: "):
        read_recipe(str(own))
