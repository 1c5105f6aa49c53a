"""How far the kit's phonemes agree with another transcription of the same sentences, such as the papers' own.

    python -m conlipa.dataset_scripts.quality.agreement FOLDER [--langs khm,san]

The folder holds `ISO.jsonl`: one sentence a line, `{"tokens": [...], "ipa_tokens": [...]}`. Both sides are brought into
the kit's normal form, and only tokens of letters are compared. Agreement is one less the edits over the phonemes of the longer side.
"""

from __future__ import annotations

import argparse
import difflib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conlipa.dataset_scripts.g2p.ipa import foreign_letters, rewritten, segment
from conlipa.dataset_scripts.g2p.phonemizer import phonemizer
from conlipa.dataset_scripts.g2p.words import SYMBOL, runs
from conlipa.dataset_scripts.languages import language, languages, listed
from conlipa.dataset_scripts.quality.error_rates import edit_distance
from conlipa.dataset_scripts.wikiann.reading import numbered_lines
from conlipa.errors import ConlipaError, exit_on_error

NOTHING = "∅"
MOST_FREQUENT = 5


@dataclass
class Agreement:
    """What comparing one language gave; `untranscribed` counts the other side's tokens with letters that are not valid IPA."""

    sentences: int = 0
    tokens: int = 0
    untranscribed: int = 0
    phonemes: int = 0
    edits: int = 0
    differences: Counter[str] = field(default_factory=Counter)

    @property
    def percent(self) -> float:
        return 100 * (1 - self.edits / max(1, self.phonemes))

    def add(self, other: Sequence[str], ours: Sequence[str]) -> None:
        """Compare one token's phonemes."""
        self.tokens += 1
        self.phonemes += max(len(other), len(ours))
        self.edits += edit_distance(other, ours)
        for kind, i, j, k, m in difflib.SequenceMatcher(None, other, ours, autojunk=False).get_opcodes():
            if kind != "equal":
                self.differences[f"{' '.join(other[i:j]) or NOTHING} → {' '.join(ours[k:m]) or NOTHING}"] += 1


def read_sentences(path: Path) -> list[tuple[list[str], list[str]]]:
    """Tokens and the other side's IPA of each line.

    Raises:
        ConlipaError: a line that is no such object, or whose two lists differ in length.
    """
    sentences = []
    for number, line in numbered_lines(path):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            tokens, ipa = row["tokens"], row["ipa_tokens"]
        except (ValueError, KeyError, TypeError) as error:
            raise ConlipaError(f"{path}:{number}: expected an object with 'tokens' and 'ipa_tokens'") from error
        if len(tokens) != len(ipa):
            raise ConlipaError(f"{path}:{number}: {len(tokens)} tokens, but {len(ipa)} transcriptions")
        sentences.append((tokens, ipa))
    return sentences


def agreement(lang: str, sentences: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Agreement:
    """The kit's own chain against the IPA that comes with the sentences."""
    result, transcribe, script = Agreement(), phonemizer(lang), language(lang).script
    for tokens, ipa in sentences:
        result.sentences += 1
        for token, other, ours in zip(tokens, ipa, transcribe(tokens), strict=True):
            kinds = {kind for _, kind in runs(token)}
            if script in kinds and SYMBOL not in kinds:
                result.untranscribed += bool(foreign_letters(rewritten(other)))
                result.add(segment(other), ours)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--langs", default="", help="comma-separated ISO 639-3 codes; default: every file of the folder")
    arguments = parser.parse_args()
    wanted = listed(arguments.langs) or [iso for iso in languages() if (arguments.folder / f"{iso}.jsonl").is_file()]
    print(
        "| language | sentences | tokens | untranscribed there | agreement % | most frequent differences (there → here) |\n|---|---|---|---|---|---|"
    )
    for iso in wanted:
        found = agreement(iso, read_sentences(arguments.folder / f"{iso}.jsonl"))
        frequent = ", ".join(f"{difference} ({count})" for difference, count in found.differences.most_common(MOST_FREQUENT))
        print(f"| {iso} | {found.sentences} | {found.tokens} | {found.untranscribed} | {found.percent:.1f} | {frequent} |")


if __name__ == "__main__":
    with exit_on_error():
        main()
