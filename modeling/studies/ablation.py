"""A study: stage 2 with several settings (arms) and seeds on one stage-1 model, each compared with a reference arm.

    python -m conlipa.modeling.studies.ablation options --profile mini --ner DIR --corpus DIR --out DIR [--seeds 3] [--sentences 300]

A study is a file of `modeling/studies/`, or any YAML file of that form: `arms` maps a name to settings of the recipe's
`ipac` section, or to nothing for stage 1 alone; `papers`, if given, an arm to a table of the papers and its row. Studies
that share `--out` share their runs. Interrupted, the same command resumes; the table is Markdown.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from conlipa.atomic_files import write_json, write_text
from conlipa.dataset_scripts.languages import listed
from conlipa.dataset_scripts.wikiann.places import corpus_option
from conlipa.errors import ConlipaError, UsageError, exit_on_error, nearest
from conlipa.modeling.alignment import OUTSIDE
from conlipa.modeling.data.corpus import Corpus
from conlipa.modeling.evaluation.evaluation import SCORES
from conlipa.modeling.evaluation.significance import SCORES as SCORE_OF
from conlipa.modeling.evaluation.significance import Difference, difference_over_languages
from conlipa.modeling.phoneme_ner_f1.phoneme_ner_f1 import Counts
from conlipa.modeling.recipe import Recipe
from conlipa.modeling.recipe_file import read_yaml, recipe_of, recipe_options, with_ipac
from conlipa.modeling.records import trained_on
from conlipa.modeling.studies.counts import check_counts
from conlipa.modeling.studies.own_profile import check_profile
from conlipa.modeling.studies.runs import Measured, Runs, seeded
from conlipa.quiet import quiet

STUDIES = Path(__file__).parent


@dataclass(frozen=True)
class Study:
    """What is compared."""

    path: Path
    title: str
    reference: str
    arms: dict[str, dict[str, Any] | None]
    papers: dict[str, list[str]]
    """Arm → table and model of `papers.row`."""


def read_study(name: str) -> Study:
    """A study of the kit by its name, or a YAML file.

    Raises:
        UsageError: no such study.
        ConlipaError: the file is no study.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else STUDIES / f"{name}.yaml"
    if not path.is_file():
        known = sorted(study.stem for study in STUDIES.glob("*.yaml"))
        raise UsageError(f"unknown study '{name}'{nearest(name, known)} (studies: {', '.join(known)}, or a .yaml file)")
    raw = read_yaml(path)
    if not isinstance(raw, dict) or set(raw) - {"papers"} != {"title", "reference", "arms"}:
        raise ConlipaError(f"{path}: expected a mapping of title, reference, arms, and papers or not")
    papers = raw.get("papers") or {}
    _check_kinds(path, raw, papers)
    for what, name in [("reference", raw["reference"]), *(("row of the papers", name) for name in papers)]:
        if name not in raw["arms"]:
            raise ConlipaError(f"{path}: the {what} '{name}' is none of the arms{nearest(str(name), raw['arms'])}")
    return Study(path, raw["title"], raw["reference"], raw["arms"], papers)


def _check_kinds(path: Path, raw: Mapping[str, Any], papers: Any) -> None:
    """Raises ConlipaError where YAML has read an unquoted `16` as a number, or an arm is neither settings nor nothing."""
    for key, value in (("arms", raw["arms"]), ("papers", papers)):
        if not isinstance(value, dict):
            raise ConlipaError(f"{path}: {key} is {value!r}, expected a mapping")
    for key in ("title", "reference"):
        if not isinstance(raw[key], str):
            raise ConlipaError(f"{path}: {key} is {raw[key]!r}, expected text: put it in quotes")
    for name, settings in raw["arms"].items():
        if not isinstance(name, str):
            raise ConlipaError(f"{path}: the arm {name!r} has a name that is no text: put it in quotes")
        if not isinstance(settings, dict | None):
            raise ConlipaError(f"{path}: the arm '{name}' is {settings!r}, expected settings of ipac (a mapping), or nothing for stage 1 alone")


def measured_arms(
    study: Study, recipe: Recipe, pool: Runs, langs: Sequence[str], seeds: int, sentences: int | None, jobs: int = 1
) -> dict[str, list[Measured]]:
    """Every arm's counts, a run a seed (stage 1 alone: one run); trains what the pool does not have yet."""
    arms = {name: with_ipac(recipe, settings, study.path) if settings is not None else None for name, settings in study.arms.items()}
    runs = {name: [seeded(changed, seed) for seed in range(seeds)] if changed else [None] for name, changed in arms.items()}
    every = [run for arm in runs.values() for run in arm]
    found = iter(pool.all_measured(every, langs, sentences, jobs, study.path.stem))
    return {name: list(islice(found, len(arm))) for name, arm in runs.items()}


