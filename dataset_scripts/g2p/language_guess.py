"""The language of a text from its script, where only one language of the table is written in it."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import regex

from conlipa.dataset_scripts.g2p.words import script_of
from conlipa.dataset_scripts.languages import languages
from conlipa.dataset_scripts.tables import rows
from conlipa.errors import UsageError

_ENOUGH = 5000
"""Letters that decide."""
_BESIDE = 0.1
"""A script counts as another's companion (kanji beside kana) where there is one letter of the other to ten of its own."""


def guess_language(text: str) -> str:
    """ISO 639-3 code of the language that most letters of the text belong to; any language where it has no letters.

    Writing systems of several scripts (kanji with kana) are in `mixed_scripts.csv`.

    Raises:
        UsageError: several languages of the table share the script, or none has it.
    """
    scripts = Counter[str]()
    for match in islice(regex.finditer(r"\p{L}\p{M}*", text), _ENOUGH):
        scripts[script_of(match[0][0])] += len(match[0])
    if not scripts:
        return next(iter(languages()))  # digits and marks are read alike in all
    for row in rows("mixed_scripts.csv"):
        if not row["beside"] or scripts[row["beside"]] > _BESIDE * scripts[row["script"]]:
            scripts[row["counts_as"]] += scripts.pop(row["script"], 0)
    script = max(scripts, key=scripts.__getitem__)
    candidates = [row.iso for row in languages().values() if row.script == script]
    if len(candidates) == 1:
        return candidates[0]
    shown = text.strip()[:30].split("\n")[0]
    why = f"{script} is the script of {', '.join(candidates)}" if candidates else f"no language of the table is written in {script}"
    raise UsageError(f"the language of '{shown}' cannot be derived from its script: {why}; name it with lang= or --lang")
