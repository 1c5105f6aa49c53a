"""Scripts whose consonants carry a vowel (Khmer, Devanagari), read by a table of letters: `letters/CODE.csv`.

Columns `letter,role,first,second,final`. The roles:

| role | what the row says |
|---|---|
| consonant | its sound, in the column of its series, `first` or `second`; `final`: its sound where it closes a syllable |
| sonorant | a consonant that takes the series of the consonant before it |
| vowel | the reading of a vowel sign after either series; with a `final` it stays open. `open`, `closed`, `conjunct`: the inherent vowel |
| sign | a mark that adds a sound to the vowel before it |
| independent | a vowel letter |
| virama | joins consonants; at a word's end it takes the vowel away |
| shifter | puts the consonants before it into the series of the filled column |
| closer | makes its consonant close the syllable before |
| silencer | its consonants are not heard |
| shortened | the reading of a vowel sign before a consonant with a closer or silencer; `letter` is both together |
| rule | a regular expression over the whole reading, syllables separated by `.`, and in `first` what replaces it; in the order of the table |

In a table without any `final` (Sanskrit) a consonant never closes a syllable, and each has a vowel of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from conlipa.dataset_scripts.tables import FOLDER, rows
from conlipa.errors import ConlipaError, nearest

FIRST, SECOND = "first", "second"
_UNKNOWN = {"final": "-"}
"""A letter that the table lacks: nothing closes it."""


@dataclass
class Syllable:
    """The letters of one syllable; `vowel` is empty until the inherent one is chosen."""

    onset: list[str]
    vowel: str
    shifter: str = ""
    closer: str = ""
    coda: str = ""


class Abugida:
    """The reader of one table.

    Raises:
        ConlipaError: no such table.
    """

    def __init__(self, code: str) -> None:
        if not (FOLDER / "letters" / f"{code}.csv").is_file():
            raise ConlipaError(f"no table of letters '{code}'{nearest(code, [path.stem for path in (FOLDER / 'letters').glob('*.csv')])}")
        by_role: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
        for row in rows(f"letters/{code}.csv"):
            by_role[row["role"]][row["letter"]] = row
        self._sonorants, self._shifters, self._silencers = by_role["sonorant"], by_role["shifter"], by_role["silencer"]
        self._consonants = by_role["consonant"] | self._sonorants
        self._vowels = by_role["vowel"] | by_role["shortened"] | by_role["independent"] | by_role["virama"]
        self._signs = by_role["sign"]
        self._closes = any(row["final"] for row in self._consonants.values())
        self._rules = [(regex.compile(letter), row["first"]) for letter, row in by_role["rule"].items()]

        def one_of(*roles: str) -> str:
            letters = sorted({letter for role in roles for letter in by_role[role]}, key=len, reverse=True)
            return f"(?:{'|'.join(map(regex.escape, letters)) or '(?!)'})"

        read = "".join(map(regex.escape, self._vowels))
        self._part = regex.compile(one_of("vowel", "shortened", "independent", "sign") + "|.")
        self._unread = regex.compile(rf"[[\p{{Cf}}\p{{Lm}}]--[{read}]]", regex.V1)
        """Joiners and marks of repetition."""
        virama, shifter, closer = one_of("virama"), one_of("shifter"), one_of("closer", "silencer")
        consonant = rf"(?P<onset>{one_of('consonant', 'sonorant')})(?P<shifter>{shifter})?"
        self._syllable = regex.compile(
            rf"(?:(?P<alone>{one_of('independent')})|{virama}?{consonant}(?:{virama}{consonant})*(?P<end>{virama})?)"
            rf"(?P<vowel>{one_of('vowel', 'sign')}*)(?P<shifter>{shifter})?(?P<closer>{closer})?|(?P<unknown>\p{{L}})"
        )

    def transcribe(self, words: Sequence[str]) -> list[str]:
        return [self._read(self._unread.sub("", word)) for word in words]

    def _read(self, word: str) -> str:
        syllables = [self._cut(match) for match in self._syllable.finditer(word)]
        series, sounds = "", []
        for syllable in self._closed(syllables) if self._closes else syllables:
            series = self._series(syllable, series)
            sounds += [row[FIRST] or row[SECOND] for row in map(self._consonants.__getitem__, syllable.onset)]
            sounds += [self._vowel(syllable.vowel, series), self._consonants[syllable.coda]["final"] if syllable.coda else "", "."]
        reading = "".join(sounds).rstrip(".")
        for pattern, sound in self._rules:
            reading = pattern.sub(sound, reading)
        return reading

    @staticmethod
    def _cut(match: regex.Match[str]) -> Syllable:
        """Consonants with what is written around them; a letter that the table lacks stands where a vowel would."""
        part = {name: text or "" for name, text in match.groupdict().items()}
        return Syllable(match.captures("onset"), part["alone"] + part["vowel"] or part["end"] or part["unknown"], part["shifter"], part["closer"])

    def _closed(self, syllables: list[Syllable]) -> list[Syllable]:
        """From the word's end backwards: a consonant without a vowel closes the syllable before it, as does the first of a conjunct."""
        done: list[Syllable] = []
        while syllables:
            last, before = syllables.pop(), syllables[-1] if syllables else None
            bare = not last.vowel
            if before and bare and before.vowel + last.closer in self._vowels:
                before.vowel += last.closer
            if last.closer in self._silencers:
                continue
            if before and self._may_close(before, last, not done):
                before.coda = last.onset.pop(0)
                before.vowel = before.vowel or ("conjunct" if last.onset else "closed")
                if not last.onset or (bare and not done):  # what is left of a conjunct at the word's end is silent
                    continue
            done.append(last)
        return done[::-1]

    def _may_close(self, before: Syllable, last: Syllable, is_end: bool) -> bool:
        """Whether the first consonant of `last` is heard at the end of `before`."""
        if before.closer or self._vowels.get(before.vowel or "open", _UNKNOWN)["final"]:
            return False
        if not last.onset or not self._consonants[last.onset[0]]["final"]:
            return False
        if len(last.onset) == 1:
            return not last.vowel and not last.shifter and bool(is_end or before.vowel or last.closer)
        return not last.vowel or last.onset[0] in self._sonorants or last.onset[1] not in self._sonorants

    def _series(self, syllable: Syllable, before: str) -> str:
        """That of the shifter, else of the last consonant that is no sonorant, else of the syllable before, else of the sonorant."""
        if syllable.shifter:
            return FIRST if self._shifters[syllable.shifter][FIRST] else SECOND
        strong = [letter for letter in syllable.onset if letter not in self._sonorants]
        if before and not strong:
            return before
        return SECOND if any(self._consonants[letter][SECOND] for letter in (strong or syllable.onset)[-1:]) else FIRST

    def _vowel(self, letters: str, series: str) -> str:
        """The reading of vowel signs: together where the table has them together, else one by one."""
        parts = [letters] if letters in self._vowels else ["open"] * (letters[:1] in self._signs or not letters) + self._part.findall(letters)
        found = [self._vowels.get(part) or self._signs.get(part) or {FIRST: part} for part in parts]
        return "".join(row.get(series) or row[FIRST] for row in found)
