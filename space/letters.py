"""A visitor's own letters: an `Orth,Phon` table as text, for as long as one call takes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from conlipa.dataset_scripts.g2p.letter_map import read_letter_map
from conlipa.errors import ConlipaError
from conlipa.space.tagging import checked

MAX_CHARACTERS = 20_000
MAX_ROWS = 2_000
MAX_CELL = 20
"""Characters of a cell; longer ones would make a short text long."""


@contextmanager
def engine(table: str) -> Iterator[str]:
    """The name of an engine that reads by `table`; its file is gone when the block ends.

    Raises:
        ConlipaError: a table that is none, with the line, or one that is too large.
    """
    checked(table, MAX_CHARACTERS, "letter table")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "letters"
        path.write_text(table.strip("\r\n"), encoding="utf-8", newline="")
        try:
            rows = read_letter_map(path)
        except ConlipaError as error:
            raise ConlipaError(f"Letter table: {str(error).replace(f'{path}:', 'line ')}") from None
        except csv.Error as error:
            raise ConlipaError(f"Letter table: no CSV ({error}).") from None
        if len(rows) > MAX_ROWS:
            raise ConlipaError(f"Letter table: {len(rows)} rows; {MAX_ROWS} at most.")
        if long := [letters for letters, phonemes in rows.items() if max(len(letters), len(phonemes)) > MAX_CELL]:
            raise ConlipaError(f"Letter table: a cell may have {MAX_CELL} characters; see the row of '{long[0][:MAX_CELL]}'.")
        yield f"map:{path}"
