"""English phonemes to Hangul by the rules of the official loanword orthography (외래어 표기법, table 1 and chapter 3, section 1).

The orthography is written for British pronunciation, so the phonemes are those of espeak-ng's Received Pronunciation, with their length.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import regex

from conlipa.dataset_scripts.g2p.engines import engine

VOICE = "espeak:en-GB-x-rp"

_VOWELS = {
    "iː": "ㅣ", "ɪ": "ㅣ", "i": "ㅣ", "e": "ㅔ", "ɛ": "ㅔ", "eə": "ㅔㅓ", "a": "ㅐ", "æ": "ㅐ", "ɑː": "ㅏ", "ɑ": "ㅏ", "ʌ": "ㅓ", "ɐ": "ㅓ", "ə": "ㅓ", "ɜː": "ㅓ",
    "ɒ": "ㅗ", "ɔː": "ㅗ", "ɔ": "ㅗ", "o": "ㅗ", "əʊ": "ㅗ", "oʊ": "ㅗ", "uː": "ㅜ", "ʊ": "ㅜ", "u": "ㅜ",
    "aɪ": "ㅏㅣ", "aʊ": "ㅏㅜ", "eɪ": "ㅔㅣ", "ɔɪ": "ㅗㅣ", "iə": "ㅣㅓ", "ɪə": "ㅣㅓ", "ʊə": "ㅜㅓ", "aɪə": "ㅏㅣㅓ", "aʊə": "ㅏㅝ", "ɪəʊ": "ㅣㅗ", "iəʊ": "ㅣㅗ", "aɪəʊ": "ㅏㅣㅗ",
}  # fmt: skip
_SHORT = {"ɪ", "i", "e", "ɛ", "a", "æ", "ʌ", "ɐ", "ə", "ɒ", "ɔ", "ʊ", "u"}
# consonant: (before a vowel, as a coda or None, with a vowel of its own)
_CONSONANTS = {
    "p": ("ㅍ", "ㅂ", "프"), "t": ("ㅌ", "ㅅ", "트"), "k": ("ㅋ", "ㄱ", "크"), "b": ("ㅂ", None, "브"), "d": ("ㄷ", None, "드"), "ɡ": ("ㄱ", None, "그"),
    "f": ("ㅍ", None, "프"), "v": ("ㅂ", None, "브"), "θ": ("ㅅ", None, "스"), "ð": ("ㄷ", None, "드"), "s": ("ㅅ", None, "스"), "z": ("ㅈ", None, "즈"),
    "ʃ": ("시", None, "시"), "ʒ": ("ㅈ", None, "지"), "ts": ("ㅊ", None, "츠"), "dz": ("ㅈ", None, "즈"), "tʃ": ("ㅊ", None, "치"), "dʒ": ("ㅈ", None, "지"),
    "m": ("ㅁ", "ㅁ", ""), "n": ("ㄴ", "ㄴ", ""), "ŋ": ("ㅇ", "ㅇ", ""), "l": ("ㄹ", "ㄹ", ""), "ɹ": ("ㄹ", None, "르"), "r": ("ㄹ", None, "르"),
    "h": ("ㅎ", None, "흐"), "x": ("ㅎ", None, "흐"),
}  # fmt: skip
_Y = {"ㅏ": "ㅑ", "ㅐ": "ㅒ", "ㅓ": "ㅕ", "ㅔ": "ㅖ", "ㅗ": "ㅛ", "ㅜ": "ㅠ", "ㅣ": "ㅣ", "ㅝ": "ㅝ"}
_W = {"ㅏ": "ㅘ", "ㅐ": "ㅙ", "ㅓ": "ㅝ", "ㅔ": "ㅞ", "ㅗ": "ㅝ", "ㅜ": "ㅜ", "ㅣ": "ㅟ", "ㅝ": "ㅝ"}
_AFTER_SH = {**_Y, "ㅐ": "ㅒ", "ㅔ": "ㅖ"}  # 샤, 섀 (written below), 셔, 셰, 쇼, 슈, 시

_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_MEDIALS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"

_PHONEME = regex.compile("|".join(sorted([*_VOWELS, *_CONSONANTS, "j", "w"], key=len, reverse=True)))
_VOICELESS_STOPS, _LIQUIDS_AND_NASALS = ("p", "t", "k"), ("l", "ɹ", "r", "m", "n")


def english_phonemes(words: Sequence[str]) -> list[list[str]]:
    """British phonemes of each word, with the length of vowels."""
    found = []
    for word, raw in zip(words, engine(VOICE).transcribe(words), strict=True):
        phonemes = _PHONEME.findall(unicodedata.normalize("NFC", regex.sub(r"\([a-z-]+\)|[ˈˌ.͡ ]", "", raw)))
        if word.endswith("le") and phonemes[-2:] == ["ə", "l"] and len(phonemes) > 2 and phonemes[-3] in _CONSONANTS:
            del phonemes[-2]  # apple is [æpl] to the orthography: 애플
        found.append(phonemes)
    return found


def loanword(words: Sequence[str]) -> list[str]:
    """English words as the orthography writes them; an empty string for one that has no phonemes."""
    return [hangul(phonemes) for phonemes in english_phonemes(words)]


def hangul(phonemes: Sequence[str]) -> str:
    """One word's phonemes in Hangul; an empty string where it has none."""
    syllables: list[list[str]] = []  # [initial, medial, final]
    at = 0
    while at < len(phonemes):
        at = (
            _consonant(phonemes, at, syllables) if phonemes[at] not in _VOWELS and phonemes[at] not in "jw" else _vowel(phonemes, at, "ㅇ", syllables)
        )
    return "".join(_composed(*syllable) for syllable in syllables)


