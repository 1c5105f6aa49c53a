"""Korean pairs by the loanword orthography, beside the attested ones.

    python -m conlipa.dataset_scripts.loanwords.korean_pairs WORDS.txt      # one English word a line; fills kor.tsv up to 7,521 pairs

Without a file it only measures: how often the orthography gives what the attested pairs have.
"""

from __future__ import annotations

import argparse
import unicodedata
from pathlib import Path

from conlipa.atomic_files import write_text
from conlipa.dataset_scripts.loanwords.hangul import loanword
from conlipa.dataset_scripts.loanwords.pairs import COLUMNS, HELD_OUT, pairs_path, read_pairs, rebuild
from conlipa.dataset_scripts.quality.error_rates import edit_distance
from conlipa.dataset_scripts.wikiann.reading import numbered_lines
from conlipa.errors import exit_on_error

PAPER_SIZE = 7521
"""Korean pairs of the second paper (Table 1)."""


def accuracy() -> dict[str, float]:
    """The orthography against the attested pairs of one word: exact words and letters (jamo) in error, in percent."""
    rows = [row for row in read_pairs(pairs_path("kor")) if row["origin"] == "attested" and " " not in f"{row['english']}{row['target']}"]
    written = loanword([str(row["english"]) for row in rows])
    letters = [
        (unicodedata.normalize("NFD", str(row["target"])), unicodedata.normalize("NFD", word)) for row, word in zip(rows, written, strict=True)
    ]
    exact = sum(a == b for a, b in letters)
    edits = sum(edit_distance(a, b) for a, b in letters)
    return {"pairs": len(rows), "exact": 100 * exact / len(rows), "letter_error_rate": 100 * edits / sum(len(a) for a, _ in letters)}


def extend(words: list[str]) -> int:
    """Append transcribed pairs of new English words to kor.tsv, up to the paper's size; returns how many."""
    path = pairs_path("kor")
    there = read_pairs(path)
    english = {str(row["english"]).lower() for row in there} | HELD_OUT
    targets = {str(row["target"]) for row in there}
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    added = 0
    for word, target in zip(words, loanword(words), strict=True):
        if added + len(there) >= PAPER_SIZE:
            break
        if len(target) > 1 and word.lower() not in english and target not in targets:
            english.add(word.lower())
            targets.add(target)
            lines.append("\t".join(["kor", target, word, "", "", "transcribed", ""]))
            added += 1
    assert lines[0].split("\t") == COLUMNS
    write_text("\n".join(lines) + "\n", path)
    rebuild(path)
    return added


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="?", type=Path)
    arguments = parser.parse_args()
    if arguments.words:
        words = [word.strip() for _, word in numbered_lines(arguments.words)]
        print(f"{extend([word for word in words if word])} pairs added")
    measured = accuracy()
    print(
        f"{measured['pairs']} attested words: {measured['exact']:.1f}% exactly as written, {measured['letter_error_rate']:.1f}% of letters in error"
    )


if __name__ == "__main__":
    with exit_on_error():
        main()
