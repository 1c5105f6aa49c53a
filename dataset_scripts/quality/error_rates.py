"""Phoneme error rate of every engine against a folder of pronunciation dictionaries.

    python -m conlipa.dataset_scripts.quality.error_rates DICTIONARIES [--langs tur,sin]

A dictionary is `ISO.tsv`: `word<TAB>IPA`, lines that start with `#` are comments. Both sides are brought into the
kit's normal form (no stress, tone or length), so that only the phonemes themselves are compared.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from conlipa.dataset_scripts.g2p.engines import engine
from conlipa.dataset_scripts.g2p.ipa import segment
from conlipa.dataset_scripts.g2p.phonemizer import Phonemizer
from conlipa.dataset_scripts.languages import language, languages, listed
from conlipa.dataset_scripts.wikiann.reading import numbered_lines
from conlipa.errors import ConlipaError, exit_on_error


def edit_distance(first: Sequence[str], second: Sequence[str]) -> int:
    """Levenshtein distance between two phoneme sequences."""
    return Levenshtein.distance(first, second)


def read_dictionary(path: Path) -> list[tuple[str, str]]:
    """`(word, IPA)` pairs of a file.

    Raises:
        ConlipaError: not UTF-8; with file and line.
    """
    pairs = [line.split("\t") for _, line in numbered_lines(path) if line and not line.startswith("#")]
    return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]


def error_rate(lang: str, engine: str, dictionary: Sequence[tuple[str, str]]) -> float:
    """Edits over reference phonemes, in percent."""
    phonemizer = Phonemizer(lang, engine)
    references = [segment(ipa) for _, ipa in dictionary]
    hypotheses = phonemizer([word for word, _ in dictionary])
    edits = sum(edit_distance(r, h) for r, h in zip(references, hypotheses, strict=True))
    return 100 * edits / max(1, sum(map(len, references)))


def candidates(lang: str) -> list[str]:
    """All offline engines that could transcribe a language: its chain, and every voice and map of its code."""
    import epitran
    import espeakng_loader

    row = language(lang)
    maps = sorted((Path(epitran.__file__).parent / "data" / "map").glob(f"{lang}-{row.script}*.csv"))
    voices = sorted(p.name for p in (Path(espeakng_loader.get_data_path()) / "lang").rglob("*") if p.is_file())
    names = [f"epitran:{path.stem}" for path in maps] + [f"espeak:{v}" for v in voices if v.lower().split("-")[0] == row.wikiann]
    return list(dict.fromkeys([*row.engines, *names]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dictionaries", type=Path)
    parser.add_argument("--langs", default="", help="comma-separated ISO 639-3 codes; default: every dictionary of the folder")
    arguments = parser.parse_args()
    wanted = listed(arguments.langs) or [iso for iso in languages() if (arguments.dictionaries / f"{iso}.tsv").is_file()]
    print("| language | words | engine | error rate % |\n|---|---|---|---|")
    for iso in wanted:
        dictionary = read_dictionary(arguments.dictionaries / f"{iso}.tsv")
        rates = {}
        for name in ["auto", *candidates(iso)]:
            try:
                if name != "auto":
                    engine(name)
                rates[name] = error_rate(iso, name, dictionary)
            except ConlipaError as error:
                print(f"| {iso} | | {name} | {error} |")
        for name, rate in sorted(rates.items(), key=lambda item: item[1]):
            print(f"| {iso} | {len(dictionary)} | {name} | {rate:.1f} |")


if __name__ == "__main__":
    with exit_on_error():
        main()
