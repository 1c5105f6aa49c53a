"""The report's sections on embeddings: cosine similarity, t-SNE, and the drift with many Korean pairs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import pytest
import torch

from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.encoder import load_adapted, new_encoder, save_tagger
from conlipa.modeling.inference.word_vectors import embedded
from conlipa.modeling.recipe import Recipe
from conlipa.modeling.recipe_file import read_recipe
from conlipa.modeling.report import drift, embedding, tsne
from conlipa.modeling.report.section import Inputs, Section
from conlipa.modeling.report.words import alignment, pairs_of, similarity, uniformity
from conlipa.modeling.tokenizer import phoneme_tokenizer
from conlipa.modeling.train import train_stage

ROOT_2 = math.sqrt(0.5)


@pytest.fixture(scope="module")
def inputs(tiny_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """A tagger with random weights, an adapter of a few steps, the built-in sample."""
    folder = tmp_path_factory.mktemp("embedding")
    whole = read_recipe(str(tiny_recipe))
    recipe = Recipe(whole.name, whole.encoder, whole.ner, replace(whole.ipac, languages=("swa",), replay_weight=0.0, checkpoint_every=2))
    torch.manual_seed(0)
    save_tagger(new_encoder(recipe.encoder), phoneme_tokenizer(), folder / "ner")
    train_stage("ipac", recipe, Corpus("sample"), folder / "ipac", str(folder / "ner"))
    return Inputs(str(folder / "ner"), str(folder / "ipac"), recipe, Corpus("sample"), ("sin", "tgk"), folder / "report", seeds=1)


@pytest.fixture(scope="module")
def made(inputs: Inputs) -> Section:
    return embedding.section(inputs)


def with_stock_classes(inputs: Inputs, adapter: bool) -> Callable[[str], torch.Tensor]:
    """A word's mean-pooled last hidden state, one word at a time, by transformers and peft alone."""
    from peft import PeftModel
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(inputs.ner)
    model: Any = AutoModelForTokenClassification.from_pretrained(inputs.ner)
    if adapter:
        model = PeftModel.from_pretrained(model, inputs.adapter)
    model.eval()

    def vector(word: str) -> torch.Tensor:
        with torch.no_grad():
            states = model(**tokenizer(word, return_tensors="pt"), output_hidden_states=True).hidden_states
        return states[-1][0].mean(0)

    return vector


def test_cosines_are_those_of_stock_classes(inputs: Inputs, made: Section) -> None:
    found = json.loads((inputs.out / "work" / "embedding" / "cosine.json").read_text(encoding="utf-8"))["cosines"]
    pairs = embedding.figure_pairs("phonemes")
    assert list(found) == list(pairs) == ["eng-ori", "eng-khm"]
    for name, own in pairs.items():
        assert len(found[name]["before"]) == len(found[name]["after"][0]) == len(own.labels) == 10
        for values, adapter in ((found[name]["before"], False), (found[name]["after"][0], True)):
            vector = with_stock_classes(inputs, adapter)
            expected = [float(torch.cosine_similarity(vector(e), vector(t), dim=0)) for e, t in zip(own.english, own.target, strict=True)]
            assert values == pytest.approx(expected, abs=1e-5)
        assert found[name]["before"] != found[name]["after"][0]


def test_the_words_are_the_papers_in_their_order(made: Section) -> None:
    rows = [line.split(" | ") for line in made.body.splitlines() if line.startswith("| eng-ori | ")]
    assert [row[1] for row in rows[:10]] == ["London", "Paris", "Mumbai", "Chicago", "Oscar", "Sophia", "Emma", "Facebook", "Tesla", "Intel"]
    assert rows[0][2:4] == ["82.41", "90.13"]
    assert rows[0][4] == f"{100 * made.data['cosine']['eng-ori']['before'][0]:.2f}"


