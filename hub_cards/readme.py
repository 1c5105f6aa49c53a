"""Write a release's scores and tables of a report into Markdown files, between the marks that each has: `<!-- conlipa-mini -->` for the scores of the
release of that recipe by case, `<!-- conlipa-mini table -->` for its table alone, `<!-- conlipa-mini everyday -->` for its everyday sentences,
`<!-- conlipa-mini found -->` for a sentence about these and one about what IPAC changes, `<!-- control -->` for that section of the report.

python -m conlipa.hub_cards.readme README.md docs/scores.md [--release DIR] [--report DIR]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from conlipa.atomic_files import write_text
from conlipa.dataset_scripts.languages import language
from conlipa.errors import ConlipaError, exit_on_error
from conlipa.hub_cards.plan import read_tree
from conlipa.modeling.evaluation.comparison import before_and_after, change
from conlipa.modeling.evaluation.everyday import table as everyday_table
from conlipa.modeling.training.run_metadata import runs_of


def with_block(text: str, name: str, content: str) -> str:
    """The text with the content between its `<!-- name -->` and `<!-- /name -->`.

    Raises:
        ConlipaError: no such marks in the text.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, found, rest = text.partition(begin)
    _, ended, tail = rest.partition(end)
    if not found or not ended:
        raise ConlipaError(f"no {begin} … {end} in the text")
    return f"{head}{begin}\n{content}\n{end}{tail}"


def blocks_of(release: Path) -> dict[str, str]:
    """What a release has to say, by the names of the marks.

    Raises:
        ConlipaError: no finished release.
    """
    tree = read_tree(release)
    scores = json.loads(tree.scores.read_text(encoding="utf-8"))
    record = json.loads((tree.ner / "training.json").read_text(encoding="utf-8"))
    made = json.loads((release / "release.json").read_text(encoding="utf-8"))
    sources = record["languages"]
    runs = runs_of(record)
    trained_on = f"{len(sources)} source languages ({', '.join(sources)})" if len(sources) > 1 else f"{language(sources[0]).name} alone"
    intro = (
        f"`{tree.recipe.name}`, trained on {trained_on}, {sum(run['steps'] for run in runs)} steps, "
        f"{sum(run['seconds'] for run in runs) / 60:.0f} minutes on a machine with two CPU cores, "
        f"before and after IPAC; validation split of {made['wikiann']}, one seed, means over the languages of each of the papers' "
        "cases that were available, none of them trained on. Beside them the papers' figures "
        "(`paper_f1`) for the same languages; their models were trained on English alone."
    )
    cases = before_and_after(scores)
    name = tree.recipe.name
    said = (
        {"everyday": everyday_table(scores["everyday"]), "found": f"{found(scores['everyday'])} {change(scores['before'], scores['after'])}"}
        if "everyday" in scores
        else {}
    )
    return {
        name: f"{intro}\n\n{cases}",
        f"{name} table": cases,
        **{f"{name} {block}": text for block, text in said.items()},
    }


def found(everyday: dict[str, Any]) -> str:
    """How much of everyday sentences a tagger finds, in one sentence."""
    cased, uncased = everyday["cased scripts"], everyday["uncased scripts"]
    return (
        f"In everyday sentences it finds {cased['recall']:.0f}% of the names where the script has capitals, and {uncased['recall']:.0f}%"
        " where it has none (Arabic, Devanagari, Hangul, Thai …);"
        f" {cased['precision']:.0f}% and {uncased['precision']:.0f}% of what it finds is right in span and label."
    )


def tables_of(section: Path) -> str:
    """The tables of a section of the report, and the command that made them."""
    lines = section.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.startswith(("|", "`paper_f1`", "`entity_f1`", "Made by"))]
    spaced = (f"\n{line}\n" if not line.startswith("|") else line for line in kept)
    return "\n".join(spaced).strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--release", type=Path, metavar="DIR")
    parser.add_argument("--report", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    with exit_on_error():
        blocks = blocks_of(arguments.release) if arguments.release else {}
        if arguments.report:
            blocks |= {section.stem: tables_of(section) for section in sorted(arguments.report.glob("*.md"))}
        for file in arguments.files:
            text = file.read_text(encoding="utf-8")
            for name, content in blocks.items():
                if f"<!-- {name} -->" in text:
                    text = with_block(text, name, content)
            write_text(text, file)


if __name__ == "__main__":
    main()
