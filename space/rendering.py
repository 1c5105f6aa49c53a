"""Entities, phonemes and messages as HTML. Everything that comes from outside is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from conlipa.dataset_scripts.g2p.phonemizer import WORD_SEPARATOR
from conlipa.dataset_scripts.g2p.words import Word
from conlipa.dataset_scripts.languages import languages

KINDS = {"PER": "person", "ORG": "organisation", "LOC": "place"}
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
    code = f' lang="{shown(lang)}"' if lang else ""
    heading = f'<section class="tagged" aria-label="{shown(title)}"><h3>{shown(title)}</h3>'
    return f'{heading}<div class="text" dir="auto"{code}>{marks}</div>{found}</section>'


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


def nearest_table(name: str, found: Sequence[tuple[str, str, str, float]]) -> str:
    """The words nearest to a name."""
    rows = "".join(
        f'<tr><td><bdi>{shown(word)}</bdi></td><td lang="und-fonipa">{shown(_together(ipa))}</td>'
        f"<td>{shown(languages()[lang].name)}</td><td>{similarity:.2f}</td></tr>"
        for lang, word, ipa, similarity in found
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("word", "IPA", "language", "similarity"))
    return f'<table class="nearest"><caption>Nearest to <bdi>{shown(name)}</bdi></caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _together(ipa: str) -> str:
    """Phonemes of a word without the spaces between them."""
    return ipa.replace(" ", "").replace(WORD_SEPARATOR, " ")
