"""Train one stage.

    accelerate launch modeling/train.py ner  --profile mini --corpus titles=DIR:running=DIR --minutes 60 --out runs/ner
    accelerate launch modeling/train.py ipac --profile mini --corpus titles=DIR:running=DIR --ner runs/ner --out runs/ipac
    python modeling/train.py ipac --profile paper --dry-run        # parameter counts, nothing else

Without --minutes, `mini` trains all runs of its chain: on a large corpus days on two cores.
Interrupted, the same command resumes from its last checkpoint; re-running a finished one is a no-op.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from conlipa.atomic_files import check_place
from conlipa.concurrency import has_gpu
from conlipa.dataset_scripts.wikiann.places import corpus_option
from conlipa.errors import ConlipaError, UsageError, exit_on_error
from conlipa.modeling.recipe import TRACKERS, Recipe
from conlipa.modeling.recipe_file import profiles, read_recipe, recipe_of, recipe_options
from conlipa.quiet import quiet

if TYPE_CHECKING:
    from conlipa.modeling.data.corpus import Corpus
    from conlipa.modeling.data.packed_corpus import PackedCorpus
    from conlipa.modeling.training.ipac import IpacStage
    from conlipa.modeling.training.ner import NerStage


_OF_A_CHAIN = ("languages", "exclude", "sentences_per_language", "sentences_of", "optimizer")
"""Settings of stage 1 that, where a user changes them, hold for all runs of a chain of the kit's: a corpus has other sets, a machine other needs."""


def parser() -> argparse.ArgumentParser:
    """The command line of this script."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("stage", choices=["ner", "ipac"])
    recipe_options(made)
    corpus_option(made)
    made.add_argument("--packed", type=Path, metavar="DIR", help="train from a packed corpus (modeling/data/packing.py) instead of --corpus")
    made.add_argument("--ner", metavar="DIR", help="ipac: the model folder that stage 1 wrote, or a Hub repo")
    made.add_argument("--out", type=Path, metavar="DIR", help="the folder to write")
    made.add_argument("--strict", action="store_true", help="refuse I- tags that continue no entity")
    clock = "train in one run of N minutes, its schedule fitted to them: not for the recipe's epochs, nor what it starts from first"
    made.add_argument("--minutes", type=float, metavar="N", help=clock)
    made.add_argument("--tracker", choices=TRACKERS, help="show the losses in it as they come (default: none)")
    made.add_argument("--dry-run", action="store_true", help="build the model from its configuration and print its parameter counts as JSON")
    return made


def run(arguments: argparse.Namespace) -> None:
    """What the command line asks for."""
    recipe = recipe_of(arguments)
    if arguments.dry_run:
        from conlipa.modeling.training.parameters import parameter_counts

        print(json.dumps(parameter_counts(recipe)))
        return
    if arguments.out is None:
        raise UsageError("--out is needed (or --dry-run)")
    if arguments.stage == "ipac" and not arguments.ner:
        raise UsageError("ipac needs --ner, the model folder of stage 1")
    train_stage(arguments.stage, recipe, _corpus(arguments), arguments.out, arguments.ner, tracker=arguments.tracker)


def _corpus(arguments: argparse.Namespace) -> Corpus | PackedCorpus:
    if arguments.packed is not None:
        from conlipa.modeling.data.packed_corpus import PackedCorpus

        return PackedCorpus.load(arguments.packed)
    from conlipa.modeling.data.corpus import Corpus

    return Corpus(arguments.corpus, arguments.strict)


def train_stage(
    stage: str,
    recipe: Recipe,
    corpus: Corpus | PackedCorpus,
    out: Path,
    ner: str | None = None,
    base_name: str | None = None,
    tracker: str | None = None,
) -> None:
    """Train a stage into `out`, unless it is there already, made from the same recipe and data."""
    from accelerate import PartialState
    from accelerate.utils import set_seed

    from conlipa.modeling.records import RECORD, read_json
    from conlipa.modeling.training.loop import train

    check_place(out, RECORD)
    PartialState(cpu=not has_gpu())
    held_out = held_out_of(corpus, recipe.ner.held_out) if stage == "ner" and recipe.ner.validate_every else None
    earlier = _earlier(recipe) if stage == "ner" else None
    run_metadata = _made_from(stage, recipe, corpus, ner, earlier)
    if _up_to_date(out, stage, run_metadata):
        return
    start = out.with_name(f".{out.name}.start") if earlier else None
    if earlier and start:
        _check_start(recipe, earlier)
        train_stage("ner", earlier, corpus, start, tracker=tracker)
        first = read_json(start / RECORD)
        run_metadata["start_run"] = {key: first[key] for key in ("steps", "seconds", "environment", "start_run") if key in first}
    set_seed(getattr(recipe, stage).seed)
    made = _stage(stage, recipe, corpus, run_metadata["languages"], start if stage == "ner" else ner, base_name)
    validate = validator(made.tokenizer, held_out, recipe.ner.held_out) if held_out else None
    train(made, out, out.with_name(f".{out.name}.checkpoints"), run_metadata, tracker, validate=validate)
    if start and PartialState().is_main_process:
        rmtree(start)


def _earlier(recipe: Recipe) -> Recipe | None:
    """What stage 1 starts from; a run by epochs from one by epochs: the built-in sample takes minutes."""
    if not recipe.ner.start:
        return None
    earlier, changed = read_recipe(recipe.ner.start), _changed(recipe)
    if recipe.ner.minutes is None:
        changed["minutes"] = None
    return replace(earlier, ner=replace(earlier.ner, **changed))


def _changed(recipe: Recipe) -> dict[str, Any]:
    """What holds for a whole chain of the kit's, and is other in a recipe of it than in the kit's file, which starts from the same run.

    A recipe by another name, or one that starts from a file of the user's, changes nothing of the earlier runs: each says what it wants.
    """
    known = _own_run(str(recipe.ner.start))
    if not known or known.name != recipe.name:
        return {}
    return {name: getattr(recipe.ner, name) for name in _OF_A_CHAIN if getattr(recipe.ner, name) != getattr(known.ner, name)}


@cache
def _own_run(start: str) -> Recipe | None:
    """The kit's own recipe that starts from a run."""
    return next((each for each in map(read_recipe, profiles()) if each.ner.start == start), None)


