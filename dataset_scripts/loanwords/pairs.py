"""The loanword pairs on disk: `pairs/ISO.tsv`, one row of the CONLIPA contract a line.

python -m conlipa.dataset_scripts.loanwords.pairs          # transcribe and score every file anew
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import regex

from conlipa.dataset_scripts.g2p.ipa import is_ipa
from conlipa.dataset_scripts.g2p.phonemizer import WORD_SEPARATOR, ipa_string, phonemizer
from conlipa.dataset_scripts.g2p.similarity import similarity
from conlipa.dataset_scripts.g2p.words import script_of
from conlipa.dataset_scripts.languages import language, languages
from conlipa.dataset_scripts.loanwords.groups import pairs_path as pairs_path
from conlipa.dataset_scripts.wikiann.reading import numbered_lines
from conlipa.errors import ConlipaError, exit_on_error

COLUMNS = ["language", "target", "english", "target_ipa", "english_ipa", "origin", "similarity"]
ORIGINS = ("attested", "transcribed")
_FIGURE_5 = {"london", "paris", "mumbai", "chicago", "oscar", "sophia", "emma", "facebook", "tesla", "intel"}
_FIGURE_6 = {"michael", "david", "william", "new york", "tokyo", "washington", "paris hilton", "twitter", "unesco", "google"}
HELD_OUT = frozenset(_FIGURE_5 | _FIGURE_6)
"""English sides of the second paper's Figures 5 and 6, which measure similarity and so are never trained on."""
_ALSO_WRITTEN_IN = {"Kana": ("Kana", "Hira")}

Pair = dict[str, str | float]


def read_pairs(path: Path) -> list[Pair]:
    """The rows of a pair file, each one checked.

    Raises:
        ConlipaError: file, line and reason: a missing column, an unknown language, a wrong script,
            an empty field, IPA that is none, a score outside 0 to 1, a pair that stands twice.
    """
    rows: list[Pair] = []
    seen: dict[tuple[str, str], int] = {}
    for number, fields in _lines(path):
        try:
            rows.append(_checked(fields))
        except ConlipaError as error:
            raise ConlipaError(f"{path}:{number}: {error}") from error
        key = (fields[1], fields[2])
        if key in seen:
            raise ConlipaError(f"{path}:{number}: {fields[1]} - {fields[2]} stands on line {seen[key]} already")
        seen[key] = number
    return rows


def _lines(path: Path) -> Iterable[tuple[int, list[str]]]:
    if not path.is_file():
        raise ConlipaError(f"{path}: no such pair file")
    lines = [line for _, line in numbered_lines(path)]
    if lines[0].split("\t") != COLUMNS:
        raise ConlipaError(f"{path}:1: expected the columns {', '.join(COLUMNS)}, separated by tabs")
    for number, line in enumerate(lines[1:], 2):
        if line:
            fields = line.split("\t")
            if len(fields) != len(COLUMNS):
                raise ConlipaError(f"{path}:{number}: expected {len(COLUMNS)} columns ({', '.join(COLUMNS)}), got {len(fields)}")
            yield number, fields


def _checked(fields: Sequence[str]) -> Pair:
    row = dict(zip(COLUMNS, fields, strict=True))
    for column, value in row.items():
        if not value.strip():
            raise ConlipaError(f"{column} is empty")
    script = language(row["language"]).script
    _check_script(row["target"], _ALSO_WRITTEN_IN.get(script, (script,)))
    _check_script(row["english"], ("Latn",))
    if row["english"].lower() in HELD_OUT:
        raise ConlipaError(f"'{row['english']}' is held out for evaluation (Figures 5 and 6)")
    for column in ("target_ipa", "english_ipa"):
        if wrong := [p for p in row[column].split(" ") if p != WORD_SEPARATOR and not is_ipa(p)]:
            raise ConlipaError(f"{column} holds what is not a valid IPA phoneme: {wrong[0]!r}")
    if row["origin"] not in ORIGINS:
        raise ConlipaError(f"origin is '{row['origin']}', expected {' or '.join(ORIGINS)}")
    try:
        similarity = float(row["similarity"])
    except ValueError:
        similarity = -1.0
    if not 0 <= similarity <= 1:
        raise ConlipaError(f"similarity is '{row['similarity']}', expected a number from 0 to 1")
    return {**row, "similarity": similarity}


def _check_script(word: str, scripts: Sequence[str]) -> None:
    for letter in word:
        if regex.match(r"\p{L}", letter):
            if regex.match(r"\p{Lm}", letter):
                continue
            if (found := script_of(letter)) not in scripts:
                raise ConlipaError(f"'{word}': '{letter}' is of the script {found}, expected {' or '.join(scripts)}")
        elif not regex.match(r"[ \p{M}'’\u200c\u200d]", letter):
            raise ConlipaError(f"'{word}': {letter!r} is no letter")


def transcribed(lang: str, words: Sequence[str]) -> list[str]:
    """The IPA of dictionary words, which may be several words long."""
    spaced = [word.split() for word in words]
    phonemes = iter(phonemizer(lang)([part for parts in spaced for part in parts]))
    return [ipa_string([next(phonemes) for _ in parts]) for parts in spaced]


def rebuild(path: Path) -> None:
    """Transcribe and score a file anew, in place; only language, target, english and origin are read."""
    fields = [line for _, line in _lines(path)]
    targets = transcribed(path.stem, [row[1] for row in fields])
    english = transcribed("eng", [row[2] for row in fields])
    beside = path.with_suffix(".partial")
    with beside.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        writer.writerow(COLUMNS)
        for row, target_ipa, english_ipa in zip(fields, targets, english, strict=True):
            writer.writerow([path.stem, row[1], row[2], target_ipa, english_ipa, row[5], f"{similarity(target_ipa, english_ipa):.3f}"])
    os.replace(beside, path)
    read_pairs(path)


def main() -> None:
    for iso in languages():
        if pairs_path(iso).is_file():
            rebuild(pairs_path(iso))
            rows = read_pairs(pairs_path(iso))
            attested = sum(row["origin"] == "attested" for row in rows)
            print(f"{iso}  {len(rows):5d} pairs, {attested} attested, mean similarity {sum(float(r['similarity']) for r in rows) / len(rows):.3f}")


if __name__ == "__main__":
    with exit_on_error():
        main()
