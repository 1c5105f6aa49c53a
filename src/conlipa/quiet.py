"""What the libraries say to a developer and a user of the command line need not read."""

from __future__ import annotations

import warnings


def quiet() -> None:
    """No bars for loading and writing small files, no deprecation notices of one library about another."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*scheduler.*")
