"""A study: stage 2 with several settings (arms) and seeds on one stage-1 model, each compared with a reference arm.

    python -m modeling.ablation options --ner DIR --wikiann DIR --out DIR [--seeds 3] [--sentences 300]

A study is a file of `modeling/studies/`, or any YAML file of that form: `arms` maps a name to settings of the recipe's
`ipac` section, or to nothing for stage 1 alone. Interrupted, the same command goes on; the table is Markdown.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import yaml
from tqdm.auto import tqdm

from dataset_scripts.errors import ConlipaError, UsageError, nearest
from dataset_scripts.languages import language
from dataset_scripts.writing import write_json, write_text
from modeling.corpus import Corpus
from modeling.encoder import load_adapted
from modeling.evaluation import SCORES, tagged, trained_on
from modeling.fingerprint import of_folder
from modeling.phoneme_ner_f1.phoneme_ner_f1 import Counts, entity_counts, position_counts
from modeling.quiet import quiet
from modeling.recipe import Recipe, profiles, read_recipe, with_ipac
from modeling.significance import SCORES as SCORE_OF
from modeling.significance import Difference, difference_over_languages
from modeling.train import train_stage

STUDIES = Path(__file__).parent / "studies"
Measured = dict[str, dict[str, Counts]]
"""Score → language → counts of each sentence."""


@dataclass(frozen=True)
class Study:
    """What is compared."""

    path: Path
    title: str
    reference: str
    arms: dict[str, dict[str, Any] | None]


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
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(raw, dict) or set(raw) != {"title", "reference", "arms"} or not isinstance(raw["arms"], dict):
        raise ConlipaError(f"{path}: expected a mapping of title, reference, arms")
    if raw["reference"] not in raw["arms"]:
        raise ConlipaError(f"{path}: the reference '{raw['reference']}' is none of the arms{nearest(str(raw['reference']), raw['arms'])}")
    return Study(path, raw["title"], raw["reference"], raw["arms"])


def run(study: Study, recipe: Recipe, ner: str, corpus: Corpus, langs: list[str], out: Path, seeds: int, sentences: int | None) -> dict[str, Any]:
    """Train and measure every arm with every seed, and compare; what is there already is not done again."""
    arms = {name: with_ipac(recipe, settings, study.path) if settings is not None else None for name, settings in study.arms.items()}
    jobs = [(name, seed) for name, changed in arms.items() for seed in range(seeds if changed else 1)]
    measured: dict[str, list[Measured]] = {name: [] for name in arms}
    for name, seed in tqdm(jobs, desc=study.path.stem, unit="run", file=sys.stderr):
        changed, adapter = arms[name], None
        if changed is not None:
            adapter = out / f"{name.replace(' ', '-')}-{seed}"
            train_stage("ipac", with_ipac(changed, {"seed": seed}, study.path), corpus, adapter, ner)
        measured[name].append(_measure(ner, adapter, corpus, langs, sentences, out / f"{name.replace(' ', '-')}-{seed}.npz"))
    return _report(study, measured, ner, seeds, sentences)


def _measure(ner: str, adapter: Path | None, corpus: Corpus, langs: list[str], sentences: int | None, memory: Path) -> Measured:
    """Counts of the validation split; kept in `memory`, a file that says which weights they are of."""
    weights = f"{of_folder(ner)} {of_folder(str(adapter)) if adapter else ''} {sentences} {' '.join(langs)}"
    if memory.is_file():
        with np.load(memory, allow_pickle=False) as kept:
            if str(kept["weights"]) == weights:
                return {score: {iso: kept[f"{score} {iso}"] for iso in langs} for score in SCORES}
    model, tokenizer = load_adapted(ner, str(adapter) if adapter else None)
    found: Measured = {score: {} for score in SCORES}
    for iso in langs:
        said = tagged(model, tokenizer, corpus, iso, "validation", sentences)
        found["paper_f1"][iso] = position_counts(said.positions, said.predicted_positions)
        found["entity_f1"][iso] = entity_counts(said.words, said.predicted_words)
    memory.parent.mkdir(parents=True, exist_ok=True)
    beside = memory.with_suffix(".partial.npz")
    columns: dict[str, Any] = {f"{score} {iso}": counts for score, by_iso in found.items() for iso, counts in by_iso.items()}
    np.savez_compressed(beside, weights=np.array(weights), **columns)
    beside.replace(memory)
    return found


def _report(study: Study, measured: dict[str, list[Measured]], ner: str, seeds: int, sentences: int | None) -> dict[str, Any]:
    """Mean and spread over seeds of the mean over languages, and the paired difference to the reference arm."""
    arms: dict[str, Any] = {}
    for name, runs in measured.items():
        arms[name] = {}
        for score in SCORES:
            per_seed = [mean(float(SCORE_OF[c.shape[1:]](c.sum(axis=0))) for c in run[score].values()) for run in runs]
            row: dict[str, Any] = {"mean": mean(per_seed), "std": stdev(per_seed) if len(per_seed) > 1 else None, "seeds": per_seed}
            if name != study.reference:
                found = difference_over_languages([run[score] for run in runs], [run[score] for run in measured[study.reference]])
                row["difference"] = found._asdict()
            arms[name][score] = row
    langs = list(next(iter(measured.values()))[0]["paper_f1"])
    return {"title": study.title, "reference": study.reference, "seeds": seeds, "sentences": sentences, "languages": langs, "arms": arms}


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", help=f"{', '.join(sorted(path.stem for path in STUDIES.glob('*.yaml')))}, or a YAML file")
    parser.add_argument("--profile", default="mini", help=f"recipe: {', '.join(profiles())}, or a YAML file (default: mini)")
    parser.add_argument("--ner", required=True, metavar="DIR", help="the stage-1 model that all arms share")
    parser.add_argument("--wikiann", default="sample", metavar="DIR|hub|sample")
    parser.add_argument("--langs", default="", metavar="sin,som", help="default: all with a validation split that stage 1 was not trained on")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sentences", type=int, help="of each language, the first so many (default: all)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args()
    quiet()
    try:
        study, corpus = read_study(arguments.study), Corpus(arguments.wikiann)
        sources = trained_on(arguments.ner)
        wanted = [language(code).iso for code in arguments.langs.split(",") if code]
        langs = wanted or [iso for iso in corpus.languages("validation") if iso not in sources]
        recipe = read_recipe(arguments.profile)
        report = run(study, recipe, arguments.ner, corpus, langs, arguments.out, arguments.seeds, arguments.sentences)
        write_json(report, arguments.out / f"{study.path.stem}.json")
        options = f"--seeds {arguments.seeds}" + (f" --sentences {arguments.sentences}" if arguments.sentences else "")
        profile = Path(arguments.profile).stem
        command = f"python -m modeling.ablation {study.path.stem} --profile {profile} --ner DIR --wikiann DIR {options} --out DIR"
        text = markdown(json.loads(json.dumps(report)), command)
        write_text(text, arguments.out / f"{study.path.stem}.md")
        print(text)
    except ConlipaError as error:
        print(f"conlipa: error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
