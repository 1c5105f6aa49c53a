from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score as seqeval_f1
from seqeval.scheme import IOB2
from sklearn.metrics import f1_score as sklearn_f1

from conlipa.dataset_scripts.wikiann.wikiann import LABELS
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.evaluation import evaluation
from conlipa.modeling.evaluation.metrics import entity_f1, paper_f1, summary
from conlipa.modeling.inference.packaged import packaged

SEQUENCES = st.lists(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12), min_size=1, max_size=8)


def ids(text: str) -> list[int]:
    return [LABELS.index(label) for label in text.split()]


@given(SEQUENCES)
def test_paper_f1_is_scikit_learns_macro_f1(pairs: list[list[tuple[int, int]]]) -> None:
    gold, predicted = ([[p[side] for p in s] for s in pairs] for side in (0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sklearn_f1([g for s in gold for g in s], [p for s in predicted for p in s], average="macro")
    assert paper_f1(gold, predicted) == pytest.approx(100 * expected)


@given(SEQUENCES)
def test_entity_f1_is_seqevals(pairs: list[list[tuple[int, int]]]) -> None:
    gold, predicted = ([[p[side] for p in s] for s in pairs] for side in (0, 1))
    names = [[[LABELS[label] for label in s] for s in side] for side in (gold, predicted)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = seqeval_f1(names[0], names[1], mode="strict", scheme=IOB2, zero_division=0)
    assert entity_f1(gold, predicted) == pytest.approx(100 * expected)


@pytest.mark.parametrize(
    ("gold", "predicted", "score"),
    [
        ("B-PER I-PER O", "B-PER I-PER O", 100.0),
        ("B-PER I-PER O", "B-PER O O", 0.0),  # half an entity is none
        ("B-PER I-PER O B-LOC", "B-PER I-PER O O", 200 / 3),
        ("B-LOC O", "I-LOC O", 0.0),  # an I- without B- is no entity
        ("O I-LOC B-LOC", "O I-LOC B-LOC", 100.0),  # nor is it one in the gold
        ("B-LOC B-LOC", "B-LOC I-LOC", 0.0),
        ("O O", "O O", 0.0),
    ],
)
def test_entity_f1_worked_by_hand(gold: str, predicted: str, score: float) -> None:
    assert entity_f1([ids(gold)], [ids(predicted)]) == pytest.approx(score)


def test_paper_f1_worked_by_hand() -> None:
    # O: 2 of 3 right and none wrong elsewhere → 2·2/(3+2); B-LOC: 1 right, 1 too many → 2·1/(1+2); the others do not occur
    assert paper_f1([ids("O O O B-LOC")], [ids("O O B-LOC B-LOC")]) == pytest.approx(100 * (4 / 5 + 2 / 3) / 2)


def test_average_and_sample_deviation_as_in_the_papers() -> None:
    # Table 2 of the second paper, XPhoneBERT, Case 1
    case_1 = [43.61, 38.91, 38.07, 51.90, 44.82, 31.03, 49.67, 73.05]
    result = summary({str(number): {"paper_f1": f1, "entity_f1": 0.0} for number, f1 in enumerate(case_1)})
    assert round(result["average"]["paper_f1"], 2) == 46.38
    assert round(result["std"]["paper_f1"], 2) == 12.67


def test_a_name_is_looked_up_before_its_record_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = packaged("mini")
    monkeypatch.setattr(evaluation, "located", lambda *_: folders)
    row = {"paper_f1": 50.0, "entity_f1": 50.0, "n": 1}
    monkeypatch.setattr(evaluation, "evaluate_language", lambda *_: row)
    result = evaluation.evaluate("someone/mini-ner", "someone/mini-ipac", Corpus("sample"), ["eng", "tgk"], "validation")
    assert "eng" in result["sources"]
    assert "**AVG** (zero-shot)" in evaluation.table({"": result})
    assert "zero-shot" not in evaluation.table({"": evaluation.report({"eng": row}, ["eng"])})