def _vowel(phonemes: Sequence[str], at: int, initial: str, syllables: list[list[str]]) -> int:
    """Write the (glide and) vowel at `at` after an initial; returns what comes next."""
    glide = phonemes[at] if phonemes[at] in "jw" else ""
    at += bool(glide)
    if at >= len(phonemes) or phonemes[at] not in _VOWELS:  # a glide without a vowel
        syllables.append([initial, "ㅣ" if glide == "j" else "ㅜ", ""])
        return at
    medials = _VOWELS[phonemes[at]]
    first = medials[0]
    if glide == "j" and first == "ㅓ" and initial in "ㄷㄹㄴ":  # Indian 인디언, union 유니언
        syllables.append([initial, "ㅣ", ""])
        initial = "ㅇ"
    elif glide:
        if glide == "w" and initial not in "ㅇㄱㅎㅋ":  # swing 스윙; but quarter 쿼터, penguin 펭귄, whistle 휘슬
            syllables.append([initial, "ㅡ", ""])
            initial = "ㅇ"
        first = (_Y if glide == "j" else _W)[first]
    syllables.append([initial, first, ""])
    syllables.extend(["ㅇ", medial, ""] for medial in medials[1:])
    return at + 1


def _consonant(phonemes: Sequence[str], at: int, syllables: list[list[str]]) -> int:
    sound = phonemes[at]
    following = phonemes[at + 1] if at + 1 < len(phonemes) else ""
    before_vowel = following in _VOWELS or following in ("j", "w")
    initial, coda, alone = _CONSONANTS[sound]
    open_syllable = bool(syllables) and not syllables[-1][2]
    if sound == "ŋ":
        if open_syllable:
            syllables[-1][2] = "ㅇ"
        return _vowel(phonemes, at + 1, "ㅇ", syllables) if before_vowel else at + 1
    if before_vowel and not (following == "w" and sound not in ("k", "ɡ", "h")):
        if sound == "l" and open_syllable and at and phonemes[at - 1] not in ("m", "n"):
            syllables[-1][2] = "ㄹ"  # slide 슬라이드; but Hamlet 햄릿
        if sound == "ʃ":
            return _sh(phonemes, at + 1, syllables)
        return _vowel(phonemes, at + 1, initial, syllables)
    if sound in ("m", "n", "l"):
        _coda_or_syllable(coda or "", initial, syllables, open_syllable)
        if sound == "l" and following in ("m", "n") and (at + 2 >= len(phonemes) or phonemes[at + 2] not in _VOWELS):
            syllables.append(["ㄹ", "ㅡ", ""])  # film 필름
        return at + 1
    previous = phonemes[at - 1] if at else ""
    if sound in _VOICELESS_STOPS and open_syllable and previous in _SHORT and following not in _LIQUIDS_AND_NASALS:
        syllables[-1][2] = coda or ""  # gap 갭, act 액트; but cape 케이프, apple 애플
        return at + 1
    if sound == "ʃ" and following:
        alone = "슈"  # shrub 슈러브
    syllables.append(_decomposed(alone))
    return at + 1


def _coda_or_syllable(coda: str, initial: str, syllables: list[list[str]], open_syllable: bool) -> None:
    if open_syllable:
        syllables[-1][2] = coda
    else:  # a nasal or l after a consonant, or at the beginning
        syllables.append([initial, "ㅡ", ""] if not syllables else ["ㅇ", "ㅡ", coda])


def _sh(phonemes: Sequence[str], at: int, syllables: list[list[str]]) -> int:
    """ʃ before a vowel: 샤, 섀, 셔, 셰, 쇼, 슈, 시."""
    end = _vowel(phonemes, at, "ㅅ", syllables)
    first = next(number for number in range(len(syllables) - 1, -1, -1) if syllables[number][0] == "ㅅ")
    syllables[first][1] = _AFTER_SH.get(syllables[first][1], syllables[first][1])
    return end


def _decomposed(syllable: str) -> list[str]:
    code = ord(syllable) - 0xAC00
    return [_INITIALS[code // 588], _MEDIALS[code % 588 // 28], _FINALS[code % 28].strip()]


def _composed(initial: str, medial: str, final: str) -> str:
    return chr(0xAC00 + _INITIALS.index(initial) * 588 + _MEDIALS.index(medial) * 28 + _FINALS.index(final or " "))
