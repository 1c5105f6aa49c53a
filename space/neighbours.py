"""The words that sound like a name: loanwords, their English words, and names of the everyday sentences, by articulatory alignment.

Not by the encoder's vectors: the report's section `nearest` measures how much seldomer those find a loanword's partner.
"""

from __future__ import annotations

from typing import NamedTuple

from conlipa.concurrency import once
from conlipa.dataset_scripts.everyday import everyday
from conlipa.dataset_scripts.g2p.phonemizer import ipa_string, phonemizer
from conlipa.dataset_scripts.g2p.similarity import alignment
from conlipa.dataset_scripts.g2p.sound_search import SoundIndex
from conlipa.dataset_scripts.g2p.words import words
from conlipa.dataset_scripts.loanwords.builder import GROUPS
from conlipa.dataset_scripts.loanwords.pairs import pairs_path, read_pairs

_MANY = 5
_LONGEST = 60
"""Phonemes of a name that are compared; no word here has more than half of that."""


class Neighbour(NamedTuple):
    """A word and how it sounds beside the name."""

    language: str
    word: str
    aligned: list[tuple[str, str]]
    """Phonemes of the name and of the word; one of them is empty where the other lacks it."""
    similarity: float
    """0 to 1."""


@once
def _index() -> tuple[list[tuple[str, str, str]], SoundIndex]:
    """Language, word and phonemes of every word, each once, and the index of their phonemes."""
    pairs = [pair for group in GROUPS.values() for lang in group for pair in read_pairs(pairs_path(lang))]
    known = [(str(pair["language"]), str(pair["target"]), str(pair["target_ipa"])) for pair in pairs]
    known += [("eng", str(pair["english"]), str(pair["english_ipa"])) for pair in pairs]
    for sentence in everyday():
        read = phonemizer(sentence.language)
        for start, end, _ in sentence.spans:
            name = sentence.text[start:end]
            known.append((sentence.language, name, ipa_string(read([word.text for word in words(name)]))))
    known = [found for found in dict.fromkeys(known) if found[2]]
    return known, SoundIndex([ipa for *_, ipa in known])


def nearest(name: str, ipa: str) -> list[Neighbour]:
    """The words nearest to a name's phonemes, best first, the name itself left out; the first call transcribes and indexes them, a second's work."""
    ipa = " ".join(ipa.split()[:_LONGEST])
    known, index = _index()
    found: dict[tuple[str, str], Neighbour] = {}
    for row, similarity in index.nearest(ipa, 4 * _MANY):
        language, word, heard = known[row]
        if word != name:
            found.setdefault((language, word), Neighbour(language, word, alignment(ipa, heard), similarity))
    return list(found.values())[:_MANY]
