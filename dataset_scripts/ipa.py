"""One normal form of IPA, whatever engine it came from: a list of broad phonemes.

No stress, tone, length, gemination, syllable dots or tie bars; affricates are one phoneme
(`tʃ`), aspirates and other coarticulations stay with their letter (`tʰ`), diphthongs are two
vowels. What the engines of one language disagree on is thus not seen by the model.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import regex
from segments import Tokenizer

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
_REWRITE = regex.compile("|".join(sorted(map(regex.escape, _REWRITES), key=len, reverse=True)))
_DROPPED = regex.compile(rf"[^{VOWELS}{CONSONANTS}{KEPT_MODIFIERS}]")
_FOREIGN = regex.compile(rf"[^\P{{L}}{VOWELS}{CONSONANTS}{KEPT_MODIFIERS}\p{{Lm}}\u0080-\u00ff]|[\p{{Mc}}]|[\u0600-\u1cff]")
_AFFRICATE = regex.compile("|".join(f"{a[0]}(?={a[1]})" for a in AFFRICATES))
_LANGUAGE_SWITCH = regex.compile(r"\([a-z-]+\)")
_VOICED_ASPIRATE = regex.compile(r"(?<=[bdɖɡɟɢʒʑʐɽ])ʰ")
_TIE = "\u0361"
_tokenizer = Tokenizer()


def rewritten(raw: str) -> str:
    """`raw` in NFD, without espeak's language switches, in the letters of this module."""
    raw = _LANGUAGE_SWITCH.sub(" ", raw)
    clean: str = _VOICED_ASPIRATE.sub("ʱ", _REWRITE.sub(lambda match: _REWRITES[match[0]], unicodedata.normalize("NFD", raw)))
    return clean


def foreign_letters(raw: str) -> list[str]:
    """Letters of `raw` that are no IPA: what an engine could not read and passed through."""
    found: list[str] = _FOREIGN.findall(rewritten(raw))
    return found


@lru_cache(maxsize=100_000)
def segment(raw: str) -> tuple[str, ...]:
    """The phonemes of a raw IPA string; whitespace in it is no boundary.

    The cutting itself (a letter with its modifiers, two letters under a tie) is done by the library `segments`,
    as in XPhoneBERT. Doubled phonemes become one, as length is not kept.
    """
    clean = _DROPPED.sub("", rewritten(raw)).lstrip(KEPT_MODIFIERS)  # a modifier without a letter before it
    tied = _AFFRICATE.sub(lambda match: match[0] + _TIE, clean)
    phonemes: list[str] = []
    for phoneme in _tokenizer(tied, ipa=True).replace(_TIE, "").split():
        phoneme = phoneme.replace("c\u0327", "ç").lstrip(KEPT_MODIFIERS)
        letters = phoneme.rstrip(KEPT_MODIFIERS)
        phoneme = letters + "".join(dict.fromkeys(phoneme[len(letters) :]))[:MAX_MODIFIERS]
        if phoneme and phoneme != (phonemes[-1] if phonemes else ""):
            phonemes.append(phoneme)
    return tuple(phonemes)


def is_ipa(phoneme: str) -> bool:
    """Whether a phoneme is a letter or an affricate of this module with kept modifiers."""
    letters = phoneme.rstrip(KEPT_MODIFIERS)
    return letters in AFFRICATES or (len(letters) == 1 and letters in VOWELS + CONSONANTS)
