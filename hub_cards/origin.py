"""What the parts of a release were made from, as their cards say it: sentences, pairs, and the weights that training began with."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub import try_to_load_from_cache

from conlipa.dataset_scripts.loanwords.builder import GROUPS
from conlipa.dataset_scripts.loanwords.pairs import pairs_path, read_pairs
from conlipa.dataset_scripts.wikiann.wikiann import HUB_REPO
from conlipa.hub import is_repo
from conlipa.modeling.inference.saving import license_of
from conlipa.modeling.recipe import Ipac

SOURCES = {"sample": "the kit's built-in sample (not a benchmark)", "hub": f"WikiANN (`{HUB_REPO}`)"}


def is_wikiann(source: str) -> bool:
    """Whether titles are WikiANN's: those of the Hub, and folders that are called so. `source` is as a release names it."""
    return all(part == "hub" or part.startswith("wikiann") for part in _titles(source).split(" and "))


def _titles(source: str) -> str:
    """A source without its running text, which is trained on and not published."""
    return " and ".join(part for part in source.split(" and ") if not part.startswith("running="))


class Origin(NamedTuple):
    """What cards say of the sentences that a release was made from."""

    described: str
    title: str
    licence: dict[str, Any]
    name: str
    kind: str
    """`dataset_name` and `dataset_type` of the `model-index`."""


def origin_of(source: str) -> Origin:
    """A corpus of somebody's own has an owner and a licence that the kit does not know."""
    if source == "sample":
        return Origin(SOURCES[source], "WikiANN-IPA", {"license": "apache-2.0"}, "conlipa sample", "conlipa-sample")
    if is_wikiann(source):
        return Origin(SOURCES.get(source, "WikiANN"), "WikiANN-IPA", {"license": "odc-by"}, "WikiANN", HUB_REPO)
    titles = _titles(source)
    licence = {"license": "other", "license_name": "that-of-the-corpus"}
    return Origin(f"a corpus of its publisher (`{titles}`)", f"{titles}, with phonemes", licence, titles, "corpus")


def weights_of(repo: str | None, revision: str | None = None) -> dict[str, Any]:
    """Licence and base of a model for the front matter of its card, by its recipe's `encoder.repo` and `encoder.revision`.

    What is made from somebody's weights is under their licence: the one that their card names, which training left in the cache of `huggingface_hub`.
    """
    if not repo:
        return {"license": "apache-2.0"}
    card = try_to_load_from_cache(repo, "README.md", revision=revision) if is_repo(repo) else str(Path(repo, "README.md"))
    known = license_of(Path(card).parent) if isinstance(card, str) else None
    licence = {"license": "other", "license_name": "that-of-the-base-model"} if known in (None, "other") else {"license": known}
    return licence | ({"base_model": repo} if is_repo(repo) else {})


def pairs_of(settings: Ipac) -> dict[str, str]:
    """Which pairs stage 2 was trained on: how many `korean` ones, and all of which `others`; empty where it had none."""
    own = list(settings.languages or GROUPS["all"])
    extra = GROUPS["extra"] if settings.extra else []
    most = settings.korean_pairs
    korean = "all" if most is None or most >= len(read_pairs(pairs_path("kor"))) else str(most)
    named = [iso for iso in own if iso != "kor"] if settings.languages else ["the other nine languages"]
    return {"korean": korean if "kor" in own else "", "others": ", ".join(dict.fromkeys([*named, *extra]))}