def compared(study: Study, measured: dict[str, list[Measured]], seeds: int, sentences: int | None) -> dict[str, Any]:
    """Mean and spread over seeds of the mean over languages, each language's scores, and the paired difference to the reference arm."""
    arms: dict[str, Any] = {}
    for name, runs in measured.items():
        arms[name] = {}
        for score in SCORES:
            by_language = {iso: [scored(run[score][iso]) for run in runs] for iso in runs[0][score]}
            per_seed = [mean(scores) for scores in zip(*by_language.values(), strict=True)]
            row: dict[str, Any] = {"mean": mean(per_seed), "std": stdev(per_seed) if len(per_seed) > 1 else None, "seeds": per_seed}
            row["languages"] = by_language
            if name != study.reference:
                found = difference_over_languages([run[score] for run in runs], [run[score] for run in measured[study.reference]])
                row["difference"] = found._asdict()
            arms[name][score] = row
    outside = {name: mean(outside_share(run["paper_f1"], predicted=True) for run in runs) for name, runs in measured.items()}
    positions = next(iter(measured.values()))[0]["paper_f1"]
    about = {"title": study.title, "reference": study.reference, "seeds": seeds, "sentences": sentences, "languages": list(positions)}
    return {**about, "arms": arms, "outside": outside, "outside_true": outside_share(positions, predicted=False)}


def outside_share(counts: Mapping[str, Counts], predicted: bool) -> float:
    """Positions that are said to be O, or are, in percent; mean over languages. `counts`: language → (n, 7, 7)."""
    return mean(100 * float(of.sum(axis=(0, 1 if predicted else 2))[OUTSIDE] / of.sum()) for of in counts.values())


def scored(counts: Counts) -> float:
    """`paper_f1` or `entity_f1` of the counts of each sentence, by their shape; in percent."""
    return float(SCORE_OF[counts.shape[1:]](counts.sum(axis=0)))


def markdown(report: dict[str, Any], command: str) -> str:
    """The table of a study."""
    what = f"the first {report['sentences']} sentences of each" if report["sentences"] else "all sentences"
    lines = [
        f"## {report['title']}\n",
        f"Mean over {len(report['languages'])} languages ({', '.join(report['languages'])}), validation split, {what}, {report['seeds']} seeds;",
        f"in brackets the difference to *{report['reference']}* with its 95% interval (paired bootstrap over sentences and seeds).\n",
        "| arm | paper_f1 | entity_f1 |",
        "|---|---|---|",
    ]
    for name, scores in report["arms"].items():
        lines.append(f"| {name} | " + " | ".join(_cell(scores[score]) for score in SCORES) + " |")
    return "\n".join([*lines, "", f"`{command}`", ""])


def _cell(row: dict[str, Any]) -> str:
    spread = f" ± {row['std']:.2f}" if row["std"] is not None else ""
    if "difference" not in row:
        return f"{row['mean']:.2f}{spread}"
    found = Difference(**row["difference"])
    return f"{row['mean']:.2f}{spread} ({found.difference:+.2f}: {found.low:+.2f} to {found.high:+.2f})"


def command_of(arguments: argparse.Namespace) -> str:
    """The command, without the paths of this machine."""
    parts = ["python", "-m", "conlipa.modeling.studies.ablation", Path(arguments.study).stem, "--profile", Path(arguments.profile).stem]
    for setting in arguments.settings:
        parts += ["--set", setting]
    parts += ["--ner", "DIR", "--corpus", "DIR", *(["--langs", arguments.langs] if arguments.langs else []), "--seeds", str(arguments.seeds)]
    parts += ["--sentences", str(arguments.sentences)] if arguments.sentences else []
    return shlex.join([*parts, "--out", "DIR"])


def _languages(arguments: argparse.Namespace, corpus: Corpus) -> list[str]:
    """What the arms are measured on.

    Raises:
        ConlipaError: the corpus lacks a language named, or has none that is new to the model.
    """
    there, wanted = corpus.languages("validation", corpus.kinds[0]), listed(arguments.langs)
    if missing := [iso for iso in wanted if iso not in there]:
        raise ConlipaError(f"{corpus.where}: has no validation split of {', '.join(missing)}, which --langs names")
    sources = trained_on(arguments.ner)
    langs = wanted or [iso for iso in there if iso not in sources]
    if not langs:
        raise ConlipaError(f"{corpus.where}: has a validation split of no language that {arguments.ner} was not trained on; name some with --langs")
    return langs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", help=f"{', '.join(sorted(path.stem for path in STUDIES.glob('*.yaml')))}, or a YAML file")
    recipe_options(parser, "recipe that the model was trained by")
    parser.add_argument("--ner", required=True, metavar="DIR", help="the stage-1 model that all arms share")
    corpus_option(parser)
    parser.add_argument("--langs", default="", metavar="sin,som", help="default: all with a validation split that stage 1 was not trained on")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sentences", type=int, help="of each language, the first so many (default, and 0: all)")
    parser.add_argument("--jobs", type=int, default=1, help="runs at once, each in a process of one thread (default: 1, of all threads)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    quiet()
    with exit_on_error():
        check_counts(arguments, seeds=1, sentences=0, jobs=1)
        study, corpus = read_study(arguments.study), Corpus(arguments.corpus)
        langs, recipe = _languages(arguments, corpus), recipe_of(arguments)
        check_profile(arguments, recipe, arguments.ner)
        seeds, sentences = arguments.seeds, arguments.sentences or None
        pool = Runs(arguments.ner, corpus, arguments.out / "runs")
        measured = measured_arms(study, recipe, pool, langs, seeds, sentences, arguments.jobs)
        report = compared(study, measured, seeds, sentences)
        write_json(report, arguments.out / f"{study.path.stem}.json")
        text = markdown(report, command_of(arguments))
        write_text(text, arguments.out / f"{study.path.stem}.md")
        print(text)


if __name__ == "__main__":
    main()
