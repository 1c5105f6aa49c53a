"""What a damaged parquet file can raise, as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conlipa.errors import ConlipaError


@contextmanager
def parquet_faults(path: Path) -> Iterator[None]:
    """Reading of one file.

    Raises:
        ConlipaError: it cannot be read; pyarrow and `datasets` have a dozen unrelated errors for it.
    """
    try:
        yield
    except (ConlipaError, GeneratorExit):
        raise
    except Exception as error:
        raise ConlipaError(f"{path}: cannot be read as parquet ({type(error).__name__}: {str(error)[:100]})") from error
