"""The training sentences of a corpus as one folder of arrays: what a stage reads, and all that a machine needs that only trains."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from conlipa.atomic_files import atomic_folder, write_json
from conlipa.errors import ConlipaError
from conlipa.modeling.data.packed import Packed
from conlipa.modeling.data.ragged import Integers, spread

SETS = "sets.json"
REDIRECTS = "redirects"
"""Kind of the sets that are no training sentences: the words that augmentation puts before names (`redirects.py`)."""


class PackedSet(NamedTuple):
    """One set of sentences of a language: `kind/name` is what a recipe calls it."""

    lang: str
    kind: str
    name: str

    def is_among(self, patterns: Sequence[str]) -> bool:
        """Whether one of the patterns (`running/deu_2`, `running/*`) names it."""
        return any(fnmatchcase(f"{self.kind}/{self.name}", pattern) for pattern in patterns)


@dataclass(frozen=True)
class PackedCorpus:
    """Sets of sentences, encoded for one input kind."""

    packed: Packed
    sets: tuple[PackedSet, ...]
    """In the order of `packed.set_starts`."""
    encoding: str
    """What the sentences were encoded by (`encoding_of`): another tokenizer or length needs other arrays."""
    sentences: str
    """`fingerprint.of_sentences` of all its languages."""
    where: str = "memory"
    left_out: tuple[PackedSet, ...] = ()
    """Sets of its languages that a recipe excluded when it was packed."""
    words: str = ""
    """`fingerprint.of_redirects` of its words for a redirect; empty where an older kit packed it."""
    division: str = ""
    """`fingerprint.of_sets` of all its languages; empty where an older kit packed it."""

    def languages(self, split: str = "train") -> list[str]:
        """ISO codes; it has training sentences alone."""
        return list(dict.fromkeys(each.lang for each in self.sets if each.kind != REDIRECTS)) if split == "train" else []

    def fingerprint(self, languages: Sequence[str]) -> str:
        """Of the sentences of some languages; that of a corpus where they are all."""
        if set(languages) == set(self.languages()):
            return self.sentences
        return hashlib.sha256(f"{self.sentences} {' '.join(languages)}".encode()).hexdigest()[:16]

    def division_of(self, languages: Sequence[str]) -> str:
        """How the sentences of some languages are divided into sets; empty where that is not known: sentences that were split count as several."""
        return self.division if set(languages) == set(self.languages()) else ""

    def chosen(self, languages: Sequence[str], exclude: Sequence[str]) -> Integers:
        """Numbers of the sets of some languages, without those that a recipe excludes."""
        taken = (each.kind != REDIRECTS and each.lang in languages and not each.is_among(exclude) for each in self.sets)
        return np.flatnonzero(np.fromiter(taken, np.bool_))

    def redirects(self, exclude: Sequence[str]) -> Integers:
        """Numbers of the sentences that are words for a redirect, of any language, without those that a recipe excludes (`redirects/urd`)."""
        taken = np.flatnonzero([each.kind == REDIRECTS and not each.is_among(exclude) for each in self.sets])
        starts = self.packed.set_starts
        return spread(starts[taken], starts[taken + 1] - starts[taken])[0]

    def save(self, folder: Path) -> None:
        """Write the folder: the arrays, and `sets.json` last."""
        with atomic_folder(folder) as beside:
            self.packed.save(beside / "arrays")
            about = {name: getattr(self, name) for name in ("sets", "encoding", "sentences", "left_out", "words", "division")}
            write_json(about, beside / SETS)

    @classmethod
    def load(cls, folder: Path) -> PackedCorpus:
        """Memory-mapped.

        Raises:
            ConlipaError: it is no such folder, or a damaged one.
        """
        try:
            about = json.loads((folder / SETS).read_text(encoding="utf-8"))
            sets = tuple(PackedSet(*map(str, each)) for each in about["sets"])
            left_out = tuple(PackedSet(*map(str, each)) for each in about.get("left_out", []))
            named = str(about["encoding"]), str(about["sentences"]), str(folder)
            found = cls(Packed.load(folder / "arrays"), sets, *named, left_out, str(about.get("words", "")), str(about.get("division", "")))
            found.packed.check(len(sets))
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise ConlipaError(f"{folder}: not a packed corpus, which `python -m conlipa.modeling.data.packing` writes ({error})") from error
        return found


def encoding_of(tokenizer: Any, max_length: int, input_kind: str, split: bool) -> str:
    """A digest of all that decides how a sentence becomes numbers."""
    vocabulary = tokenizer.backend_tokenizer.to_str() if tokenizer.is_fast else repr(tokenizer)
    return hashlib.sha256(f"{vocabulary} {max_length} {input_kind} {split}".encode()).hexdigest()[:16]
