"""A headless Chromium of this machine for the tests and pictures of the Space."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@contextmanager
def browser() -> Iterator[Any]:
    """A browser; gone when the block ends. Skips the test that asks for it where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])  # Chromium has no sandbox for root
        try:
            yield opened
        finally:
            opened.close()


def pick(page: Any, typed: str) -> None:
    """Choose a language by typing a part of its name or its code, with the keyboard alone; `page` is a page or a frame."""
    field = page.locator("#language input")
    field.press("Control+A")
    field.press_sequentially(typed)
    page.wait_for_function("document.querySelectorAll('[role=option]').length === 1")
    field.press("Enter")


def choose(page: Any, typed: str, lang: str) -> None:
    """Choose a language, and wait for what comes of it."""
    pick(page, typed)
    page.wait_for_selector(f'#result .text[data-language="{lang}"]')


def barriers(page: Any) -> list[Any]:
    """What axe-core finds on the page: rule, element, and how to mend it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()
    violations = axe.run(page).response["violations"]
    return [(one["id"], one["nodes"][0]["target"], one["nodes"][0].get("failureSummary")) for one in violations]
