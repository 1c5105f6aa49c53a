"""The end-to-end pipeline: a folder with one sub-folder a Hub repo, each with its card. Interrupted, it resumes; re-running is a no-op."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset

from conlipa.atomic_files import atomic_folder, write_errors, write_json, write_text
from conlipa.dataset_scripts.known_names import CLDR
from conlipa.dataset_scripts.languages import by_case
from conlipa.dataset_scripts.loanwords.builder import FEATURES as PAIR_FEATURES
from conlipa.dataset_scripts.loanwords.builder import GROUPS
from conlipa.dataset_scripts.loanwords.pairs import pairs_path, read_pairs
from conlipa.dataset_scripts.tables import FOLDER
from conlipa.dataset_scripts.wikiann.places import RUNNING, SAMPLE, TITLES, places
from conlipa.dataset_scripts.wikiann.wikiann import SPLITS
from conlipa.errors import ConlipaError
from conlipa.hub_cards.cards import conlipa_card, ipac_card, ner_card, space_card, wikiann_card
from conlipa.hub_cards.origin import is_wikiann
from conlipa.hub_cards.tree import MANIFEST, METRIC, Tree
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.fingerprint import of_folder, of_pairs, of_sentences
from conlipa.modeling.data.packing import check_published, sets_of
from conlipa.modeling.data.sentences import source_languages
from conlipa.modeling.encoder import tokenizer_of
from conlipa.modeling.evaluation import everyday
from conlipa.modeling.evaluation.evaluation import evaluate, table
from conlipa.modeling.inference.loading import CALIBRATION_FILE
from conlipa.modeling.inference.packaged import MINI, packaged
from conlipa.modeling.inference.tagger import Tagger
from conlipa.modeling.pretrained import encoder_folder
from conlipa.modeling.recipe import GRAPHEMES, Recipe
from conlipa.modeling.recipe_file import completed
from conlipa.modeling.records import RECORD, read_json, trained_on
from conlipa.modeling.train import train_stage
from conlipa.modeling.training.run_metadata import decisive, run_metadata_of
from conlipa.space import space_files


def release(out: Path, recipe: Recipe, wikiann: str, strict: bool = False, ner: Path | None = None) -> None:
    """Make or finish the release in `out`, and print both scores before and after IPAC.

    Args:
        ner: the folder that stage 1 wrote elsewhere, with the same recipe; taken instead of training.

    Raises:
        ConlipaError: `out` belongs to something else, or a step failed (what is whole stays).
    """
    corpus = Corpus(wikiann, strict)
    if TITLES not in corpus.kinds:
        raise ConlipaError(f"{wikiann}: has running text alone; a release publishes titles (titles=DIR), and running text has owners of its own")
    if not corpus.languages("validation", TITLES):
        raise ConlipaError(f"{wikiann}: no language of its titles has a validation split (dev.tsv), which scores are measured on")
    check_published(corpus, recipe.ner.languages, recipe.ner.exclude)
    tree = Tree(out, recipe)
    if recipe.encoder.repo and not ner and not tree.ner.is_dir():  # said, and fetched, before hours of transcription
        encoder_folder(recipe.encoder.repo, recipe.encoder.revision)
        tokenizer_of(recipe.encoder)
    _claim(out, recipe, wikiann, corpus.fingerprint())
    _step("CONLIPA", tree.conlipa, lambda: write_conlipa(tree.conlipa))
    _step("WikiANN-IPA", tree.wikiann, lambda: write_wikiann(tree.wikiann, corpus))
    sentences = Corpus(os.pathsep.join([f"{TITLES}={tree.wikiann}", *(str(place) for place in corpus.places if place.kind != TITLES)]))
    if ner:
        _take_stage_one(ner, recipe, tree.ner, [sentences, corpus])
    else:
        train_stage("ner", recipe, sentences, tree.ner)
    train_stage("ipac", recipe, sentences, tree.ipac, ner=str(tree.ner), base_name=tree.ner.name)
    scores = _scores(tree, recipe, sentences, _source(wikiann))
    write_cards(tree, scores, wikiann)
    _say(f"\n{table({'before': scores['before'], 'IPAC': scores['after']})}\n", sys.stdout)
    _say("Made:", sys.stdout)
    for name, kind in tree.repos().items():
        _say(f"  {kind:8s}{tree.root / name}", sys.stdout)
    _say(f"  scores  {tree.scores}\nNext: conlipa demo --model {tree.ner} --adapter {tree.ipac}", sys.stdout)


def _take_stage_one(folder: Path, recipe: Recipe, place: Path, corpora: Sequence[Corpus]) -> None:
    """Copy what stage 1 wrote elsewhere, unless it is there already.

    Args:
        corpora: the release's sentences, as it holds them and as they came: their order may be another.

    Raises:
        ConlipaError: no finished stage 1, or one of another recipe, of other sentences, or than the one that is there.
    """
    if not (folder / RECORD).is_file():
        raise ConlipaError(f"{folder}: holds no finished stage 1 ({RECORD} is missing)")
    record = read_json(folder / RECORD)
    if place.is_dir():
        if record != read_json(place / RECORD):
            raise ConlipaError(f"{folder}: is another stage 1 than this release has in {place}; name another folder with --out")
        return
    made_by, expected = completed(record.get("recipe") or {}), run_metadata_of(recipe, "ner", "")["recipe"]
    if recipe.ner.minutes:  # a run by the clock has no number of epochs
        made_by.get("ner", {})["epochs"] = expected["ner"]["epochs"]
    if record.get("stage") != "ner" or decisive(made_by) != decisive(expected):
        asked = "name the --profile, --minutes and --set that it was trained with"
        raise ConlipaError(f"{folder}: was made by another recipe than {recipe.name}, or by another stage; {asked}")
    if all(record.get("data") != of_sentences(corpus, source_languages(corpus, recipe.ner.languages), "train") for corpus in corpora):
        raise ConlipaError(
            f"{folder}: was trained on other sentences than those of this release (another --corpus, or transcribed by another version)"
        )
    with atomic_folder(place) as beside:
        for path in folder.iterdir():
            shutil.copy(path, beside / path.name)


def _claim(out: Path, recipe: Recipe, wikiann: str, sentences: str) -> None:
    """Write the manifest, or check that the one there is ours."""
    mine = {
        "kit": "conlipa",
        "recipe": json.loads(json.dumps(recipe.as_dict())),
        "wikiann": _named(wikiann),
        "sentences": sentences,
        "pairs": of_pairs(),
    }
    manifest = out / MANIFEST
    if manifest.is_file():
        there = read_json(manifest)
        if isinstance(there.get("recipe"), dict):
            there["recipe"] = completed(there["recipe"])
        if there != mine:
            different = next(key for key in {**mine, **there} if there.get(key) != mine.get(key))
            raise ConlipaError(f"{out}: belongs to another release (its {different} differs); name another folder with --out")
    elif out.is_dir() and any(out.iterdir()):
        raise ConlipaError(f"{out}: is not empty, and no release of this kit; name another folder with --out")
    else:
        write_json(mine, manifest)


def _named(wikiann: str) -> str:
    """`hub` and `sample` by name, folders by their own names: a release says nothing of the machine that made it."""
    return " and ".join(place.name for place in places(wikiann))


def _source(wikiann: str) -> str:
    """What the cards call the sentences; running text beside the sample does not make it WikiANN."""
    return SAMPLE if {place.where for place in places(wikiann) if place.kind == TITLES} == {SAMPLE} else _named(wikiann)


def _step(name: str, folder: Path, make: Callable[[], None]) -> None:
    if folder.is_dir():
        _say(f"{name}: {folder} is up to date")
    else:
        _say(f"{name}: writing {folder}")
        make()


def _say(text: str, where: Any = None) -> None:
    print(text, file=where or sys.stderr, flush=True)


def write_conlipa(folder: Path) -> None:
    """One parquet file a language."""
    with atomic_folder(folder) as beside:
        (beside / "data").mkdir()
        for lang in (iso for group in GROUPS.values() for iso in group):
            Dataset.from_list(read_pairs(pairs_path(lang)), features=PAIR_FEATURES).to_parquet(beside / "data" / f"{lang}.parquet")
        (beside / "similarity.svg").write_bytes((FOLDER / "pairs" / "similarity.svg").read_bytes())


def write_wikiann(folder: Path, corpus: Corpus) -> None:
    """`ISO/SPLIT.parquet` for every language and split of the source's titles; languages done before an interruption stay.

    Running text has owners and licences of its own: it is trained on, not published.
    """
    beside = folder.with_name(folder.name + ".partial")
    for split in SPLITS:
        for lang in corpus.languages(split, TITLES):
            path = beside / lang / f"{split}.parquet"
            if not path.is_file():
                with write_errors(folder):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    corpus.split(lang, split, TITLES).to_parquet(path.with_suffix(".partial"))
                    path.with_suffix(".partial").replace(path)
    os.replace(beside, folder)


def _scores(tree: Tree, recipe: Recipe, corpus: Corpus, source: str) -> dict[str, Any]:
    """All evaluations, from `evaluation.json` where the weights are those that it was made with.

    `before` and `after` IPAC; `unmarked`, the same without capitals, where the encoder reads them; `running` text in languages that were not
    trained on, where there is any; and the `everyday` sentences.
    """
    made_with = {"ner": of_folder(str(tree.ner)), "ipac": of_folder(str(tree.ipac)), "pairs": of_pairs(), "names": CLDR}
    if tree.scores.is_file():
        there = read_json(tree.scores)
        if there.get("weights") == made_with:
            _say(f"evaluation: {tree.scores} is up to date")
            return there
    found: dict[str, Any] = {"weights": made_with, "split": "validation"}
    titles = corpus.languages("validation", TITLES)
    papers = [iso for iso in by_case("source", "1", "2", "3", "conlipa") if iso in titles]  # further source languages of WikiANN prove nothing
    langs = papers if source == SAMPLE or is_wikiann(source) else titles
    unseen = [iso for iso in corpus.languages("validation", RUNNING) if iso not in trained_on(str(tree.ner))] if RUNNING in corpus.kinds else []
    after = str(tree.ipac)
    wanted = {"before": (None, langs, TITLES, True), "after": (after, langs, TITLES, True)}
    shown = [iso for iso in by_case("1", "2", "3") if iso in langs]  # what is said of text without capitals is said by case
    wanted |= {"unmarked": (after, shown or langs, TITLES, False)} if recipe.encoder.case_marks else {}
    wanted |= {"running": (after, unseen, RUNNING, True)} if unseen else {}
    memories = []
    for name, (adapter, of, kind, marks) in wanted.items():
        _say(f"evaluation: {name}")
        memory = tree.root / f".evaluation.{name}-{made_with['ner' if adapter is None else 'ipac']}.partial"
        found[name] = evaluate(str(tree.ner), adapter, corpus, of, "validation", memory, kind, marks)
        memories.append(memory)
    if recipe.encoder.input != GRAPHEMES:  # whose models no tagger takes
        _say("evaluation: everyday sentences")
        tagger = Tagger.from_pretrained(str(tree.ner), str(tree.ipac), backend="torch")
        found["everyday"] = everyday.measured(tagger, Tagger(tagger.backend, known_names=False), found["after"]["sources"])
    write_json(found, tree.scores)
    for memory in memories:
        memory.unlink(missing_ok=True)
    return found


def _running(recipe: Recipe, wikiann: str, langs: Sequence[str]) -> list[str]:
    """The sets of running text that stage 1 was trained on."""
    return [each.name for each in sets_of(Corpus(wikiann), langs, recipe.ner.exclude) if each.kind == RUNNING]


def _is_packaged(weights: dict[str, Any]) -> bool:
    """Whether these weights, by their digests, are the ones that the Space runs unless told otherwise: a recipe's name does not say."""
    try:
        return [weights["ner"], weights["ipac"]] == [of_folder(str(part)) for part in packaged(MINI)]
    except ConlipaError:  # a checkout that carries no model
        return False


def write_cards(tree: Tree, scores: dict[str, Any], wikiann: str) -> None:
    """A README in every folder, and the Space's files; the same numbers give the same bytes."""
    named = _source(wikiann)
    for folder, sources in ((tree.space, space_files()), (tree.metric, [path for path in METRIC.iterdir() if path.is_file()])):
        folder.mkdir(exist_ok=True)
        for source in sources:
            write_text(source.read_text(encoding="utf-8"), folder / source.name)
    records = {stage: read_json(folder / RECORD) for stage, folder in (("ner", tree.ner), ("ipac", tree.ipac))}
    fitted = tree.ipac / CALIBRATION_FILE
    calibration = read_json(fitted) if fitted.is_file() else None
    cards = {
        tree.conlipa: conlipa_card(tree.conlipa),
        tree.wikiann: wikiann_card(tree.wikiann, named),
        tree.ner: ner_card(tree.recipe, records["ner"], scores, named, _running(tree.recipe, wikiann, records["ner"]["languages"])),
        tree.ipac: ipac_card(tree.recipe, records["ipac"], scores, named, calibration),
        tree.space: space_card(tree.recipe, _is_packaged(scores["weights"])),
    }
    for folder, text in cards.items():
        write_text(text, folder / "README.md")
