"""Write a release's scores into a Markdown file, between its `<!-- scores -->` marks.

python -m hub_cards.readme RELEASE README.md
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from dataset_scripts.errors import ConlipaError
from dataset_scripts.writing import write_text
from hub_cards.plan import read_tree
from modeling.comparison import case_table

BEGIN, END = "<!-- scores -->", "<!-- /scores -->"


def with_scores(text: str, release: Path) -> str:
    """The text with the release's table between the marks.

    Raises:
        ConlipaError: no marks in the text, or no finished release.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ConlipaError(f"no {BEGIN} … {END} in the text")
    tree = read_tree(release)
    scores = json.loads(tree.scores.read_text(encoding="utf-8"))
    record = json.loads((tree.ner / "training.json").read_text(encoding="utf-8"))
    made = json.loads((release / "release.json").read_text(encoding="utf-8"))
    sources = record["languages"]
    runs = [record, *([record["start_run"]] if "start_run" in record else [])]
    intro = (
        f"`{tree.recipe.name}`, trained on {len(sources)} source languages ({', '.join(sources)}; {sum(run['steps'] for run in runs)} steps, "
        f"{sum(run['seconds'] for run in runs) / 60:.0f} minutes on a machine with two CPU cores), "
        f"before and after IPAC; validation split of {made['wikiann']}, one seed, means over the languages of each of the papers' "
        "cases that were at hand, none of them trained on. Beside them the papers' figures "
        "(`paper_f1`) for the same languages; their models were trained on English alone."
    )
    return f"{head}{BEGIN}\n{intro}\n\n{case_table({'before': scores['before'], 'IPAC': scores['after']})}\n{END}{tail}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path)
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    write_text(with_scores(arguments.file.read_text(encoding="utf-8"), arguments.release), arguments.file)


if __name__ == "__main__":
    main()
