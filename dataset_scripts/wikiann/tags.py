"""Tagging schemes: IOB2, which the kit has, and those that are turned into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_BILOU = {"B": "B", "I": "I", "M": "I", "L": "I", "E": "I", "U": "B", "S": "B"}
"""BILOU and its other name, BIOES, to IOB2."""


def split_tag(tag: str) -> tuple[str, str]:
    """Prefix and type: `B-LOC` is (`B`, `LOC`), `O` is (`O`, ``); a bare `LOC` is (`I`, `LOC`)."""
    if tag in ("", "O", "_"):
        return "O", ""
    prefix, mark, kind = tag.partition("-")
    return (prefix, kind) if mark and prefix in _BILOU else ("I", tag)


def orphans(tags: Sequence[str]) -> list[int]:
    """Places of the I- tags that continue no entity."""
    return [place for place, tag in enumerate(tags) if tag.startswith("I-") and (not place or tags[place - 1][2:] != tag[2:])]


def is_iob1(sentences: Iterable[Sequence[str]]) -> bool:
    """Whether B- stands only where an entity touches one of its own type before it, and I- begins all the others, as in CoNLL-2003."""
    begun = False
    for tags in sentences:
        for place, tag in enumerate(tags):
            if tag.startswith("B-") and (not place or tags[place - 1][2:] != tag[2:]):
                return False
        begun = begun or bool(orphans(tags))
    return begun


def begun(tags: Sequence[str]) -> list[str]:
    """The tags, each I- that continues no entity made the B- that it means: IOB1 becomes IOB2."""
    found = list(tags)
    for place in orphans(tags):
        found[place] = "B" + found[place][1:]
    return found


def iob2(tags: Sequence[str]) -> list[str]:
    """Tags of IOB1, IOB2, BILOU, BIOES or of bare types as IOB2."""
    parts = [split_tag(tag) for tag in tags]
    return begun([f"{_BILOU[prefix]}-{kind}" if kind else "O" for prefix, kind in parts])
