"""All tables and figures of both papers, for one model.

    python -m conlipa.modeling.report --corpus DIR --out runs/report                     # the packaged model
    python -m conlipa.modeling.report --profile paper --model NER --adapter IPAC --corpus A:B --out DIR --seeds 3 --sentences 100 --jobs 2
    python -m conlipa.modeling.report --corpus DIR --out DIR --only main,korean,claims

Each section is written as soon as it is done: OUT/KEY.md, its figures (SVG) and its numbers (KEY.json); at the end report.md and
report.html hold all that are done. Interrupted, the same command resumes; a section is made again where weights, data, recipe,
options or the report's own code have changed. Runs of stage 2 are trained once, whichever section asks for them, and kept under OUT/work.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from conlipa.dataset_scripts.wikiann.places import corpus_option
from conlipa.errors import ConlipaError, UsageError, exit_on_error, nearest
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.data.fingerprint import of_folder
from conlipa.modeling.encoder import load_adapted
from conlipa.modeling.evaluation.evaluation import SCORES
from conlipa.modeling.evaluation.papers import cases
from conlipa.modeling.inference.packaged import MINI, located
from conlipa.modeling.recipe_file import recipe_of, recipe_options
from conlipa.modeling.records import trained_on
from conlipa.modeling.report import claims, studies
from conlipa.modeling.report.kept import Kept
from conlipa.modeling.report.page import write_report, write_section
from conlipa.modeling.report.section import Inputs, Maker
from conlipa.modeling.studies.counts import check_counts
from conlipa.modeling.studies.own_profile import check_profile
from conlipa.quiet import quiet

MODULES = {"main": "main_results"}
"""Key → module of this folder, where the names differ."""
ORDER = (
    "main",
    "high",
    "embedding",
    "nearest",
    "korean",
    "languages",
    "temperature",
    "options",
    "control",
    "drift",
    "scripts",
    "families",
    "graphemes",
    claims.KEY,
)
"""In which they are made: claims last, as they read what others measured. In the report they come first."""
SENTENCES = 100


def maker(key: str) -> Maker:
    """The function that makes a section."""
    made: Maker = studies.makers().get(key) or import_module(f"conlipa.modeling.report.{MODULES.get(key, key)}").section
    return made


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m conlipa.modeling.report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    recipe_options(made, "recipe that the model was trained by")
    made.add_argument("--model", default=MINI, metavar="DIR", help="stage 1's folder (default: mini, which comes with the package)")
    made.add_argument("--adapter", metavar="DIR", help="stage 2's folder (mini brings its own)")
    corpus_option(made)
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="the report's folder")
    made.add_argument("--seeds", type=int, default=3, help="of stage 2, in each arm of a study (default: 3)")
    default = f"default: {SENTENCES}, as in most of the papers' test sets; 0: all"
    many = f"of each language, the first so many, in all but `main`, `scripts` and `drift` ({default})"
    made.add_argument("--sentences", type=int, default=SENTENCES, help=many)
    made.add_argument("--jobs", type=int, default=1, help="runs of stage 2 at once, each in a process of one thread (default: 1, of all threads)")
    made.add_argument("--only", default="", metavar="KEY,KEY", help=f"sections to make (default: all): {', '.join(ORDER)}")
    made.add_argument(
        "--baseline",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="a column of the main results: the JSON of `conlipa evaluate`; repeatable",
    )
    return made


def inputs_of(arguments: argparse.Namespace) -> Inputs:
    """What the command line names, looked at before any work is done.

    Raises:
        UsageError, ConlipaError: it is not there, or is not what it should be.
    """
    check_counts(arguments, seeds=1, sentences=0, jobs=1)
    recipe = recipe_of(arguments)
    ner, adapter = located(arguments.model, arguments.adapter)
    if adapter is None:
        raise UsageError("--adapter is needed with --model: the folder that stage 2 wrote")
    check_profile(arguments, recipe, ner)
    baselines = dict(_baseline(text) for text in arguments.baseline)
    corpus = Corpus(arguments.corpus)
    there, sources = corpus.languages("validation", corpus.kinds[0]), trained_on(ner)
    langs = tuple(iso for own in cases().values() for iso in own if iso in there and iso not in sources)
    if not langs:
        raise ConlipaError(f"{arguments.corpus}: has a validation split of no language of Cases 1 to 3 that the model was not trained on")
    load_adapted(ner, adapter)
    return Inputs(ner, adapter, recipe, corpus, langs, arguments.out, arguments.seeds, arguments.sentences or None, arguments.jobs, baselines)


def _baseline(text: str) -> tuple[str, dict[str, Any]]:
    name, equals, file = text.partition("=")
    if not name or not equals:
        raise UsageError(f"--baseline {text}: expected NAME=FILE, FILE being the JSON of `conlipa evaluate --json`")
    try:
        report = json.loads(Path(file).read_text(encoding="utf-8"))
        rows = report["languages"].values()
        if not all(isinstance(row[column], int | float) for row in rows for column in (*SCORES, "n")):
            raise TypeError
    except OSError as error:
        raise ConlipaError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConlipaError(f"{file}: is no JSON of `conlipa evaluate --json` (languages, each with {', '.join(SCORES)} and n)") from error
    return name, report


def wanted_of(only: str) -> list[str]:
    """The sections that are asked for, in the order in which they are made.

    Raises:
        UsageError: there is no such section.
    """
    asked = [key.strip() for key in only.split(",") if key.strip()]
    for key in asked:
        if key not in ORDER:
            raise UsageError(f"--only {key}: no such section{nearest(key, ORDER)} (sections: {', '.join(ORDER)})")
    return [key for key in ORDER if key in asked or not asked]


def command_of(arguments: argparse.Namespace, key: str) -> str:
    """The command that makes a section, without the paths of this machine."""
    parts = ["python", "-m", "conlipa.modeling.report", "--profile", Path(arguments.profile).name]
    for setting in arguments.settings:
        parts += ["--set", setting]
    parts += ["--model", "DIR"] if arguments.model != MINI else []
    parts += ["--adapter", "DIR"] if arguments.adapter else []
    parts += ["--corpus", arguments.corpus if arguments.corpus in ("hub", "sample") else "DIR"]
    parts += ["--seeds", str(arguments.seeds), "--sentences", str(arguments.sentences)]
    for baseline in arguments.baseline:
        parts += ["--baseline", f"{baseline.partition('=')[0]}=FILE"]
    return shlex.join([*parts, "--only", key, "--out", "DIR"])


def introduction(inputs: Inputs) -> str:
    """What the report is about."""
    sources = trained_on(inputs.ner)
    trained = f", trained on {len(sources)} source languages ({', '.join(sources)})" if sources else ""
    weights = [of_folder(folder) for folder in (inputs.ner, inputs.adapter)]
    return (
        f"Model `{inputs.recipe.name}`: stage 1 (weights `{weights[0]}`){trained}; stage 2, IPAC (weights `{weights[1]}`). Test languages:"
        f" {len(inputs.langs)} of the papers' Cases 1 to 3 ({', '.join(inputs.langs)}), none of which stage 1 was trained on. Two scores:"
        " `paper_f1` is the papers' (macro F1 over phoneme positions), `entity_f1` is strict F1 over entities (IOB2, words). The first paper is"
        " Sohn et al. 2024 (arXiv 2406.16030), the second Sohn and Mortensen 2025 (arXiv 2503.07214)."
    )


def run(arguments: argparse.Namespace) -> None:
    """What the command line asks for."""
    wanted = wanted_of(arguments.only)
    inputs = inputs_of(arguments)
    kept = Kept(inputs)
    commands = {key: command_of(arguments, key) for key in ORDER}
    with tqdm(total=len(wanted), unit="section", file=sys.stderr) as bar:
        for key in wanted:
            bar.set_description(key)
            section = kept.read(key)
            if section is None:
                for name in ("report.md", "report.html"):  # they would not hold what is now made
                    (inputs.out / name).unlink(missing_ok=True)
                section = maker(key)(inputs)
                kept.write(section)
            write_section(section, commands[key], inputs.out)
            bar.update()
    done = [section for key in (claims.KEY, *(key for key in ORDER if key != claims.KEY)) if (section := kept.read(key))]
    write_report(done, commands, introduction(inputs), inputs.out)
    print(f"{inputs.out / 'report.html'}: {', '.join(section.key for section in done)}")


def main() -> None:
    arguments = parser().parse_args()
    quiet()
    with exit_on_error():
        run(arguments)


if __name__ == "__main__":
    main()
