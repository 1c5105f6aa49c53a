"""What the transcription of each language is worth, measured: `quality.json`, which the cards quote.

    python -m conlipa.dataset_scripts.quality.quality --dictionaries DIR --corpus DIR --papers DIR

Error rates against pronunciation dictionaries (`error_rates`), purity over every token of a WikiANN folder (phonemes from
letters that are IPA), agreement with the papers' own transcription (`agreement`). A language without such data has no such figure.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from conlipa.atomic_files import write_json
from conlipa.dataset_scripts.g2p.ipa import is_ipa
from conlipa.dataset_scripts.g2p.phonemizer import Phonemizer
from conlipa.dataset_scripts.g2p.words import SYMBOL, runs
from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.quality.agreement import agreement, read_sentences
from conlipa.dataset_scripts.quality.error_rates import candidates, error_rate, read_dictionary
from conlipa.dataset_scripts.wikiann.places import corpus_option
from conlipa.dataset_scripts.wikiann.wikiann import SPLITS, source
from conlipa.errors import ConlipaError, exit_on_error

QUALITY = Path(__file__).with_name("quality.json")


def of_dictionary(lang: str, path: Path) -> dict[str, Any]:
    """Error rates in percent: the language's own chain, and the best that epitran and espeak reach alone."""
    dictionary = read_dictionary(path)
    found: dict[str, Any] = {"words": len(dictionary), "error_rate": round(error_rate(lang, "auto", dictionary), 1)}
    for kind in ("epitran", "espeak"):
        rates = []
        for name in candidates(lang):
            if name.startswith(f"{kind}:"):
                try:
                    rates.append(error_rate(lang, name, dictionary))
                except ConlipaError:  # a voice that this build of the engine lacks
                    continue
        if rates:
            found[kind] = round(min(rates), 1)
    return found


def of_sentences(lang: str, corpus: str) -> dict[str, Any]:
    """Tokens, phonemes that come from letters, how many of those are not valid IPA, and distinct words that no engine could read."""
    origin = source(corpus)
    tokens = Counter(t for split in SPLITS if lang in origin.languages(split) for s in origin.sentences(lang, split) for t in s.tokens)
    transcribe = Phonemizer(lang)
    phonemes = impure = 0
    for token, spoken in zip(tokens, transcribe(list(tokens)), strict=True):
        kinds = Counter(run if kind == SYMBOL else "" for run, kind in runs(token))
        letters = kinds.pop("", 0)  # a token without any stands as a full stop
        from_letters = list((Counter(spoken) - kinds).elements()) if letters else []
        phonemes += len(from_letters) * tokens[token]
        impure += sum(not is_ipa(phoneme) for phoneme in from_letters) * tokens[token]
    return {"tokens": tokens.total(), "phonemes": phonemes, "impure": impure, "rescued": len(transcribe.rescued)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dictionaries", type=Path, required=True, metavar="DIR", help="ISO.tsv: word<TAB>IPA")
    corpus_option(parser, required=True)
    parser.add_argument("--papers", type=Path, required=True, metavar="DIR", help="ISO.jsonl: tokens and ipa_tokens")
    arguments = parser.parse_args()
    there = source(arguments.corpus).languages()
    made: dict[str, Any] = {}
    for lang in tqdm(languages(), desc="quality", unit="language", file=sys.stderr):
        figures: dict[str, Any] = {}
        if (path := arguments.dictionaries / f"{lang}.tsv").is_file():
            figures |= of_dictionary(lang, path)
        if lang in there:
            figures |= of_sentences(lang, arguments.corpus)
        if (path := arguments.papers / f"{lang}.jsonl").is_file():
            figures["agreement"] = round(agreement(lang, read_sentences(path)).percent, 1)
        if figures:
            made[lang] = figures
    write_json(made, QUALITY)


if __name__ == "__main__":
    with exit_on_error():
        main()
