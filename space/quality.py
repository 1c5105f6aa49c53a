"""What to expect of a language, as the card of the model at work has it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.wikiann.wikiann import HUB_REPO
from conlipa.hub import card_of
from conlipa.modeling.inference.packaged import located
from conlipa.modeling.records import trained_on
from conlipa.space.tagging import chosen

_TITLES = "Wikipedia's titles and lists"
"""What WikiANN is of."""


@cache
def _measured(folder: str) -> dict[str, tuple[float, str]]:
    """Code of a language, as cards have it → strict entity F1 in percent, and on what; empty where the folder has no card with scores."""
    card = card_of(Path(folder))
    results = [one for one in (card and card.eval_results) or [] if str(one.metric_name).startswith("strict entity F1")]
    return {str(one.dataset_config): (float(one.metric_value), _TITLES if one.dataset_type == HUB_REPO else str(one.dataset_name)) for one in results}


@cache
def _folders(model: str, adapter: str | None) -> tuple[str, str | None]:
    """Where the model lies, which may be named by its repo on the Hub."""
    return located(model, adapter)


def expected(lang: str) -> str:
    """One sentence: the measured score of a language, or that there is none; and whether the model was trained on it."""
    known = languages().get(lang)
    if known is None:
        return ""
    model, adapter = _folders(*chosen())
    score, on = _measured(adapter or model).get(known.wikiann or lang, (None, ""))
    measured = f"Entity F1 on {on}, measured: {score:.0f} of 100." if score is not None else "Quality not measured."
    sources = trained_on(model, adapter)
    seen = ("Trained on." if lang in sources else "Never seen in training.") if sources else ""  # a model without a record does not say
    return f"{measured} {seen}".strip()
