"""One normal form of IPA, whatever engine it came from: a list of broad phonemes.

No stress, tone, length, gemination, syllable dots or tie bars; affricates are one phoneme
(`tʃ`), aspirates and other coarticulations stay with their letter (`tʰ`), diphthongs are two
vowels. What the engines of one language disagree on is thus not seen by the model.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import groupby

import regex

VOWELS = "iyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒ"
CONSONANTS = "pbtdʈɖcɟkɡqɢʔmɱnɳɲŋɴʙrʀⱱɾɽɸβfvθðszʃʒʂʐçʝxɣχʁħʕʜʢhɦɬɮʋɹɻjɰlɭʎʟʘǀǃǂǁɓɗʄɠʛɺɧʍwɥɕʑ"
AFFRICATES = ("ts", "dz", "tʃ", "dʒ", "tɕ", "dʑ", "tʂ", "dʐ")
KEPT_MODIFIERS = "ʰʱʼʷʲˤ\u0303"
"""Aspirated, breathy, ejective, labialised, palatalised, pharyngealised, nasal."""
MAX_MODIFIERS = 2

# Letters that some engine writes for what another writes otherwise. NFD has been applied.
_REWRITES = {
    "ʧ": "tʃ", "ʤ": "dʒ", "ʦ": "ts", "ʣ": "dz", "ʨ": "tɕ", "ʥ": "dʑ", "ꭧ": "tʂ", "ꭦ": "dʐ", "ʈʂ": "tʂ", "ɖʐ": "dʐ", "ʈ͡ʂ": "tʂ", "ɖ͡ʐ": "dʐ",
    "c\u0327": "ç", "g": "ɡ", "ɚ": "əɹ", "ɝ": "ɜɹ", "ᵻ": "ɪ", "ᵿ": "ʊ", "ɫ": "l", "ǝ": "ə", "ε": "ɛ", "ɩ": "ɪ", "ɷ": "ʊ",
    "’": "ʼ", "'": "ʼ", "ʻ": "ʼ", "ʹ": "ʲ", "ʸ": "ʲ", "ᵝ": "", "\u0334": "ˤ", "ɿ": "ɨ", "ʅ": "ɨ", "ß": "s", "ı": "ɯ", "ł": "l",
    "ⁿ": "n", "ᵐ": "m", "ᵑ": "ŋ", "ŕ": "r", "ƙ": "kʼ", "ʟ̩": "l", "ᴣ": "ʒ", "ɼ": "r",
}  # fmt: skip
_REWRITE = regex.compile("|".join(sorted((regex.escape(raw) for raw in _REWRITES if len(raw) > 1), key=len, reverse=True)))
_REWRITE_LETTER = str.maketrans({raw: letters for raw, letters in _REWRITES.items() if len(raw) == 1})
_DROPPED = regex.compile(rf"[^{VOWELS}{CONSONANTS}{KEPT_MODIFIERS}\n]+")
_FOREIGN = regex.compile(rf"[^\P{{L}}{VOWELS}{CONSONANTS}{KEPT_MODIFIERS}\p{{Lm}}\u0080-\u00ff]|[\p{{Mc}}]|[\u0600-\u1cff]")
_PHONEME = regex.compile(rf"(?:{'|'.join(AFFRICATES)}|[{VOWELS}{CONSONANTS}])[{KEPT_MODIFIERS}]*")
_LANGUAGE_SWITCH = regex.compile(r"\([a-z-]+\)")
_VOICED_ASPIRATE = regex.compile(r"(?<=[bdɖɡɟɢʒʑʐɽ])ʰ")


def rewritten(raw: str) -> str:
    """`raw`, of any number of lines, in NFD, without espeak's language switches, in the letters of this module."""
    raw = unicodedata.normalize("NFD", _LANGUAGE_SWITCH.sub(" ", raw))
    letters = _REWRITE.sub(lambda match: _REWRITES[match[0]], raw).translate(_REWRITE_LETTER)
    clean: str = _VOICED_ASPIRATE.sub("ʱ", letters)
    return clean


def foreign_letters(text: str) -> list[str]:
    """Letters of a `rewritten` text that are not valid IPA: what an engine could not read and passed through."""
    found: list[str] = _FOREIGN.findall(text)
    return found


def segments(text: str) -> list[tuple[str, ...]]:
    """The phonemes of each line of a `rewritten` text: many words cost hardly more than one.

    A phoneme is an affricate or a letter, with its modifiers; other white space than the line's end is no boundary.
    Doubled phonemes become one, as length is not kept.
    """
    lines = _DROPPED.sub("", text).split("\n")
    return [tuple(phoneme for phoneme, _ in groupby(map(_modified, _PHONEME.findall(line)))) for line in lines]


@lru_cache(maxsize=100_000)
def segment(raw: str) -> tuple[str, ...]:
    """The phonemes of a raw IPA string."""
    return segments(rewritten(raw.replace("\n", " ")))[0]


@lru_cache(maxsize=100_000)
def _modified(phoneme: str) -> str:
    """A phoneme with each modifier once, and few of them."""
    letters = phoneme.rstrip(KEPT_MODIFIERS)
    return letters + "".join(dict.fromkeys(phoneme[len(letters) :]))[:MAX_MODIFIERS]


def is_ipa(phoneme: str) -> bool:
    """Whether a phoneme is a letter or an affricate of this module with kept modifiers."""
    letters = phoneme.rstrip(KEPT_MODIFIERS)
    return letters in AFFRICATES or (len(letters) == 1 and letters in VOWELS + CONSONANTS)