def test_identical_vectors_are_all_retrieved_and_unlike_ones_are_not() -> None:
    torch.manual_seed(0)
    words = torch.nn.functional.normalize(torch.randn(7, 5), dim=-1)
    own = torch.arange(7)
    same = similarity(words, words, own)
    assert same.retrieved == 1.0
    assert same.pairs == pytest.approx(1.0)
    assert same.centred == pytest.approx(1.0)
    assert similarity(words, words.roll(1, 0), own).retrieved == 0.0


def test_similarity_by_hand() -> None:
    english = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    target = torch.tensor([[1.0, 0.0], [ROOT_2, ROOT_2], [0.0, 1.0]])  # two loanwords of the second English word
    found = similarity(english, target, torch.tensor([0, 1, 1]))
    assert found.pairs == pytest.approx((1 + ROOT_2 + 1) / 3)
    assert found.others == pytest.approx((0 + ROOT_2 + 0) / 3)
    assert found.gap == pytest.approx(2 / 3)
    assert found.retrieved == pytest.approx(2 / 3)  # the tie goes to the first word, which is another


def test_a_shift_that_all_words_share_does_not_count_once_centred() -> None:
    torch.manual_seed(0)
    english, target = torch.randn(6, 4), torch.randn(6, 4)
    one = [torch.nn.functional.normalize(side + shift, dim=-1) for shift in (0.0, 20.0) for side in (english, target)]
    near, far = similarity(one[0], one[1], torch.arange(6)), similarity(one[2], one[3], torch.arange(6))
    assert far.pairs > 0.95 > near.pairs
    assert abs(far.gap) < 0.1
    assert abs(far.centred) < 0.6


def test_alignment_and_uniformity_by_hand() -> None:
    east, north, west = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]
    assert alignment(torch.tensor([east, east]), torch.tensor([east, north])) == pytest.approx(1.0)  # 0 and 2
    assert uniformity(torch.tensor([east, east])) == pytest.approx(0.0)
    # squared distances 2, 4 and 2
    assert uniformity(torch.tensor([east, north, west])) == pytest.approx(math.log((2 * math.exp(-4) + math.exp(-8)) / 3), abs=1e-5)


def test_divergence_by_hand() -> None:
    half, third = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.25, 0.75]]).log()
    assert drift.divergence(half, half) == 0.0
    assert drift.divergence(half, third) == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3))
    assert drift.divergence(torch.cat([half, half]), torch.cat([half, third])) == pytest.approx(0.25 * math.log(4 / 3))


def test_words_that_share_their_english_side_are_one_english_word() -> None:
    rows = [{"english": "bus", "target": t, "english_ipa": "b ʌ s", "target_ipa": i} for t, i in (("바스", "b a s"), ("버스", "b ʌ s ɯ"))]
    pairs = pairs_of("kor", rows, "phonemes")
    assert (pairs.english, pairs.target, pairs.own.tolist()) == (["b ʌ s"], ["b a s", "b ʌ s ɯ"], [0, 0])
    assert pairs_of("kor", rows, "graphemes").target == ["바스", "버스"]


def parsed(figures: dict[str, str]) -> None:
    for name, text in figures.items():
        assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg", name
        assert "<text" in text, name  # letters stay text


def test_made_twice_it_is_the_same_byte_for_byte_and_no_word_is_embedded_again(
    inputs: Inputs, made: Section, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "embedded", lambda *_: pytest.fail("embedded again"))
    assert embedding.section(inputs) == made


def test_the_figures_are_svg(made: Section) -> None:
    parsed(made.figures)
    assert set(made.figures) == {"embedding-tsne.svg", "embedding-similarity.svg"}
    assert all(f"]({name})" in made.body for name in made.figures)
    for word in ("London", "Paris Hilton"):
        assert made.figures["embedding-tsne.svg"].count(f">{word}</text>") == 2


def test_labels_do_not_cover_each_other() -> None:
    points = torch.tensor([[0.0, 0.0], [0.0, 0.001], [0.4, 0.4], [0.4, -0.4]]).numpy()
    (_, low, left), (_, high, right) = tsne.label_places(points, ["London", "London"])
    assert left != right or abs(low - high) > 0.02


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"STEPS": 4, "EVERY": 2, "ENGLISH": 10, "SENTENCES": 5, "WORDS": 20}.items():
            patch.setattr(drift, name, value)
        yield


