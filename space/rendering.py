"""Entities, phonemes and messages as HTML. Everything that comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from conlipa.dataset_scripts.g2p.words import Word
from conlipa.dataset_scripts.languages import languages
from conlipa.modeling.inference.reasons import CAPITAL, CONTEXT, LISTED, SOUND, Reasons
from conlipa.space.neighbours import Neighbour

KINDS = {"PER": "person", "ORG": "organisation", "LOC": "place"}
GAP = "–"
_WITHOUT = {
    CAPITAL: "without its capital letter",
    SOUND: "with its phonemes in reverse order",
    CONTEXT: "without the other words",
    LISTED: "without the list of known names",
}
_FOUND_BY = {
    CAPITAL: "Found by its capital letter",
    SOUND: "Found by its sound",
    CONTEXT: "Found by its context",
    LISTED: "Found on the list of known names",
    None: "No single sign decides",
}
Spoken = Sequence[tuple[Word, Sequence[str]]]
_VISIBLE = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}
"""Control characters as their pictures."""


def shown(text: str) -> str:
    """Text as HTML that is nothing but text."""
    return escape(text.translate(_VISIBLE)).replace("$", "&#36;").replace("{", "&#123;")  # `${` and `{{` are Gradio's templates


def message(text: str) -> str:
    """What went wrong, in words."""
    return f'<p class="complaint" role="alert">{shown(text)}</p>'


def tagged(text: str, spoken: Spoken, entities: Sequence[Any], title: str, lang: str = "") -> str:
    """A text with its entities marked and the IPA under each word."""
    marks = "".join(_stretches(text, spoken, entities))
    found = "" if entities else '<p class="quiet">No person, organisation or place found.</p>'
    known = languages().get(lang)
    code = f' lang="{shown(_bcp47(lang))}" data-language="{shown(lang)}"' if lang else ""
    heading = f'<section class="tagged" aria-label="{shown(title)}"><h2>{shown(title)}</h2>'
    return f'{heading}<div class="text" dir="{known.direction if known else "auto"}"{code}>{marks}</div>{found}</section>'


def _bcp47(lang: str) -> str:
    """What a browser calls a language: by two letters where it has them, as WikiANN does."""
    known = languages().get(lang)
    return known.wikiann if known and len(known.wikiann) == 2 else lang


def side_by_side(sections: Sequence[str]) -> str:
    """Sections beside each other, or below each other where there is no room."""
    return f'<div class="sides">{"".join(sections)}</div>'


def _stretches(text: str, spoken: Spoken, entities: Sequence[Any]) -> list[str]:
    """The text from left to right, in entities and what is between them."""
    made, at = [], 0
    for entity in entities:
        made.append(_words(text, at, entity.start, spoken))
        label = f"{KINDS.get(entity.label, entity.label)} {float(entity.score):.2f}"
        inside = _words(text, entity.start, entity.end, spoken)
        made.append(f'<mark class="{shown(entity.label)}">{inside}<span class="label" dir="ltr" lang="en">{shown(label)}</span></mark>')
        at = entity.end
    return [*made, _words(text, at, len(text), spoken)]


def _words(text: str, start: int, end: int, spoken: Spoken) -> str:
    """`text[start:end]`: words as ruby, what is between them as it is."""
    made, at = [], start
    for word, phonemes in spoken:
        if start <= word.start and word.end <= end:
            made.append(shown(text[at : word.start]))
            ipa = "".join(phonemes)
            if any(character.isalpha() for character in word.text):
                made.append(f'<ruby>{shown(word.text)}<rt dir="ltr" lang="und-fonipa">{shown(ipa)}</rt></ruby>')
            else:
                made.append(shown(word.text))
            at = word.end
    return "".join([*made, shown(text[at:end])])


def nearest_table(name: str, found: Sequence[Neighbour]) -> str:
    """The words that sound nearest to a name, each aligned with it, phoneme under phoneme."""
    rows = "".join(
        f'<tr><th scope="row"><bdi lang="{shown(_bcp47(one.language))}">{shown(one.word)}</bdi></th><td>{shown(languages()[one.language].name)}</td>'
        f"<td>{_aligned(one.aligned)}</td><td>{100 * one.similarity:.0f}%</td></tr>"
        for one in found
    )
    head = "".join(f'<th scope="col">{title}</th>' for title in ("word", "language", "its phonemes under the name's", "alike"))
    caption = f"<caption>Words that sound like <bdi>{shown(name)}</bdi></caption>"
    table = f'<table class="nearest">{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Words that sound alike">{table}</div>'


def _aligned(pairs: Sequence[tuple[str, str]]) -> str:
    """Columns of two phonemes; those that differ are marked, a dash is where one word lacks the other's."""
    columns = "".join(
        f'<span class="{"same" if first == second else "differs"}"><span>{shown(first or GAP)}</span><span>{shown(second or GAP)}</span></span>'
        for first, second in pairs
    )
    spoken = " under ".join(" ".join(side) for side in (tuple(second for _, second in pairs if second), tuple(first for first, _ in pairs if first)))
    return f'<span class="aligned" role="img" aria-label="{shown(spoken)}" dir="ltr" lang="und-fonipa">{columns}</span>'


def reasons_table(name: str, why: Reasons) -> str:
    """Why a name got its label: the share of each label, and what is left of its own without each part, as bars."""
    label = KINDS.get(why.label, why.label)
    shares = [(KINDS.get(kind, "no name"), share) for kind, share in why.shares.items()]
    left = [("as it is", why.shares[why.label]), *((_WITHOUT[part], share) for part, share in why.without.items())]
    others = [share for part, share in why.without.items() if part == why.decisive]
    change = f": {100 * why.shares[why.label]:.0f}% {label}, {100 * others[0]:.0f}% {_WITHOUT[why.decisive]}" if why.decisive else ""
    parts = _bars(f"Why {label}: share of each label", shares) + _bars(f"Share of {label}", left)
    caption = f'<p class="verdict"><bdi>{shown(name)}</bdi> — {_FOUND_BY[why.decisive]}{change}.</p>'
    return f'<section class="why" aria-label="Why this label">{caption}<div class="sides">{parts}</div></section>'


def _bars(title: str, values: Sequence[tuple[str, float]]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{shown(what)}</th><td><meter min="0" max="1" value="{value:.3f}" aria-label="{shown(what)}"></meter></td>'
        f"<td>{100 * value:.0f}%</td></tr>"
        for what, value in values
    )
    return f'<table class="nearest"><caption>{shown(title)}</caption><tbody>{rows}</tbody></table>'


def counts_table(document: str, lang: str, texts: int, counts: Sequence[tuple[str, str, int]], most: int = 100) -> str:
    """The names of a document, the most frequent first; its own name and its language stand above them, as others may be chosen meanwhile."""
    rows = "".join(
        f'<tr><th scope="row"><bdi>{shown(name)}</bdi></th><td>{KINDS.get(label, label)}</td><td>{many:,}</td></tr>'
        for name, label, many in counts[:most]
    )
    rest = f" The first {most} are shown; the files have all." if len(counts) > most else ""
    found = f"{texts:,} texts, {sum(many for *_, many in counts):,} names, {len(counts):,} different.{rest}"
    caption = f"<caption><bdi>{shown(document)}</bdi>, {shown(lang)}: {found}</caption>"
    head = "".join(f'<th scope="col">{title}</th>' for title in ("name", "kind", "times"))
    table = f'<table class="nearest">{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Names of the document">{table}</div>'
