"""`conlipa export`: one file that onnxruntime runs with torch's answers, and stock `transformers` on phonemes beside it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from conlipa import Tagger
from conlipa.dataset_scripts.g2p.capitals import CASE_MARK, with_case_marks
from conlipa.dataset_scripts.g2p.phonemizer import ipa_string, phonemizer
from conlipa.dataset_scripts.g2p.words import words
from conlipa.dataset_scripts.wikiann.wikiann import source
from conlipa.errors import ConlipaError, UsageError
from conlipa.modeling.alignment import word_labels
from conlipa.modeling.data.corpus import Corpus, encoded
from conlipa.modeling.encoder import load_adapted
from conlipa.modeling.evaluation.metrics import entity_f1
from conlipa.modeling.inference.loading import temperature
from conlipa.modeling.inference.onnx_backend import OnnxBackend
from conlipa.modeling.inference.packaged import packaged
from conlipa.modeling.inference.torch_backend import TorchBackend
from conlipa.modeling.recipe import MARKED_PHONEMES
from conlipa.modeling.tokenizer import phoneme_tokenizer
from tests.conftest import ROOT, complaint, conlipa

pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")
pytest.importorskip("onnxscript", reason="the extra 'onnx' is not installed")

TEXTS = [" ".join(sentence.tokens) for sentence in source("sample").sentences("tgk", "validation")]


@pytest.fixture(scope="module", params=["fp32", "int8"])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("onnx") / f"{request.param}.onnx"
    assert conlipa("export", "--out", str(out), *(["--int8"] if request.param == "int8" else [])).stdout == ""
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    return out


def test_the_file_says_nothing_of_the_machine_that_wrote_it(file: Path) -> None:
    content = file.read_bytes()
    assert str(ROOT).encode() not in content
    assert b"site-packages" not in content


def test_the_file_alone_is_the_tagger(file: Path) -> None:
    exact: Any = Tagger(TorchBackend(*load_adapted(*packaged("mini")), temperature(*packaged("mini")), bf16=False), lang="tgk")
    found, expected = Tagger.from_pretrained(str(file), lang="tgk")(TEXTS), exact(TEXTS)
    spans = [{(e.start, e.end, e.label) for e in entities} for entities in found]
    wanted = [{(e.start, e.end, e.label) for e in entities} for entities in expected]
    if file.stem == "fp32":
        assert spans == wanted
        assert all(abs(a.score - b.score) < 2e-4 for ours, theirs in zip(found, expected, strict=True) for a, b in zip(ours, theirs, strict=True))
    else:
        same, both = sum(len(a & b) for a, b in zip(spans, wanted, strict=True)), sum(map(len, spans)) + sum(map(len, wanted))
        assert 2 * same / both > 0.85
        assert file.stat().st_size < 8_000_000


def _score(backend: Any, corpus: Corpus, langs: tuple[str, ...]) -> float:
    """`entity_f1` of a backend of `mini` on the first sentences of each language, with case marks."""
    rows = [row for lang in langs for row in list(corpus.split(lang, "validation"))[:200]]
    examples = encoded(rows, phoneme_tokenizer(), backend.max_length, MARKED_PHONEMES)
    gold = [row["ner_tags"] for row in rows]
    logits = backend(examples)
    return entity_f1(gold, [word_labels(s.argmax(-1), e["word_ids"], len(g)) for s, e, g in zip(logits, examples, gold, strict=True)])


def test_bf16_and_int8_keep_the_score(file: Path) -> None:
    """In the built-in sample a name stands in many sentences: one that is lost costs some tenths."""
    corpus, langs = Corpus("sample"), ("sin", "tgk", "swa", "eng")
    model, tokenizer = load_adapted(*packaged("mini"))
    exact = _score(TorchBackend(model, tokenizer, bf16=False), corpus, langs)
    assert _score(Tagger.from_pretrained(str(file)).backend, corpus, langs) > exact - (0.01 if file.stem == "fp32" else 1.0)
    if torch.cpu._is_avx512_bf16_supported():
        assert _score(TorchBackend(model, tokenizer, bf16=True), corpus, langs) > exact - 1.0


@pytest.mark.slow
def test_the_packaged_int8_keeps_the_score_on_wikiann(wikiann_folder: Path) -> None:
    corpus, langs = Corpus(f"titles={wikiann_folder}"), ("tgk", "swa", "eng", "urd", "kur", "tur")
    exact = _score(TorchBackend(*load_adapted(*packaged("mini")), bf16=False), corpus, langs)
    int8 = Tagger.from_pretrained().backend
    assert isinstance(int8, OnnxBackend)
    assert _score(int8, corpus, langs) > exact - 0.5


def test_onnxruntime_is_taken_where_the_file_fits_the_weights(file: Path, tmp_path: Path) -> None:
    where, adapter = packaged("mini")
    assert adapter is not None
    shutil.copytree(adapter, tmp_path / "ipac", ignore=shutil.ignore_patterns("model.onnx"))
    pair = (where, str(tmp_path / "ipac"))
    assert isinstance(Tagger.from_pretrained(*pair).backend, TorchBackend)
    with pytest.raises(ConlipaError, match="no such file; `conlipa export` writes one"):
        Tagger.from_pretrained(*pair, backend="onnx")
    shutil.copy(file, tmp_path / "ipac" / "model.onnx")
    assert not isinstance(Tagger.from_pretrained(*pair).backend, TorchBackend)
    assert isinstance(Tagger.from_pretrained(*pair, backend="torch").backend, TorchBackend)
    (tmp_path / "ipac" / "calibration.json").write_text('{"temperature": 2.5}', encoding="utf-8")
    assert Tagger.from_pretrained(*pair).backend.temperature == 2.5
    shutil.copy(file, tmp_path / "model.onnx")
    shutil.copytree(where, tmp_path, dirs_exist_ok=True)  # no adapter: other weights than the file's
    assert isinstance(Tagger.from_pretrained(str(tmp_path)).backend, TorchBackend)
    with pytest.raises(ConlipaError, match="was made from other weights"):
        Tagger.from_pretrained(str(tmp_path), backend="onnx")


def test_a_model_that_reads_letters_is_no_tagger(tiny_release: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(tiny_release / "tiny-ner", tmp_path / "letters"))
    config = json.loads((model / "config.json").read_text(encoding="utf-8")) | {"conlipa_input": "graphemes"}
    (model / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert "reads letters, and a tagger gives it phonemes" in complaint("export", "--model", str(model), "--out", str(tmp_path / "m.onnx"), code=1)
    assert not (tmp_path / "m.onnx").exists()


def test_what_is_no_such_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"not a graph")
    assert "no model that `conlipa export` wrote" in complaint("tag", "--lang", "sin", "--model", str(tmp_path / "x.onnx"), code=1)
    with pytest.raises(UsageError, match="unknown backend 'onxx'; did you mean onnx"):
        Tagger.from_pretrained(backend="onxx")
    with pytest.raises(UsageError, match="takes no adapter"):
        Tagger.from_pretrained(str(tmp_path / "x.onnx"), "somewhere")
    (tmp_path / "calibration.json").write_text(json.dumps({"temperature": 0}), encoding="utf-8")
    from conlipa.modeling.inference.loading import temperature

    with pytest.raises(ConlipaError, match="expected a number above 0"):
        temperature(str(tmp_path), None)


def test_a_stock_pipeline_tags_phonemes_as_the_kit_does() -> None:
    from transformers import pipeline

    where, _ = packaged("mini")
    tag = pipeline("token-classification", model=where, tokenizer=where)
    model, tokenizer = load_adapted(where, None)
    exact: Any = Tagger(TorchBackend(model, tokenizer, bf16=False), lang="tgk", known_names=False)
    for text in TEXTS[:10]:
        found = words(text)
        spoken = with_case_marks([word.text for word in found], phonemizer("tgk")([word.text for word in found]))
        ipa = ipa_string(spoken)
        labels = {(row["start"], row["entity"]) for row in tag(ipa) if row["word"] != CASE_MARK}
        marks = [2 if each[0] == CASE_MARK else 0 for each in spoken]  # a mark has no label: the word begins after it
        starts = [len(ipa_string(spoken[:number])) + (3 if number else 0) + marks[number] for number in range(len(spoken))]
        kinds = {start: label.partition("-")[2] for start, label in labels}
        tagged = {word.start: kinds.get(start) for word, start in zip(found, starts, strict=True)}
        for entity in exact(text):
            inside = [kind for start, kind in tagged.items() if entity.start <= start < entity.end]
            assert set(inside) == {entity.label}
            tagged = {start: kind for start, kind in tagged.items() if not entity.start <= start < entity.end}
        assert set(tagged.values()) <= {None}