def _check_start(recipe: Recipe, earlier: Recipe) -> None:
    """Raises ConlipaError where what an earlier run will have made does not fit, before that is trained; a repo's shape is its own."""
    from conlipa.modeling.encoder import config_of
    from conlipa.modeling.training.ner import check_start

    if not (recipe.encoder.repo or earlier.encoder.repo):
        check_start(recipe, config_of(earlier.encoder))


def _made_from(stage: str, recipe: Recipe, corpus: Corpus | PackedCorpus, ner: str | None, earlier: Recipe | None) -> dict[str, Any]:
    """The run metadata of a stage; `languages`: those whose sentences it is trained on."""
    from conlipa.modeling.data.fingerprint import of_folder
    from conlipa.modeling.data.sentences import source_languages
    from conlipa.modeling.training.run_metadata import run_metadata_of

    there = source_languages(corpus, recipe.ner.languages) if _reads_sentences(stage, recipe) else []
    more: dict[str, Any] = {}
    more["languages"], sets = _drawn_from(corpus, there, recipe.ner.exclude)
    if earlier:
        more["start"] = json.loads(json.dumps(earlier.as_dict()))
    if there and sets:
        more["sets"] = sets
    if stage == "ner" and recipe.encoder.repo and Path(recipe.encoder.repo).is_dir():
        more["weights"] = of_folder(recipe.encoder.repo)
    return run_metadata_of(recipe, stage, _fingerprint(stage, corpus, there, ner), **more, **_redirects(stage, recipe, corpus))


def _reads_sentences(stage: str, recipe: Recipe) -> bool:
    """Stage 2 reads them where it replays them."""
    return stage == "ner" or bool(recipe.ipac.replay_weight)


def _drawn_from(corpus: Corpus | PackedCorpus, languages: Sequence[str], exclude: Sequence[str]) -> tuple[list[str], str]:
    """Those of some languages that have a set which is not excluded, and a digest of all their sets, empty where it is not known."""
    from conlipa.modeling.data.packed_corpus import PackedCorpus

    if isinstance(corpus, PackedCorpus):
        having, digest = {corpus.sets[number].lang for number in corpus.chosen(languages, exclude)}, corpus.division_of(languages)
    else:
        from conlipa.modeling.data.fingerprint import of_sets
        from conlipa.modeling.data.packing import chosen_sets  # by `datasets`, which a machine that only trains may lack

        sets = corpus.sets(languages, "train")
        having, digest = {each.lang for each in chosen_sets(sets, exclude)}, of_sets(corpus, sets)
    return [lang for lang in languages if lang in having], digest


