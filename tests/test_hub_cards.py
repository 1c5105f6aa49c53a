"""What cards say of the sentences, pairs and weights behind a release, and what the Space makes of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard, RepoCard

from conlipa.dataset_scripts.languages import language
from conlipa.hub_cards.cards import ipac_card, ner_card, space_card, wikiann_card
from conlipa.hub_cards.release import _is_packaged, write_cards
from conlipa.hub_cards.tree import Tree
from conlipa.modeling.data.fingerprint import of_folder
from conlipa.modeling.inference.packaged import packaged
from conlipa.modeling.recipe import Recipe
from conlipa.modeling.recipe_file import read_recipe
from conlipa.space import choices, quality

MINI = read_recipe("mini")
LINK = re.compile(r"huggingface.co/([^)]*)")


def scores(langs: Sequence[str], sources: Sequence[str]) -> dict[str, Any]:
    """An evaluation in which every score is the same."""
    row = {"paper_f1": 41.0, "entity_f1": 40.0, "n": 9}
    report = {"languages": dict.fromkeys(langs, row), "average": row, "std": row, "sources": list(sources)}
    return {"before": report, "after": report, "weights": {"ner": "a", "ipac": "b"}}


def card(stage: str, recipe: Recipe = MINI, source: str = "wikiann", langs: Sequence[str] = ("eng", "tgk"), sources: Sequence[str] = ("eng",)) -> str:
    """The card of a stage; the run is that of the packaged model."""
    folder = dict(zip(("ner", "ipac"), packaged("mini"), strict=True))[stage]
    record = json.loads((Path(folder or "") / "training.json").read_text(encoding="utf-8"))
    return {"ner": ner_card, "ipac": ipac_card}[stage](recipe, record, scores(langs, sources), source)


def front(text: str) -> Any:
    return ModelCard(text).data  # type: ignore[no-untyped-call]


def test_a_model_of_the_default_recipe_is_not_called_the_packaged_one(tiny_release: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_release, tmp_path / "release"))
    tree = Tree(folder, replace(read_recipe(str(tiny_release.parent / "tiny.yaml")), name="conlipa-mini"))
    for stage in ("ner", "ipac"):
        (folder / f"tiny-{stage}").rename(folder / f"conlipa-mini-{stage}")
    write_cards(tree, json.loads((folder / "evaluation.json").read_text(encoding="utf-8")), "sample")
    text = (folder / "space" / "README.md").read_text(encoding="utf-8")
    assert RepoCard.load(folder / "space" / "README.md").data.to_dict().get("models") is None
    assert "not that of the release which this Space belongs to" in text
    assert "`CONLIPA_MODEL` to\n`NAMESPACE/conlipa-mini-ner`, `CONLIPA_ADAPTER` to `NAMESPACE/conlipa-mini-ipac`" in text


def test_the_packaged_model_is_known_by_its_weights() -> None:
    ner, ipac = (of_folder(str(folder)) for folder in packaged("mini"))
    assert _is_packaged({"ner": ner, "ipac": ipac})
    assert not _is_packaged({"ner": ner, "ipac": "another"})
    text = space_card(MINI, packaged=True)
    assert front(text).to_dict()["models"] == ["NAMESPACE/conlipa-mini-ner", "NAMESPACE/conlipa-mini-ipac"]
    assert "The model is the one that travels with the package, `conlipa-mini-ner`" in text


def test_the_space_is_not_to_run_a_model_that_reads_letters() -> None:
    recipe = replace(MINI, encoder=replace(MINI.encoder, repo="someone/letters", input="graphemes", case_marks=False))
    assert "CONLIPA_MODEL" not in space_card(recipe, packaged=False)


def test_links_point_at_the_models_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPACE_ID", "me/zero-shot-ner")
    readme = tmp_path / "README.md"
    readme.write_text(space_card(MINI, packaged=False).replace("NAMESPACE/", "me/"), encoding="utf-8")
    for models in ([], ["me/conlipa-mini-ner"], ["me/conlipa-mini-ner", "me/conlipa-mini-ipac"]):
        for name, model in zip(("CONLIPA_MODEL", "CONLIPA_ADAPTER"), [*models, "", ""], strict=False):
            monkeypatch.setenv(name, model)
        assert LINK.findall(choices.links()) == [*models, "datasets/me/conlipa"]
    readme.write_text(space_card(MINI, packaged=True).replace("NAMESPACE/", "me/"), encoding="utf-8")
    for model, adapter, linked in (
        ("", "", ["me/conlipa-mini-ner", "me/conlipa-mini-ipac"]),
        ("", "you/fitted", ["me/conlipa-mini-ner", "you/fitted"]),
        ("mini-en", "", []),
    ):
        monkeypatch.setenv("CONLIPA_MODEL", model)
        monkeypatch.setenv("CONLIPA_ADAPTER", adapter)
        assert LINK.findall(choices.links()) == [*linked, "datasets/me/conlipa", "datasets/me/wikiann-ipa"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [("license: mit", ("mit", None)), ("tags: [x]", ("other", "that-of-the-base-model")), (None, ("other", "that-of-the-base-model"))],
)
@pytest.mark.parametrize("where", ["someone/base", "folder"])
def test_what_is_made_from_somebodys_weights_is_under_their_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, expected: tuple[str, str | None], where: str
) -> None:
    cached = tmp_path / "models--someone--base"
    folder = {"someone/base": cached / "snapshots" / "abc", "folder": tmp_path / "folder"}[where]
    folder.mkdir(parents=True)
    if where == "someone/base":  # as `snapshot_download` leaves it
        (cached / "refs").mkdir()
        (cached / "refs" / "main").write_text("abc", encoding="utf-8")
    if said:
        (folder / "README.md").write_text(f"---\n{said}\n---\n", encoding="utf-8")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    recipe = replace(MINI, encoder=replace(MINI.encoder, repo=where if "/" in where else str(folder)))
    ner, ipac = front(card("ner", recipe)), front(card("ipac", recipe))
    assert (ner.license, ner.license_name) == (ipac.license, ipac.license_name) == expected
    assert ner.base_model == ("someone/base" if where == "someone/base" else None)  # no path of this machine
    assert ipac.base_model == "NAMESPACE/conlipa-mini-ner"


def test_weights_of_the_kits_own_are_under_its_licence() -> None:
    for stage, base in (("ner", None), ("ipac", "NAMESPACE/conlipa-mini-ner")):
        assert (front(card(stage)).license, front(card(stage)).base_model) == ("apache-2.0", base)


@pytest.mark.parametrize("stage", ["ner", "ipac"])
def test_only_languages_that_were_not_trained_on_are_zero_shot(stage: str) -> None:
    tasks = {result.dataset_config: result.task_name for result in front(card(stage)).eval_results}
    assert tasks == {"en": "named entity recognition on phonemes", "tg": "zero-shot named entity recognition on phonemes"}


def test_sentences_of_somebody_else_are_not_called_wikiann(tiny_release: Path) -> None:
    folder = tiny_release / "wikiann-ipa"
    theirs, ours = wikiann_card(folder, "news and running=more"), wikiann_card(folder, "wikiann and wikiann_sources and running=more")
    assert "license: other" in theirs
    assert "\n# news, with phonemes\n" in theirs
    assert "Wikipedia" not in theirs.partition("## ")[0]
    assert "license: odc-by" in ours
    assert "Sentences: Wikipedia (CC BY-SA)" in ours


def test_scores_on_somebody_elses_sentences_are_not_called_wikianns() -> None:
    for stage in ("ner", "ipac"):
        assert "WikiANN" not in card(stage, source="news and running=more")
        assert "same languages beside, which are of other sentences:" in card(stage, source="news")
        assert "same languages beside:" in card(stage)
    theirs = card("ner", source="news")
    assert "The scores above are of a corpus of its publisher (`news`)." in theirs
    assert "The scores above are of WikiANN's titles and lists." in card("ner")
    assert "In training such words, as MediaWiki has them, came before names" in theirs  # whatever the corpus


def test_the_space_says_what_a_score_was_measured_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = card("ner", source="news", langs=["tgk", "lez"], sources=["tgk"])
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    monkeypatch.setattr(quality, "chosen", lambda: (str(tmp_path), None))
    assert quality.expected("tgk") == "Entity F1 on news (Tajik), measured: 40 of 100."
    assert quality.expected("lez") == "Entity F1 on news (Lezgian), measured: 40 of 100."
    for lang in ("ava", "kbd", "nbl"):  # WikiANN has no code for these either
        assert language(lang).wikiann == language("lez").wikiann == ""
        assert quality.expected(lang) == "Quality not measured."


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, ["512 Korean pairs and all pairs of the other nine languages, NER", "left out of each other's negatives;"]),
        ({"shared_english": "positive"}, ["pairs with the same English word each other's positives too;"]),
        ({"shared_english": "negative"}, ["pairs with the same English word each other's negatives;"]),
        ({"languages": ("swa",)}, ["LoRA rank 8, all pairs of swa, NER"]),
        ({"languages": ("kor", "swa"), "korean_pairs": 8000}, ["LoRA rank 8, all Korean pairs and all pairs of swa, NER"]),
        ({"languages": ("kor",)}, ["LoRA rank 8, 512 Korean pairs, NER"]),
        ({"extra": True}, ["512 Korean pairs and all pairs of the other nine languages, jpn, fin,", "ava, kbd, lez, NER"]),
        (
            {"shuffled": True, "balanced": True},
            ["as many of each language, the English words given to other loanwords (the control:"],
        ),
    ],
)
def test_the_pairs_are_those_of_the_recipe(settings: dict[str, Any], said: list[str]) -> None:
    text = " ".join(card("ipac", replace(MINI, ipac=replace(MINI.ipac, **settings))).split())
    for part in said:
        assert part in text
    if settings.get("languages") == ("swa",):
        assert "Korean pairs" not in text
