"""What several sections count on: the two models and the runs of a study, measured once."""

from __future__ import annotations

from collections.abc import Sequence

from conlipa.modeling.report.section import Inputs
from conlipa.modeling.studies.ablation import measured_arms, read_study
from conlipa.modeling.studies.runs import Measured, Runs, measure


def counts_of_models(inputs: Inputs) -> tuple[Measured, Measured]:
    """Stage 1 alone, and with its adapter: score → language → counts of each sentence of the validation split."""
    folder, langs = inputs.out / "work" / "models", list(inputs.langs)
    before = measure(inputs.ner, None, inputs.corpus, langs, inputs.sentences, folder / "ner.npz")
    return before, measure(inputs.ner, inputs.adapter, inputs.corpus, langs, inputs.sentences, folder / "ipac.npz")


def runs_of(inputs: Inputs) -> Runs:
    """All runs of stage 2: whatever section asks for one, it is trained once."""
    return Runs(inputs.ner, inputs.corpus, inputs.out / "work" / "runs")


def counts_of_study(inputs: Inputs, name: str, langs: Sequence[str] | None = None) -> dict[str, list[Measured]]:
    """Every arm of a study of the kit: a run a training seed (one of stage 1 alone); trains what is not there yet.

    Args:
        langs: to measure on; None: the report's.
    """
    wanted = list(inputs.langs if langs is None else langs)
    return measured_arms(read_study(name), inputs.recipe, runs_of(inputs), wanted, inputs.seeds, inputs.sentences, inputs.jobs)