def _fingerprint(stage: str, corpus: Corpus | PackedCorpus, languages: Sequence[str], ner: str | None) -> str:
    """Of all data that a stage is trained on: sentences of the languages, those of excluded sets as well, and what stage 2 has besides."""
    from conlipa.modeling.data.fingerprint import of_folder, of_pairs, of_sentences
    from conlipa.modeling.data.packed_corpus import PackedCorpus

    sentences = ""
    if languages:
        sentences = corpus.fingerprint(languages) if isinstance(corpus, PackedCorpus) else of_sentences(corpus, languages, "train")
    return sentences if stage == "ner" else f"{of_folder(str(ner))} {of_pairs()} {sentences}"


def _redirects(stage: str, recipe: Recipe, corpus: Corpus | PackedCorpus) -> dict[str, str]:
    """A digest of the words for a redirect, where a stage hears them, and they are known."""
    from conlipa.modeling.data.fingerprint import of_redirects
    from conlipa.modeling.data.packed_corpus import PackedCorpus

    if not recipe.ner.augmentation.redirect or not _reads_sentences(stage, recipe):
        return {}
    words = corpus.words if isinstance(corpus, PackedCorpus) else of_redirects(recipe.ner.exclude)
    return {"redirects": words} if words else {}


def _stage(
    stage: str, recipe: Recipe, corpus: Corpus | PackedCorpus, languages: Sequence[str], model: Path | str | None, base_name: str | None
) -> NerStage | IpacStage:
    """What the loop trains; `model`: the folder that it starts from. Stage 2 needs more packages than a machine for stage 1 has."""
    if stage == "ner":
        from conlipa.modeling.training.ner import NerStage

        return NerStage(recipe, corpus, languages, Path(model) if model else None)
    from conlipa.modeling.training.ipac import IpacStage

    return IpacStage(recipe, str(model), corpus, languages, base_name)


def held_out_of(corpus: Corpus | PackedCorpus, languages: Sequence[str]) -> Corpus:
    """The corpus, where it has sentences of these languages to validate on.

    Raises:
        ConlipaError: it has none; or a language is of the papers' Cases 1 to 3, which models are not selected by.
    """
    from conlipa.dataset_scripts.languages import language
    from conlipa.modeling.data.packed_corpus import PackedCorpus

    if isinstance(corpus, PackedCorpus):
        raise ConlipaError(f"{corpus.where}: has training sentences alone; ner.validate_every needs --corpus")
    for lang in languages:
        if language(lang).case in ("1", "2", "3"):
            raise ConlipaError(f"ner.held_out: {lang} is of Case {language(lang).case}, for reporting alone; choose source languages")
        corpus.split(lang, "validation")
    return corpus


def _up_to_date(out: Path, stage: str, run_metadata: dict[str, Any]) -> bool:
    """Whether a folder holds a finished run of the same stage, recipe and data; then that is said, and what a kill at its very end left is removed.

    Raises:
        ConlipaError: it holds another one.
    """
    from accelerate import PartialState

    from conlipa.modeling.records import RECORD, read_json
    from conlipa.modeling.training.run_metadata import agrees

    if not (out / RECORD).is_file():
        return False
    record = read_json(out / RECORD)
    if not agrees({key: record.get(key) for key in run_metadata}, run_metadata):
        raise ConlipaError(f"{out}: holds a {record.get('stage', 'model')} of another recipe or other data; name another folder or remove it")
    print(f"{stage}: {out} is up to date", file=sys.stderr)
    if PartialState().is_main_process:
        for left in ("start", "checkpoints"):
            rmtree(out.with_name(f".{out.name}.{left}"), ignore_errors=True)
    return True


def validator(tokenizer: Any, corpus: Corpus, languages: Sequence[str], sentences: int = 200) -> Callable[[Any], dict[str, float]]:
    """Means of both scores over the first validation sentences of languages (`held_out_of`), in percent, for a module that is being trained."""
    from conlipa.modeling.evaluation.evaluation import tagged
    from conlipa.modeling.evaluation.metrics import entity_f1, paper_f1
    from conlipa.modeling.inference.prediction import has_bf16

    def scores(module: Any) -> dict[str, float]:
        found = [tagged(module.model, tokenizer, corpus, lang, "validation", sentences, bf16=has_bf16()) for lang in languages]
        positions = sum(paper_f1(each.positions, each.predicted_positions) for each in found) / len(found)
        entities = sum(entity_f1(each.words, each.predicted_words) for each in found) / len(found)
        return {"paper_f1": round(positions, 2), "entity_f1": round(entities, 2)}

    return scores


def main() -> None:
    arguments = parser().parse_args()
    quiet()
    with exit_on_error():
        run(arguments)


if __name__ == "__main__":
    main()
