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
from modeling.evaluation import table

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
    minutes = record["seconds"] / 60
    intro = (
        f"`{tree.recipe.name}`, trained on {', '.join(tree.recipe.ner.languages)} ({record['steps']} steps, {minutes:.0f} minutes on two CPU cores), "
        f"before and after IPAC, "
        f"validation split of {made['wikiann']}, one seed. Command: `conlipa release --wikiann DIR`."
    )
    return f"{head}{BEGIN}\n{intro}\n\n{table({'before': scores['before'], 'IPAC': scores['after']})}\n{END}{tail}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path)
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    write_text(with_scores(arguments.file.read_text(encoding="utf-8"), arguments.release), arguments.file)


if __name__ == "__main__":
    main()
