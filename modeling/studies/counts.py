"""Numbers of a study's command line: refused before any work is done."""

from __future__ import annotations

import argparse

from conlipa.errors import UsageError


def check_counts(arguments: argparse.Namespace, **least: int) -> None:
    """Raises UsageError where an option is less than what it is at least."""
    for name, smallest in least.items():
        if getattr(arguments, name) is not None and getattr(arguments, name) < smallest:
            raise UsageError(f"--{name} is {getattr(arguments, name)}; at least {smallest}")
