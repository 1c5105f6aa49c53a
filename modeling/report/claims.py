"""Each claim of the second paper, and of the kit, as a line: holds, fails or undecided, with effect and interval."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from conlipa.atomic_files import write_json
from conlipa.dataset_scripts.tables import digest
from conlipa.modeling.data.fingerprint import of_folder
from conlipa.modeling.evaluation import papers
from conlipa.modeling.evaluation.evaluation import SCORES
from conlipa.modeling.evaluation.markdown import markdown_table, signed
from conlipa.modeling.evaluation.significance import difference_over_languages
from conlipa.modeling.phoneme_ner_f1.phoneme_ner_f1 import interval
from conlipa.modeling.records import read_json
from conlipa.modeling.report.measured import counts_of_study
from conlipa.modeling.report.section import Inputs, Section
from conlipa.modeling.report.studies import NONE, amount, cases_at_hand, papers_mean
from conlipa.modeling.studies.ablation import read_study
from conlipa.modeling.studies.runs import Measured

KEY = "claims"
TITLE = "Claims"
COSINE = "embedding/cosine.json"
"""Under `work`: what the section `embedding` measures, as `keep_cosines` writes it."""
CONFIDENCE, RESAMPLES, ENOUGH_SEEDS = 0.95, 4000, 3
Runs = Sequence[Measured]


class Claim(NamedTuple):
    """That an arm of a study is better than others: than each of them."""

    text: str
    study: str
    better: str
    than: tuple[str, ...] | None
    """None: every other arm but stage 1 alone."""


CLAIMS = (
    Claim("IPAC raises F1", "korean", "512", (NONE,)),
    Claim("512 Korean pairs are better than 7,521", "korean", "512", ("7521",)),
    Claim("Pairs of all languages are better than those of any one", "languages", "all", None),
    Claim("Temperature 0.1 is best", "temperature", "0.1", None),
    Claim("True pairs beat shuffled ones, with replay", "control", "true pairs, replay", ("shuffled pairs, replay",)),
    Claim("True pairs beat shuffled ones, without replay", "control", "true pairs", ("shuffled pairs",)),
)


class Effect(NamedTuple):
    """A difference in points, and what it is a difference to."""

    difference: float
    low: float
    high: float
    to: str


def verdict(effects: Sequence[Effect]) -> str:
    """`holds`: every interval lies above 0; `fails`: one of them below; otherwise `undecided`."""
    if all(effect.low > 0 for effect in effects):
        return "holds"
    return "fails" if any(effect.high < 0 for effect in effects) else "undecided"


def effects_of(better: Runs, others: Mapping[str, Runs], score: str) -> list[Effect]:
    """The better arm against each other, at 95% for all of them together (Bonferroni)."""
    confidence = 1 - (1 - CONFIDENCE) / len(others)
    own = [run[score] for run in better]
    found = []
    for name, runs in others.items():
        difference = difference_over_languages(own, [run[score] for run in runs], resamples=RESAMPLES, confidence=confidence)
        found.append(Effect(difference.difference, difference.low, difference.high, name))
    return found


def deciding(effects: Sequence[Effect]) -> Effect:
    """The one that a verdict hangs on."""
    failed = [effect for effect in effects if effect.high < 0]
    return min(failed, key=lambda effect: effect.high) if failed else min(effects, key=lambda effect: effect.low)


def cosine_effect(found: Mapping[str, Any], seed: int = 0) -> Effect:
    """How much the mean cosine of the pairs rises, in points; pairs (within their language) and seeds are drawn again.

    Args:
        found: `{"eng-ori": {"before": [a cosine a pair], "after": [[a cosine a pair], a list a seed]}, …}`.
    """
    rng = np.random.default_rng(seed)
    exact, draws = [], []
    for part in found.values():
        changes: NDArray[Any] = 100 * (np.array(part["after"]) - np.array(part["before"]))  # (seeds, pairs)
        seeds, pairs = changes.shape
        exact.append(changes.mean())
        rows, columns = rng.integers(0, seeds, (RESAMPLES, seeds)), rng.integers(0, pairs, (RESAMPLES, pairs))
        draws.append(changes[rows[:, :, None], columns[:, None, :]].mean(axis=(1, 2)))
    low, high = interval(np.mean(draws, axis=0), CONFIDENCE)
    return Effect(float(np.mean(exact)), low, high, "before")


def keep_cosines(inputs: Inputs, found: Mapping[str, Any]) -> None:
    """Write what `cosine_effect` reads, with what it was made from: the folder of a report may have been another model's."""
    write_json({"made_from": _made_from(inputs), "cosines": found}, inputs.out / "work" / COSINE)