@pytest.fixture(scope="module")
def measure(inputs: Inputs, quick: None) -> drift.Yardstick:
    return drift.Yardstick(inputs)


@pytest.fixture(scope="module")
def drifted(inputs: Inputs, quick: None) -> Section:
    return drift.section(inputs)


def test_drift_begins_at_nothing(drifted: Section) -> None:
    for amount in ("512", "7521"):
        (curve,) = drifted.data[amount]
        assert list(curve) == [0, 2, 4]
        assert curve[0][drift.KL] == 0.0
        assert curve[4][drift.KL] > 0.0
        for name in drift.GEOMETRY:
            assert math.isfinite(curve[4][name])
    assert drifted.data["512"][0][0] == drifted.data["7521"][0][0]  # both start from stage 1
    assert drifted.data["512"][0][4] != drifted.data["7521"][0][4]
    parsed(drifted.figures)
    assert all(f"]({name})" in drifted.body for name in drifted.figures)


def test_drift_is_measured_once_and_drawn_the_same(inputs: Inputs, drifted: Section, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "train", lambda *_, **__: pytest.fail("trained again"))
    assert drift.section(inputs) == drifted


def test_the_reading_follows_the_numbers(drifted: Section) -> None:
    few, many = (drifted.data[amount][0][4]["zero-shot paper_f1"] for amount in ("512", "7521"))
    (line,) = [line for line in drifted.body.splitlines() if line.startswith("- zero-shot paper_f1:")]
    assert f"; {abs(many - few):.2f} {'higher' if many > few else 'lower'} with 7,521 pairs than with 512" in line or many == few
    ends = [drift.Ending("alignment, Korean", 0.1, 0.25, 0.2, [-0.1, 0.0]), drift.Ending("zero-shot paper_f1", 30.0, 29.0, 29.0, [0.0, 0.0])]
    assert ends[0].compared() == "0.0500 lower with 7,521 pairs than with 512 (so in 1 of 2 seeds)"
    assert ends[1].compared() == "the same with 512 and 7,521 pairs"


def test_an_interrupted_run_goes_on_and_ends_with_the_same_curve(inputs: Inputs, measure: drift.Yardstick, drifted: Section, tmp_path: Path) -> None:
    class Dies:
        """At the second step that is measured."""

        fingerprint = measure.fingerprint
        calls = 0

        def __call__(self, tagger: Any) -> dict[str, float]:
            self.calls += 1
            if self.calls == 3:
                raise KeyboardInterrupt
            return measure(tagger)

    cut = replace(inputs, out=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        drift.curve(cut, cast(drift.Yardstick, Dies()), 512, 0)
    work = tmp_path / "work" / "drift"
    assert list(json.loads((work / "512-0.json").read_text(encoding="utf-8"))["curve"]) == ["0", "2"]
    assert [path.name for path in (work / ".512-0.checkpoints").glob("step-*")] == ["step-0000002"]
    assert drift.curve(cut, measure, 512, 0) == drifted.data["512"][0]


def test_a_yardstick_says_what_stock_code_does(inputs: Inputs, measure: drift.Yardstick) -> None:
    model, tokenizer = load_adapted(inputs.ner, inputs.adapter)
    found = measure(model)
    vector = with_stock_classes(inputs, True)
    pairs = measure.pairs["Korean"]
    unit = [[torch.nn.functional.normalize(vector(word), dim=0) for word in pair] for pair in pairs]
    assert found["alignment, Korean"] == pytest.approx(sum(float(torch.dist(e, t) ** 2) for e, t in unit) / len(unit), abs=1e-5)
    assert torch.allclose(embedded(model, tokenizer, [pairs[0][0]])[0], unit[0][0], atol=1e-5)
