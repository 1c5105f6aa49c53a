"""Is the partner of a loanword among the English words nearest to it: by articulatory alignment, and by the encoder's vectors?

What the Space shows beside a name rests on this. Of each language at most `MOST` pairs, drawn once, are looked for among all
distinct English words of CONLIPA.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import mean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from conlipa.dataset_scripts.g2p.sound_search import SoundIndex
from conlipa.dataset_scripts.languages import language
from conlipa.dataset_scripts.loanwords.builder import GROUPS
from conlipa.dataset_scripts.loanwords.pairs import pairs_path, read_pairs
from conlipa.modeling.evaluation.markdown import markdown_table
from conlipa.modeling.report.embedding import space_of
from conlipa.modeling.report.section import Inputs, Section
from conlipa.modeling.report.words import Space, sides

KEY = "nearest"
MOST = 300
FIRST = 10
WAYS = ("alignment", "before IPAC", "after IPAC")


class Ranks(NamedTuple):
    """What is said of the ranks of true partners among all English words."""

    first: float
    """Share of the partners that are among the first `FIRST`."""
    reciprocal: float
    """Mean reciprocal rank."""


def ranks(similarities: NDArray[np.floating], partners: Sequence[int]) -> list[float]:
    """The rank of each partner, 1 the nearest; among equals the mean of their places.

    Args:
        similarities: (queries, words).
        partners: the column of each query's own word.
    """
    own = similarities[np.arange(len(partners)), list(partners)][:, None]
    return [float(rank) for rank in 1 + (similarities > own).sum(axis=1) + ((similarities == own).sum(axis=1) - 1) / 2]


def summary(found: Sequence[float]) -> Ranks:
    """Of the ranks of one language."""
    return Ranks(mean(rank <= FIRST for rank in found), mean(1 / rank for rank in found))


def drawn_pairs(group: str) -> dict[str, list[dict[str, str]]]:
    """At most `MOST` pairs of each language of a group, in the order of its file."""
    drawn = {}
    for lang in GROUPS[group]:
        rows = [{key: str(value) for key, value in row.items()} for row in read_pairs(pairs_path(lang))]
        numbers = sorted(random.Random(0).sample(range(len(rows)), min(MOST, len(rows))))
        drawn[lang] = [rows[number] for number in numbers]
    return drawn


def section(inputs: Inputs) -> Section:
    """Ranks by alignment, by the encoder before and after IPAC, and with shuffled partners."""
    kind = inputs.recipe.encoder.input
    every = [row for group in GROUPS for lang in GROUPS[group] for row in read_pairs(pairs_path(lang))]
    heard = list(dict.fromkeys(str(row["english_ipa"]) for row in every))
    read = {str(row["english_ipa"]): sides(row, kind)[0] for row in every}
    groups = {group: drawn_pairs(group) for group in GROUPS}
    targets = [sides(row, kind)[1] for drawn in groups.values() for rows in drawn.values() for row in rows]
    words = sorted({*targets, *read.values()})
    spaces = dict(zip(WAYS[1:], (space_of(inputs, None, words), space_of(inputs, inputs.adapter, words)), strict=True))
    index, columns = SoundIndex(heard), {ipa: number for number, ipa in enumerate(heard)}

    data: dict[str, dict[str, dict[str, Ranks]]] = {}
    for group, drawn in groups.items():
        data[group] = {}
        for lang, rows in drawn.items():
            partners = [columns[row["english_ipa"]] for row in rows]
            found = {WAYS[0]: np.stack([index.similarities(row["target_ipa"]) for row in rows])}
            for way, space in spaces.items():
                found[way] = _cosines(space, [sides(row, kind)[1] for row in rows], [read[ipa] for ipa in heard])
            shuffled = random.Random(1).sample(partners, len(partners))
            data[group][lang] = {way: summary(ranks(matrix, partners)) for way, matrix in found.items()}
            data[group][lang]["shuffled"] = summary(ranks(found[WAYS[2]], shuffled))
    numbers = {group: {lang: {way: one._asdict() for way, one in own.items()} for lang, own in rows.items()} for group, rows in data.items()}
    return Section(KEY, "Nearest words: a loanword's partner among all English words", _body(data, len(heard)), data=numbers)


def _cosines(space: Space, queries: Sequence[str], words: Sequence[str]) -> NDArray[np.floating]:
    """(queries, words)."""
    first, second = (np.stack([space[word].numpy() for word in side]) for side in (queries, words))
    return np.asarray(first @ second.T)


def _body(data: dict[str, dict[str, dict[str, Ranks]]], words: int) -> str:
    head = ["language", *(f"{way}, first {FIRST} / MRR" for way in (*WAYS, "shuffled partners"))]
    rows: list[list[str]] = []
    for group, own in data.items():
        rows += [[language(lang).name, *map(_shown, found.values())] for lang, found in own.items()]
        columns = list(zip(*(found.values() for found in own.values()), strict=True))
        means = [Ranks(*(mean(values) for values in zip(*column, strict=True))) for column in columns]
        rows.append([f"**mean of {'the ten' if group == 'all' else 'the others'}**", *map(_shown, means)])
    return "\n\n".join(
        [
            f"Each loanword asks for the nearest of all {words:,} distinct English words of CONLIPA (as they sound): the share of its true partners"
            f" among the first {FIRST}, in percent, and the mean reciprocal rank. *Alignment*: articulatory, untrained, as the Space searches."
            " *Before* and *after IPAC*: cosine of mean-pooled last hidden states; of the ten languages IPAC has seen the pairs, of the others it"
            " has not. *Shuffled partners*: after IPAC, with the partners of a language exchanged among its words, which is what chance gives.",
            markdown_table(head, rows),
        ]
    )


def _shown(one: Ranks) -> str:
    return f"{100 * one.first:.0f} / {one.reciprocal:.2f}"