def kept_cosines(inputs: Inputs) -> dict[str, Any] | None:
    """Those of these models, if they were measured."""
    memory = inputs.out / "work" / COSINE
    kept = read_json(memory) if memory.is_file() else {}
    return dict(kept["cosines"]) if kept.get("made_from") == _made_from(inputs) else None


def _made_from(inputs: Inputs) -> str:
    made_from = [of_folder(inputs.ner), of_folder(inputs.adapter), inputs.recipe.as_dict(), inputs.seeds, digest()]
    return hashlib.sha256(json.dumps(made_from).encode()).hexdigest()[:16]


def section(inputs: Inputs) -> Section:
    """A line a claim and score."""
    studies = {name: counts_of_study(inputs, name) for name in dict.fromkeys(claim.study for claim in CLAIMS)}
    rows, data = [], []
    for claim in CLAIMS:
        arms = studies[claim.study]
        others = {name: arms[name] for name in claim.than or [arm for arm in arms if arm not in (claim.better, NONE)]}
        for score in SCORES:
            effects = effects_of(arms[claim.better], others, score)
            theirs = _papers_effect(claim, deciding(effects).to, inputs.langs) if score == "paper_f1" else None
            rows.append(_row(claim.text, score, effects, theirs))
            data.append({"claim": claim.text, "score": score, "verdict": verdict(effects), "effects": [effect._asdict() for effect in effects]})
    if cosines := kept_cosines(inputs):
        effects = [cosine_effect(cosines)]
        printed = [papers.row("ipac_3", pair, model).average or 0.0 for model in ("CONLIPA", "XPhoneBERT") for pair in ("eng-ori", "eng-khm")]
        rows.append(_row("Cosine similarity rises", "cosine", effects, mean(printed[:2]) - mean(printed[2:])))
        data.append({"claim": "Cosine similarity rises", "score": "cosine", "verdict": verdict(effects), "effects": [effects[0]._asdict()]})
    else:
        rows.append(["Cosine similarity rises", "cosine", "not measured (section `embedding`)", None, None, None, None])
    head = ["claim", "score", "verdict", "effect", "95% interval", "against", "papers' effect"]
    return Section(KEY, TITLE, "\n\n".join([markdown_table(head, rows), _explanation(inputs)]), data={"claims": data})


def _row(text: str, score: str, effects: Sequence[Effect], theirs: float | None) -> list[str | float | None]:
    least = deciding(effects)
    against = "stage 1 alone" if least.to == NONE else least.to
    against += f" (of {len(effects)} others)" if len(effects) > 1 else ""
    limits = f"{signed(least.low)} to {signed(least.high)}"
    return [text, score, f"**{verdict(effects)}**", signed(least.difference), limits, against, None if theirs is None else signed(theirs)]


def _papers_effect(claim: Claim, rival: str, langs: Sequence[str]) -> float | None:
    """The same difference in the papers' figures, mean over the same languages; None where they lack one of the two arms."""
    study = read_study(claim.study)
    at_hand = cases_at_hand(langs)
    means: dict[str, float] = {}
    for arm in (claim.better, rival):
        of_cases = [(papers_mean(study, arm, case, own), len(own)) for case, own in at_hand.items()]
        if any(value is None for value, _ in of_cases):
            return None
        means[arm] = sum((value or 0.0) * many for value, many in of_cases) / sum(many for _, many in of_cases)
    return means[claim.better] - means[rival]


def _explanation(inputs: Inputs) -> str:
    few = "" if inputs.seeds >= ENOUGH_SEEDS else f" **{inputs.seeds} of the {ENOUGH_SEEDS} seeds that a claim wants: read this as a trial.**"
    return (
        f"{amount(inputs)}, {len(inputs.langs)} languages of Cases 1 to 3, {inputs.seeds} seeds of stage 2 on one stage-1 model.{few} Effects are"
        " points (percent of F1, or of cosine), means over languages; intervals by paired bootstrap over sentences and seeds (cosine: over pairs and"
        " seeds). *Holds*: the interval lies above 0; *fails*: below; else *undecided*. That a setting is best is a claim against each other setting,"
        " and is tested so: the intervals are wider, at 95% for all of them together (Bonferroni), and the line shows the rival that decides. It"
        " holds if all of them lie above 0 and fails if one lies below. With few seeds the spread between seeds is itself poorly known: intervals"
        " are rather too narrow than too wide. *Papers' effect*: the same difference in their figures for the same languages (cosine: as printed)."
    )
