from __future__ import annotations

import json
from pathlib import Path

import pytest

from conlipa.errors import ConlipaError, UsageError
from conlipa.modeling.recipe import profiles, read_recipe
from tests.conftest import run


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


def test_the_mini_encoder_is_small() -> None:
    counts = json.loads(run("modeling/train.py", "ner", "--dry-run").stdout)
    assert 2_000_000 < counts["encoder_and_head"] < 10_000_000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ner: {epoch: 3}", "unknown key 'ner.epoch'; did you mean epochs"),
        ("nre: {}", "unknown key 'nre'; did you mean ner"),
        ("ner: {denoise_weight: 1, augmentation: {share: 1, drop: 0.1}}", "ner.denoise_weight has nothing to guess"),
        ("ner: {tag_weight: 0}", "there is nothing to learn"),
        ("ner: {epochs: many}", "ner.epochs is 'many', expected int"),
        ("ner: {learning_rate: fast}", "ner.learning_rate is 'fast', expected a number"),
        ("ipac: {pooling: max}", "ipac.pooling is 'max', expected"),
        ("ner: {languages: eng}", "ner.languages is 'eng'"),
        ("- a", "expected a mapping"),
        ("a: [", "not YAML"),
    ],
)
def test_a_wrong_recipe_is_told_what_is_right(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConlipaError) as caught:
        read_recipe(str(path))
    assert reason in str(caught.value)


def test_an_unknown_profile_is_told_its_nearest() -> None:
    with pytest.raises(UsageError, match="unknown profile 'minni'; did you mean mini"):
        read_recipe("minni")
    assert {"mini", "paper"} <= set(profiles())
