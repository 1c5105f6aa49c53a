"""The second paper's second open question: why do 7,521 Korean pairs do worse than 512 (its Table 4)?

Stage 2 without replay, with either number of pairs, for the same number of steps at the same rates; every so many steps the drift of the English
tagging, the geometry of the words and the zero-shot scores are measured. (The paper keeps the epochs the same instead: more pairs, more steps.)
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import count, islice
from statistics import mean
from typing import Any, NamedTuple

import torch
from accelerate.utils import set_seed

from conlipa.atomic_files import write_json
from conlipa.dataset_scripts.loanwords.builder import GROUPS
from conlipa.dataset_scripts.loanwords.pairs import pairs_path, read_pairs
from conlipa.modeling.data.corpus import encoded
from conlipa.modeling.data.fingerprint import of_folder, of_pairs, of_sentences
from conlipa.modeling.data.loanwords import Loanwords
from conlipa.modeling.encoder import input_kind_of, load_tagger, max_length, with_short_attention
from conlipa.modeling.evaluation.evaluation import tagged
from conlipa.modeling.evaluation.markdown import markdown_table
from conlipa.modeling.evaluation.metrics import entity_f1, paper_f1
from conlipa.modeling.inference.calibration import SOURCE
from conlipa.modeling.inference.prediction import logits
from conlipa.modeling.inference.word_vectors import embedded
from conlipa.modeling.recipe import Ipac
from conlipa.modeling.report.drawing import svg
from conlipa.modeling.report.section import Inputs, Section
from conlipa.modeling.report.words import alignment, sides, uniformity
from conlipa.modeling.training.ipac import IpacStage
from conlipa.modeling.training.loop import train
from conlipa.modeling.training.run_metadata import run_metadata_of

KEY = "drift"
AMOUNTS = FEW, MANY = 512, 7521
STEPS, EVERY = 60, 10
ENGLISH, SENTENCES, LANGUAGES = 100, 50, 4
"""Sentences of English; of each zero-shot language; and how many of these."""
WORDS = 100
"""Pairs of each set."""
HELD_OUT = "further languages"
SETS = {"Korean": ["kor"], "the other nine": [iso for iso in GROUPS["all"] if iso != "kor"], HELD_OUT: GROUPS["extra"]}

KL = "KL from stage 1, English (nats)"
SCORES = [f"{what} {score}" for what in ("English", "zero-shot") for score in ("paper_f1", "entity_f1")]
GEOMETRY = [f"{what}, {name}" for what in ("alignment", "uniformity") for name in SETS]
FIGURES = {"drift-tagging.svg": ([KL, *SCORES[:2]], 1), "drift-words.svg": (GEOMETRY, 2), "drift-zero-shot.svg": (SCORES[2:], 1)}
"""File name to its measures, and to its number of rows."""

Curve = dict[int, dict[str, float]]
"""Step → measure → value."""


class Ending(NamedTuple):
    """A measure at the last step, in the mean over seeds."""

    name: str
    start: float
    """Of stage 1."""
    few: float
    many: float
    each: list[float]
    """`many` less `few`, seed by seed."""

    @property
    def difference(self) -> float:
        return self.many - self.few

    @property
    def agree(self) -> int:
        """Seeds whose difference has the sign of the mean."""
        return sum(one * self.difference > 0 for one in self.each)

    def compared(self) -> str:
        """In words."""
        if not self.difference:
            return f"the same with {FEW} and {MANY:,} pairs"
        way = "higher" if self.difference > 0 else "lower"
        return f"{self.shown(abs(self.difference))} {way} with {MANY:,} pairs than with {FEW} (so in {self.agree} of {len(self.each)} seeds)"

    def shown(self, value: float, sign: str = "") -> str:
        return f"{value:{sign}.{2 if self.name in SCORES else 4}f}"


class Yardstick:
    """What is measured of a tagger, on sentences and pairs that stay the same."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        model, self.tokenizer = load_tagger(inputs.ner)
        with_short_attention(model)  # as stage 2 does: a drift of nothing is 0 and no rounding error
        input_kind = input_kind_of(model)
        self.langs = inputs.langs[:: max(1, len(inputs.langs) // LANGUAGES)][:LANGUAGES]
        rows = inputs.corpus.split(SOURCE, "validation")
        self.english = encoded(rows.select(range(min(ENGLISH, len(rows)))), self.tokenizer, max_length(self.tokenizer), input_kind)
        self.reference = self._english(model)
        pairs = {name: [pair for lang in langs for pair in read_pairs(pairs_path(lang))] for name, langs in SETS.items()}
        drawn = {name: random.Random(0).sample(every, min(WORDS, len(every))) for name, every in pairs.items()}
        self.pairs = {name: [sides(pair, input_kind) for pair in some] for name, some in drawn.items()}

    def fingerprint(self) -> str:
        """Of what is measured; the pairs are those of the files."""
        return f"{STEPS} {EVERY} {ENGLISH} {SENTENCES} {WORDS} {of_sentences(self.inputs.corpus, [SOURCE, *self.langs], 'validation')}"

    def __call__(self, tagger: Any) -> dict[str, float]:
        found = {KL: divergence(self.reference, self._english(tagger))}
        found |= {f"English {name}": value for name, value in self._scores(tagger, SOURCE, ENGLISH).items()}
        zero_shot = [self._scores(tagger, lang, SENTENCES) for lang in self.langs]
        found |= {f"zero-shot {name}": mean(one[name] for one in zero_shot) for name in zero_shot[0]}
        for name, pairs in self.pairs.items():
            words = list(dict.fromkeys(word for pair in pairs for word in pair))
            vectors = embedded(tagger, self.tokenizer, words)
            english, target = (vectors[[words.index(pair[side]) for pair in pairs]] for side in (0, 1))
            found |= {f"alignment, {name}": alignment(english, target), f"uniformity, {name}": uniformity(vectors)}
        return found

    def _english(self, tagger: Any) -> torch.Tensor:
        return torch.cat(logits(tagger, self.english, self.tokenizer.pad_token_id)).log_softmax(-1)

    def _scores(self, tagger: Any, lang: str, sentences: int) -> dict[str, float]:
        said = tagged(tagger, self.tokenizer, self.inputs.corpus, lang, "validation", sentences)
        return {"paper_f1": paper_f1(said.positions, said.predicted_positions), "entity_f1": entity_f1(said.words, said.predicted_words)}


def divergence(reference: torch.Tensor, now: torch.Tensor) -> float:
    """Mean KL(reference ‖ now) over positions, in nats; both (positions, labels) log-probabilities."""
    return float((reference.exp() * (reference - now)).sum(-1).mean())


class Bounded(IpacStage):
    """Stage 2 for `STEPS` steps, over as many passes through its pairs as that takes, in one epoch: the rates are then the same for any number."""

    def batches(self, epoch: int) -> list[list[int]]:
        passes = (batch for number in count() for batch in super(Bounded, self).batches(number))
        return list(islice(passes, STEPS))


def settings_of(inputs: Inputs, amount: int, seed: int) -> Ipac:
    """The recipe's, on the ten languages with so many Korean pairs, without replay."""
    return replace(inputs.recipe.ipac, korean_pairs=amount, seed=seed, replay_weight=0.0, languages=None, extra=False)


def curve(inputs: Inputs, measure: Yardstick, amount: int, seed: int) -> Curve:
    """One run: trained and measured, or as it was kept; interrupted, it resumes."""
    recipe = replace(inputs.recipe, ipac=replace(settings_of(inputs, amount, seed), epochs=1))
    run_metadata = run_metadata_of(recipe, "ipac", f"{of_folder(inputs.ner)} {of_pairs()}", measured=measure.fingerprint())
    place = inputs.out / "work" / KEY / f"{amount}-{seed}"
    memory = place.with_suffix(".json")
    kept = json.loads(memory.read_text(encoding="utf-8")) if memory.is_file() else {}
    if kept.get("run_metadata") != run_metadata:
        kept = {"run_metadata": run_metadata, "curve": {}}
    if str(STEPS) not in kept["curve"]:
        set_seed(seed)
        stage = Bounded(recipe, inputs.ner)

        def watch(step: int) -> None:
            if step % EVERY == 0:
                kept["curve"][str(step)] = measure(stage.module.model.get_base_model())
                write_json(kept, memory)

        watch(0)
        train(stage, place, place.with_name(f".{place.name}.checkpoints"), run_metadata, watch=watch)
    return {int(step): values for step, values in kept["curve"].items()}


def section(inputs: Inputs) -> Section:
    """Curves over steps, the ends of them, and what they say."""
    measure = Yardstick(inputs)
    curves = {amount: [curve(inputs, measure, amount, seed) for seed in range(inputs.seeds)] for amount in AMOUNTS}
    ends = [ending(name, curves) for name in (KL, *SCORES, *GEOMETRY)]
    own = [steps_of(settings_of(inputs, amount, 0)) for amount in AMOUNTS]
    figures = {name: figure(curves, measures, rows) for name, (measures, rows) in FIGURES.items()}
    shown = [f"![{', '.join(measures)}, over steps, with {FEW} and {MANY:,} Korean pairs]({name})" for name, (measures, _) in FIGURES.items()]
    body = "\n\n".join([_introduction(inputs, measure), _table(ends), _reading(ends, own), *shown])
    return Section(
        KEY, f"Where the damage of {MANY:,} Korean pairs comes from", body, figures, data={str(amount): runs for amount, runs in curves.items()}
    )


def ending(name: str, curves: Mapping[int, Sequence[Curve]]) -> Ending:
    """The last step of a measure."""
    last = {amount: [run[STEPS][name] for run in runs] for amount, runs in curves.items()}
    each = [many - few for few, many in zip(last[FEW], last[MANY], strict=True)]
    return Ending(name, curves[FEW][0][0][name], mean(last[FEW]), mean(last[MANY]), each)


@cache
def steps_of(settings: Ipac) -> int:
    """As many as stage 2 takes for its epochs."""
    pairs = Loanwords(settings)
    return sum(len(pairs.epoch(epoch)) for epoch in range(settings.epochs))


def _introduction(inputs: Inputs, measure: Yardstick) -> str:
    seeds = f"means of {inputs.seeds} seeds; the bands reach from the lowest to the highest" if inputs.seeds > 1 else "one seed"
    return (
        f"Stage 2 of this recipe without replay, for {STEPS} steps, with {FEW} and with {MANY:,} Korean pairs beside the other nine languages, all"
        f" else the same; {seeds}. English: the first {ENGLISH} validation sentences. Zero-shot: mean over {', '.join(measure.langs)}, the first"
        f" {SENTENCES} sentences each. Words: {WORDS} pairs of each set (all pairs but those of the further languages may be trained on), as unit"
        " vectors of mean-pooled last hidden states. Alignment: mean squared distance of pairs, lower is nearer. Uniformity: log mean exp(-2 d²)"
        " over all words, lower is more spread."
    )


def _table(ends: Sequence[Ending]) -> str:
    head = ["", "stage 1", f"{FEW} pairs", f"{MANY:,} pairs", "difference", "same sign in"]
    rows = [[e.name, e.shown(e.start), e.shown(e.few), e.shown(e.many), e.shown(e.difference, "+"), f"{e.agree} of {len(e.each)}"] for e in ends]
    return markdown_table(head, rows)


def _reading(ends: Sequence[Ending], own: Sequence[int]) -> str:
    """What the ends say, line by line, and of the question itself."""
    lines = [f"- {e.name}: {e.shown(e.start)} before; {e.compared()}." for e in ends if e.name in (KL, *SCORES) or e.name.endswith(HELD_OUT)]
    zero_shot = [e for e in ends if e.name in SCORES[2:]]
    lower = all(e.difference < 0 and e.agree == len(e.each) for e in zero_shot)
    answer = "both zero-shot scores are lower with more Korean pairs, in every seed" if lower else "it is not so that both zero-shot scores are lower"
    rest = "the pairs themselves do damage" if lower else "more pairs alone explain no damage"
    return "\n".join(lines) + (
        f"\n\nAt the same number of steps {answer}: {rest} here. The recipe keeps the epochs instead, which makes {own[0]} steps of {FEW} pairs and"
        f" {own[1]} of {MANY:,}: what longer training adds is not in these curves."
    )


def figure(curves: Mapping[int, Sequence[Curve]], measures: Sequence[str], rows: int) -> str:
    """A panel a measure, a line a number of pairs."""

    def draw(axes: Any) -> None:
        for panel, name in zip(axes.flat, measures, strict=True):
            for amount, runs in curves.items():
                steps = sorted(runs[0])
                values = [[run[step][name] for run in runs] for step in steps]
                (line,) = panel.plot(steps, [mean(one) for one in values], label=f"{amount:,} Korean pairs")
                panel.fill_between(steps, [min(one) for one in values], [max(one) for one in values], color=line.get_color(), alpha=0.2, linewidth=0)
            panel.set(title=name, xlabel="step")
        axes.flat[0].legend()

    return svg(draw, rows, len(measures) // rows)
