"""The metric as a module of `evaluate`, loaded from its folder as a user loads it, and the paired bootstrap on its counts."""

from __future__ import annotations

import ast
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import evaluate
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import classification_report
from seqeval.metrics import f1_score as seqeval_f1
from seqeval.scheme import IOB2
from sklearn.metrics import confusion_matrix
from sklearn.metrics import f1_score as sklearn_f1

from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.modeling.alignment import encode
from conlipa.modeling.evaluation import metrics
from conlipa.modeling.evaluation.significance import paired_bootstrap
from conlipa.modeling.phoneme_ner_f1 import phoneme_ner_f1 as module

FOLDER = Path(module.__file__).parent
Compute = Callable[..., dict[str, Any]]

SENTENCES = st.lists(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from([-1, 0, 1])), min_size=1, max_size=12), min_size=1, max_size=8
)
"""Sentences of positions: true label, predicted label, and -1 (no word), 0 (the same word) or 1 (a new one)."""


@pytest.fixture(scope="module", autouse=True)
def _own_caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`evaluate` keeps its module copies and its inputs in the test run's own folder."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HF_MODULES_CACHE", "HF_METRICS_CACHE"):
            patch.setattr(f"evaluate.config.{name}", tmp_path_factory.mktemp(name.lower()))
        yield


@pytest.fixture(scope="module")
def compute(_own_caches: None) -> Compute:
    metric = evaluate.load(str(FOLDER), keep_in_memory=True)
    assert metric.name == "phoneme_ner_f1"
    return metric.compute  # type: ignore[no-any-return]


def ids(text: str) -> list[int]:
    return [LABELS.index(label) for label in text.split()]


def names(sentences: list[list[int]]) -> list[list[str]]:
    return [[LABELS[label] for label in sentence] for sentence in sentences]


def numbered(steps: list[int]) -> list[int]:
    """Word numbers of the steps: each new word counts one up."""
    word, numbers = 0, []
    for step in steps:
        word += step == 1
        numbers.append(-1 if step < 0 else word)
    return numbers


def made(seed: int, sentences: int, right: float) -> tuple[list[list[int]], list[list[int]]]:
    """True and predicted word labels of which about `right` agree."""
    rng = np.random.default_rng(seed)
    gold = rng.choice([0, 0, 1, 2, 3, 5], (sentences, 10))
    guess = np.where(rng.random(gold.shape) < right, gold, rng.integers(0, 7, gold.shape))
    return gold.tolist(), guess.tolist()


def test_labels_are_the_kits() -> None:
    assert list(module.LABELS) == LABELS


