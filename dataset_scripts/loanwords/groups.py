"""The languages that have loanword pairs. Recipes name them, so nothing here is slow to import."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conlipa.dataset_scripts.languages import by_case
from conlipa.dataset_scripts.tables import FOLDER
from conlipa.errors import nearest


def pairs_path(lang: str) -> Path:
    """Where the pairs of a language lie."""
    return FOLDER / "pairs" / f"{lang}.tsv"


GROUPS = {"all": by_case("conlipa"), "extra": [iso for iso in by_case("extra") if pairs_path(iso).is_file()]}
"""Configs of several languages; every language of a group is a config of its own too."""


def fault_in(wanted: Sequence[str], extra: bool) -> str | None:
    """Why these languages cannot be those of the pairs, or None; `extra`: whether the languages beyond the paper are taken as well."""
    known = [iso for group in GROUPS.values() for iso in group]
    for place, lang in enumerate(wanted):
        if lang not in known:
            return f"languages has '{lang[:60]}', which has no loanword pairs{nearest(lang, known)} (known: {', '.join(known)})"
        if lang in wanted[:place]:
            return f"languages has {lang} twice"
        if extra and lang in GROUPS["extra"]:
            return f"languages has {lang}, which extra: true takes already"
    return None
