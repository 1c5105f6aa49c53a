from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conlipa import Tagger
from conlipa.errors import ConlipaError
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.inference.calibration import calibrate, ece, fitted, reliability, scores
from conlipa.modeling.inference.packaged import packaged
from tests.conftest import run


def entities(temperature: float, many: int = 4000) -> list[tuple[Any, bool]]:
    """Entities of one word whose logits are `temperature` times too large: at that temperature their scores are right."""
    draw = np.random.default_rng(0)
    made = []
    for true in draw.normal(0, 1.5, (many, 7)).astype(np.float32):
        powers = np.exp(true - true.max())
        made.append((temperature * true[None], bool(draw.random() < powers.max() / powers.sum())))
    return made


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_of_known_logits_is_found(temperature: float) -> None:
    found = entities(temperature)
    assert fitted(found) == pytest.approx(temperature, rel=0.1)
    right = np.array([right for _, right in found])
    assert ece(reliability(scores(found, temperature), right)) < 0.03
    if temperature != 1.0:
        assert ece(reliability(scores(found, 1.0), right)) > 0.05


def test_two_groups_weigh_the_same_however_many_entities_they_have() -> None:
    many, few = entities(3.0), entities(1.0, many=400)
    assert 0.9 < fitted(few) < fitted(few, many) < fitted(many) < 3.3
    assert fitted(few, many) == pytest.approx(fitted(few, many + many), rel=0.05)


def test_bins_by_hand() -> None:
    rows = reliability(np.array([0.95, 1.0, 0.1, 0.1]), np.array([True, False, False, True]))
    assert rows == [(pytest.approx(0.1), 0.5, 2), (pytest.approx(0.975), 0.5, 2)]
    assert ece(rows) == pytest.approx((0.4 * 2 + 0.475 * 2) / 4)


def test_a_calibrated_folder_changes_scores_and_no_span(tmp_path: Path) -> None:
    where, adapter = packaged("mini")
    shutil.copytree(str(adapter), tmp_path / "ipac", ignore=shutil.ignore_patterns("calibration.json", "model.onnx"))
    pair = (where, str(tmp_path / "ipac"))
    text = "Marie Curie was born in Warsaw , Poland ."
    plain: Any = Tagger.from_pretrained(*pair, lang="eng", backend="torch")
    before = plain(text)
    run("-m", "conlipa.modeling.inference.calibration", "--model", where, "--adapter", str(tmp_path / "ipac"), "--wikiann", "sample")
    record = json.loads((tmp_path / "ipac" / "calibration.json").read_text(encoding="utf-8"))
    assert set(record) == {"temperature", "fitted_on", "ece_before", "ece_after"}
    assert record["ece_after"]["titles"] < record["ece_before"]["titles"]
    assert (tmp_path / "ipac" / "reliability.svg").read_text(encoding="utf-8").startswith("<?xml")
    calibrated: Any = Tagger.from_pretrained(*pair, lang="eng", backend="torch")
    assert calibrated.backend.temperature == record["temperature"]
    after = calibrated(text)
    assert [(e.start, e.end, e.label) for e in after] == [(e.start, e.end, e.label) for e in before] != []
    assert [e.score for e in after] != [e.score for e in before]


def test_a_folder_that_is_none_is_said() -> None:
    assert "no such folder" in run("-m", "conlipa.modeling.inference.calibration", "--model", "someone/model", code=1).stderr


def test_without_sentences_of_the_language_nothing_is_fitted(tiny_release: Path, tmp_path: Path) -> None:
    model = shutil.copytree(tiny_release / "tiny-ner", tmp_path / "ner")
    with pytest.raises(ConlipaError, match="has no validation split of kbd"):
        calibrate(str(model), None, Corpus("sample"), "kbd")
    assert not (model / "calibration.json").exists()