@settings(deadline=None)
@given(SENTENCES)
def test_equals_scikit_learn_and_seqeval(compute: Compute, sentences: list[list[tuple[int, int, int]]]) -> None:
    gold, predicted, steps = ([[position[side] for position in sentence] for sentence in sentences] for side in range(3))
    word_ids = [numbered(sentence) for sentence in steps]
    result = compute(predictions=predicted, references=gold, word_ids=word_ids)
    flat_gold, flat_predicted = (list(chain.from_iterable(side)) for side in (gold, predicted))
    words = [max(numbers) + 1 for numbers in word_ids]
    by_word = [[module.word_labels(*sentence) for sentence in zip(side, word_ids, words, strict=True)] for side in (gold, predicted)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert result["paper_f1"] == pytest.approx(100 * sklearn_f1(flat_gold, flat_predicted, average="macro"))
        spans = [names(side) for side in by_word]
        assert result["entity_f1"] == pytest.approx(100 * seqeval_f1(*spans, mode="strict", scheme=IOB2, zero_division=0))
        some = any(chain.from_iterable(chain.from_iterable(by_word)))
        report = classification_report(*spans, mode="strict", scheme=IOB2, zero_division=0, output_dict=True) if some else {}
    assert result["confusion"] == confusion_matrix(flat_gold, flat_predicted, labels=range(7)).tolist()
    assert result["n"] == len(sentences)
    for kind, scores in result["per_type"].items():
        expected = report.get(kind, {"precision": 0, "recall": 0, "f1-score": 0, "support": 0})
        assert [scores["precision"], scores["recall"], scores["f1"]] == pytest.approx(
            [100 * expected[n] for n in ("precision", "recall", "f1-score")]
        )
        assert scores["support"] == expected["support"]
    assert result["paper_f1"] == pytest.approx(metrics.paper_f1(gold, predicted))
    assert result["entity_f1"] == pytest.approx(metrics.entity_f1(*by_word))


TWO_WORDS = [-1, 0, 0, -1, 1, 1, -1, 2, -1]


@pytest.mark.parametrize(
    ("references", "predictions", "entity_f1", "paper_f1"),
    [
        # a person of two words, two phonemes each, and a place of one phoneme
        ("O B-PER I-PER O I-PER I-PER O B-LOC O", "O B-PER I-PER O I-PER I-PER O B-LOC O", 100.0, 100.0),
        # the place missed: O is 2·4 / (4 + 5), B-LOC 0
        ("O B-PER I-PER O I-PER I-PER O B-LOC O", "O B-PER I-PER O I-PER I-PER O O O", 200 / 3, 100 * (8 / 9 + 1 + 1 + 0) / 4),
        # half the person is no person, though the phonemes gain: I-PER is 2·1 / (3 + 1), O is 2·4 / (4 + 6)
        ("O B-PER I-PER O I-PER I-PER O B-LOC O", "O B-PER I-PER O O O O B-LOC O", 50.0, 100 * (8 / 10 + 1 + 2 / 4 + 1) / 4),
        # a wrong label inside a word costs positions, not entities: I-PER is 2·2 / (3 + 2), O is 2·4 / (4 + 5)
        ("O B-PER I-PER O I-PER I-PER O B-LOC O", "O B-PER I-PER O I-PER O O B-LOC O", 100.0, 100 * (8 / 9 + 1 + 4 / 5 + 1) / 4),
        # an I- without its B- is no entity, in the prediction nor in the truth
        ("O O O O O O O B-LOC O", "O O O O O O O I-LOC O", 0.0, 100 * (1 + 0 + 0) / 3),
        ("O I-PER I-PER O O O O B-LOC O", "O I-PER I-PER O O O O B-LOC O", 100.0, 100.0),
    ],
)
def test_worked_by_hand(compute: Compute, references: str, predictions: str, entity_f1: float, paper_f1: float) -> None:
    result = compute(predictions=[ids(predictions)], references=[ids(references)], word_ids=[TWO_WORDS])
    assert result["entity_f1"] == pytest.approx(entity_f1)
    assert result["paper_f1"] == pytest.approx(paper_f1)


def counting_tokenizer(text: str, truncation: bool, max_length: int) -> dict[str, list[int]]:
    """As many ids as phonemes, separators and two ends, `max_length` at most."""
    return {"input_ids": [0] * min(len(text.split()) + 2, max_length)}


def test_an_entity_that_is_cut_at_128(compute: Compute) -> None:
    # 25 words of five phonemes and a separator: word 20 ends at position 125, the end is at 127, so words 21 to 24 are cut off
    words = [["p"] * 5] * 25
    labels = [0] * 20 + ids("B-PER I-PER I-PER O B-LOC")
    example = encode(counting_tokenizer, words, labels, 128)
    assert len(example["labels"]) == 128
    assert max(example["word_ids"]) == 20
    given_positions = {"predictions": [example["labels"]], "references": [example["labels"]], "word_ids": [example["word_ids"]]}
    assert compute(**given_positions)["entity_f1"] == 100.0  # what was cut off is not known
    assert compute(**given_positions, words=[25])["entity_f1"] == 100.0  # and is O where only the number of words is
    whole = compute(**given_positions, words=[25], word_references=[labels])
    assert whole["entity_f1"] == 0.0  # a person of one word is not one of three, and the place is missed
    assert {kind: scores["support"] for kind, scores in whole["per_type"].items()} == {"PER": 1, "ORG": 0, "LOC": 1}
    assert whole["paper_f1"] == 100.0


def test_intervals_hold_the_score_and_shrink(compute: Compute) -> None:
    widths = []
    for sentences in (50, 800):
        gold, guess = made(1, sentences, 0.7)
        result = compute(predictions=guess, references=gold, word_ids=[list(range(10))] * sentences, bootstrap=500, seed=3)
        for score in ("paper_f1", "entity_f1"):
            low, high = result[f"{score}_interval"]
            assert low < result[score] < high
            widths.append(high - low)
    assert widths[2] < widths[0] / 2.5  # sixteen times the sentences: a quarter of the width
    assert widths[3] < widths[1] / 2.5


def test_intervals_depend_on_seed_and_confidence_alone(compute: Compute) -> None:
    gold, guess = made(2, 60, 0.7)
    material = {"predictions": guess, "references": gold, "word_ids": [list(range(10))] * 60}
    assert "paper_f1_interval" not in compute(**material)
    first, again, other = (compute(**material, bootstrap=200, seed=seed)["paper_f1_interval"] for seed in (0, 0, 1))
    assert first == again != other
    narrow = compute(**material, bootstrap=200, confidence=0.5)["paper_f1_interval"]
    assert first[0] < narrow[0] < narrow[1] < first[1]


def test_a_resample_sums_whole_sentences() -> None:
    counts = np.arange(1, 5)[:, None] ** 5  # sums of four of these tell which were drawn
    totals = module.resampled(counts, 300, 0)
    possible = {a + b + c + d for a in counts[:, 0] for b in counts[:, 0] for c in counts[:, 0] for d in counts[:, 0]}
    assert totals.shape == (300, 1)
    assert set(totals[:, 0]) <= possible
    assert totals.mean() == pytest.approx(counts.sum(), rel=0.1)


def test_a_thousand_resamples_of_ten_thousand_sentences_take_seconds() -> None:
    gold, guess = made(3, 10_000, 0.7)
    counts = module.position_counts(gold, guess)
    start = time.perf_counter()
    module.interval(module.paper_f1(module.resampled(counts, 1000, 0)), 0.95)
    assert time.perf_counter() - start < 10  # about half a second on an idle core


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predictions": [[0, 1], [0]]}, "sentence at index 1: predictions has 1 positions, references 2"),
        ({"word_ids": [[0], [0, 1]]}, "sentence at index 0: word_ids has 1 positions, references 2"),
        ({"predictions": [[0, 1]]}, "Mismatch in the number of predictions"),
        ({"predictions": [[0, 1], [0, 7]]}, "sentence at index 1, position 1: predictions holds 7, not a label; labels are 0 O, 1 B-PER"),
        ({"references": [[-100, 1], [0, 0]]}, "sentence at index 0, position 0: references holds -100"),
        ({"predictions": [["O", "B-PER"], ["O", "O"]]}, "don't match the expected format"),
        ({"word_ids": [[0, 1], [0, -2]]}, "sentence at index 1: word_ids must hold a word's number"),
        ({"words": [2]}, "words is given for 1 sentences, word_ids for 2"),
        ({"words": [2, 1]}, "sentence at index 1: words says 1 words, word_ids 2"),
        ({"words": [2, 2], "word_references": [[0, 0], [0, 0, 0]]}, "sentence at index 1: word_references says 3 words, words 2"),
        ({"word_references": [[0, 0], [0, 9]]}, "sentence at index 1, position 1: word_references holds 9"),
        ({"bootstrap": -1}, "bootstrap is -1"),
        ({"bootstrap": 10, "confidence": 95}, "confidence 95"),
        ({"predictions": [], "references": [], "word_ids": []}, "there is no sentence to score"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], message: str) -> None:
    metric = evaluate.load(str(FOLDER), keep_in_memory=True)
    good = {"predictions": [[0, 1], [0, 0]], "references": [[0, 1], [0, 0]], "word_ids": [[0, 1], [0, 1]]}
    with pytest.raises(ValueError, match=message):
        metric.compute(**{**good, **change})


