"""Scores that mean what they say: a temperature, fitted on the source language, by which the logits are divided.

python -m conlipa.modeling.inference.calibration --model DIR [--adapter DIR] --corpus DIR     # writes calibration.json and reliability.svg

An entity is right where its span and its type are. Every second sentence of the validation split fits the temperature,
the others measure: the expected calibration error (ECE) is the mean distance of score and share of right entities over
fifteen bins of equal width, weighted by their entities. Titles and running text, where the corpus has both, weigh the same.
A temperature changes no label.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from conlipa.atomic_files import write_json, write_text
from conlipa.dataset_scripts.wikiann.places import corpus_option
from conlipa.errors import ConlipaError, exit_on_error
from conlipa.modeling.alignment import NO_WORD
from conlipa.modeling.data.corpus import Corpus, encoded
from conlipa.modeling.encoder import input_kind_of, load_adapted, max_length
from conlipa.modeling.inference.entities import spans
from conlipa.modeling.inference.loading import CALIBRATION_FILE
from conlipa.modeling.inference.packaged import MINI, packaged
from conlipa.modeling.inference.prediction import logits
from conlipa.quiet import quiet

FIGURE = "reliability.svg"
SOURCE = "eng"
BINS = 15

Found = tuple[NDArray[np.float32], bool]
"""Logits (words, labels) of an entity, and whether it is right."""


def found_entities(model: Any, tokenizer: Any, corpus: Corpus, lang: str, kind: str) -> list[list[Found]]:
    """The entities that the model finds in each sentence of a validation split, of one kind of sentences."""
    rows = corpus.split(lang, "validation", kind)
    examples = encoded(rows, tokenizer, max_length(tokenizer), input_kind_of(model))
    result = []
    for row, example, scores in zip(rows, examples, logits(model, examples, tokenizer.pad_token_id, progress=lang), strict=True):
        ids = example["word_ids"]
        firsts = [position for position, word in enumerate(ids) if word not in (NO_WORD, ids[position - 1])]
        words = scores.numpy()[firsts]
        gold = {(kind, *members) for kind, members in spans(row["ner_tags"])}
        result.append([(words[members], (kind, *members) in gold) for kind, members in spans(words.argmax(-1).tolist())])
    return result


def scores(entities: Sequence[Found], temperature: float) -> NDArray[np.float64]:
    """What `Entity.score` is at a temperature."""
    result = []
    for words, _ in entities:
        powers = np.exp((words - words.max(-1, keepdims=True)) / temperature)
        result.append((powers.max(-1) / powers.sum(-1)).mean())
    return np.array(result)


def _right(entities: Sequence[Found]) -> NDArray[np.bool_]:
    return np.array([right for _, right in entities], dtype=bool)


def fitted(*groups: Sequence[Found]) -> float:
    """The temperature at which the scores are likeliest, as probabilities that an entity is right; each group weighs the same."""

    def loss(log_temperature: float) -> float:
        total = 0.0
        for entities in groups:
            probability = np.clip(scores(entities, float(np.exp(log_temperature))), 1e-6, 1 - 1e-6)
            total -= float(np.log(np.where(_right(entities), probability, 1 - probability)).mean())
        return total

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.1), np.log(20)), method="bounded").x))


def reliability(probability: NDArray[np.float64], right: NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    """Mean score, share of right entities and number of entities of each bin that has any."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    return [(float(probability[bins == b].mean()), float(right[bins == b].mean()), int((bins == b).sum())) for b in np.unique(bins)]


def ece(rows: Sequence[tuple[float, float, int]]) -> float:
    """Expected calibration error, 0 to 1."""
    return sum(abs(score - share) * many for score, share, many in rows) / sum(many for *_, many in rows)


def _named(parts: dict[str, list[Found]]) -> str:
    """How many entities of which kind of sentences."""
    return " and ".join(f"{len(entities)} entities in {kind.replace('running', 'running text')}" for kind, entities in parts.items())


Reliability = dict[str, list[tuple[float, float, int]]]
"""Rows of `reliability`, by kind of sentences."""


def figure(before: Reliability, after: Reliability, path: Path) -> None:
    """The reliability diagram as SVG."""
    try:
        import matplotlib
    except ImportError as error:
        raise ConlipaError("matplotlib is needed for the reliability figure (pip install matplotlib)") from error
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "conlipa"  # the same figure, byte for byte
    from io import StringIO

    from matplotlib import pyplot

    made, axes = pyplot.subplots(figsize=(4, 4))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for name, found, style in (("temperature 1", before, "o--"), ("fitted temperature", after, "s-")):
        for kind, rows in found.items():
            label = f"{kind}, {name}, ECE {ece(rows):.3f}"
            axes.plot([score for score, *_ in rows], [share for _, share, _ in rows], style, markersize=4, label=label)
    axes.set(xlabel="score", ylabel="share of entities that are right", xlim=(0, 1), ylim=(0, 1))
    axes.legend(loc="upper left", fontsize="small")
    text = StringIO()
    made.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(made)
    write_text(text.getvalue(), path)


def calibrate(model: str, adapter: str | None, corpus: Corpus, lang: str = SOURCE) -> dict[str, Any]:
    """Fit, measure, and write both files into the adapter's folder, or the model's where there is none.

    Raises:
        ConlipaError: a Hub repo instead of a folder, or a split in which the model finds too little.
    """
    folder = Path(adapter or model)
    if not folder.is_dir():
        raise ConlipaError(f"{folder}: no such folder; a calibration is written beside the weights")
    loaded = load_adapted(model, adapter)
    kinds = [kind for kind in corpus.kinds if lang in corpus.languages("validation", kind)]
    if not kinds:
        raise ConlipaError(f"{corpus.where or 'sample'}: has no validation split of {lang} to fit a temperature to")
    fit, measure = {}, {}
    for kind in kinds:
        sentences = found_entities(*loaded, corpus, lang, kind)
        fit[kind], measure[kind] = ([entity for sentence in sentences[half::2] for entity in sentence] for half in (0, 1))
        if min(len(set(_right(part[kind]).tolist())) for part in (fit, measure)) < 2:
            raise ConlipaError(f"{corpus.where or 'sample'}: too few entities of {lang} are found in its {kind} to fit a temperature to")
    temperature = fitted(*fit.values())
    before, after = ({kind: reliability(scores(part, t), _right(part)) for kind, part in measure.items()} for t in (1.0, temperature))
    result = {
        "temperature": round(temperature, 4),
        "fitted_on": f"{lang} validation, {_named(fit)}; measured on the other {_named(measure)}",
        "ece_before": {kind: round(ece(rows), 4) for kind, rows in before.items()},
        "ece_after": {kind: round(ece(rows), 4) for kind, rows in after.items()},
    }
    figure(before, after, folder / FIGURE)
    write_json(result, folder / CALIBRATION_FILE)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=MINI)
    parser.add_argument("--adapter")
    corpus_option(parser)
    arguments = parser.parse_args()
    quiet()
    with exit_on_error():
        print(calibrate(*packaged(arguments.model, arguments.adapter), Corpus(arguments.corpus)))


if __name__ == "__main__":
    main()