def test_an_error_does_not_spoil_the_next_call() -> None:
    metric = evaluate.load(str(FOLDER))  # inputs on disk, as by default
    good = {"predictions": [[0, 1]], "references": [[0, 1]], "word_ids": [[0, 1]]}
    with pytest.raises(ValueError, match="holds 9"):
        metric.compute(**{**good, "predictions": [[0, 9]]})
    assert metric.compute(**good)["n"] == 1


def test_it_stands_alone() -> None:
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"__future__", "collections.abc", "itertools", "typing", "datasets", "evaluate", "numpy", "numpy.typing"}


def test_card_and_page() -> None:
    _, front, text = (FOLDER / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    card = yaml.safe_load(front)
    assert (card["sdk"], card["app_file"], card["tags"]) == ("gradio", "app.py", ["evaluate", "metric", "conlipa"])
    assert (FOLDER / card["app_file"]).is_file()
    from conlipa.modeling.phoneme_ner_f1 import app

    result = app.score(*app.EXAMPLE, bootstrap=0)
    assert f"`entity_f1` is {result['entity_f1']:.2f}, `paper_f1` {result['paper_f1']:.2f}" in text  # the card's example is the page's
    assert app.build().title == card["title"]
    with pytest.raises(app.gr.Error, match="predictions has 1 positions"):
        app.score("[[0]]", *app.EXAMPLE[1:], bootstrap=0)
    for wrong in ("3", "[[0.9, 1.7]]", '["12"]', "[[true]]", '{"12": 1}', '[{"0": 1}]', "[[null]]", "[" * 5000):
        with pytest.raises(app.gr.Error, match="predictions is not a JSON list of lists of whole numbers"):
            app.score(wrong, *app.EXAMPLE[1:], bootstrap=0)
    one, words = ("[" + ",".join(each for _ in range(11)) + "]" for each in ("[0]", f"[{app.MAX_NUMBER}]"))  # in a few characters
    with pytest.raises(app.gr.Error, match="1,000,000 words at most"):
        app.score(one, one, words, bootstrap=0)


@pytest.mark.parametrize("count", [module.position_counts, module.entity_counts])
def test_a_better_model_is_better(count: Callable[..., Any]) -> None:
    gold, good = made(4, 300, 0.8)
    worse = [[label if place % 3 else 0 for place, label in enumerate(sentence)] for sentence in good]
    a, b = count(gold, good), count(gold, worse)
    difference, low, high, p = paired_bootstrap(a, b, 0, 999)
    assert 0 < low < difference < high
    assert p == pytest.approx(0.002)
    assert paired_bootstrap(b, a, 0, 999) == pytest.approx((-difference, -high, -low, p))
    assert paired_bootstrap(a, a, 0, 99) == (0.0, 0.0, 0.0, 1.0)


def test_pairing_is_what_makes_the_interval_narrow() -> None:
    gold, good = made(5, 200, 0.8)
    worse = [[0 if number % 8 == 0 else label for label in sentence] for number, sentence in enumerate(good)]
    a, b = module.entity_counts(gold, good), module.entity_counts(gold, worse)
    paired, apart = paired_bootstrap(a, b, 0, 500), paired_bootstrap(a, np.random.default_rng(0).permutation(b), 0, 500)
    assert paired.difference == pytest.approx(apart.difference)
    assert paired.high - paired.low < apart.high - apart.low
    assert paired.low > 0


def test_p_is_even_under_chance() -> None:
    """Two models that differ by chance alone are called different about as often as p says."""
    found = 0
    for seed in range(60):
        gold, first = made(100 + seed, 80, 0.7)
        rng = np.random.default_rng(seed)
        second = [[g if rng.random() < 0.7 else int(rng.integers(0, 7)) for g in sentence] for sentence in gold]
        found += paired_bootstrap(module.position_counts(gold, first), module.position_counts(gold, second), seed, 200).p < 0.1
    assert 0 <= found <= 15  # 6 expected


@pytest.mark.parametrize(
    ("a", "b", "resamples", "message"),
    [
        ((3, 7, 7), (4, 7, 7), 10, "not of the same sentences"),
        ((3, 7), (3, 7), 10, r"\(3, 7\); they must be"),
        ((0, 7, 7), (0, 7, 7), 10, "n at least 1"),
        ((3, 3, 3), (3, 3, 3), 0, "0 resamples"),
    ],
)
def test_paired_bootstrap_complains(a: tuple[int, ...], b: tuple[int, ...], resamples: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(np.zeros(a, dtype=np.int64), np.zeros(b, dtype=np.int64), 0, resamples)
