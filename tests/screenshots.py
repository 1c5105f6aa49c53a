"""The picture of the Space for the README: the first everyday sentence of a language as the packaged model tags it, and why its first name is one.

The default is Kinyarwanda, which no model of the kit was trained on; its example was not picked for what the model makes of it.

python -m tests.screenshots [LANG [OUT.png]]     # default: kin space/screenshot.png; needs Chromium and the language's font
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from conlipa import space
from tests.browser import DESKTOP, browser, choose
from tests.serving import serving

OUT = Path(space.__file__).parent / "screenshot.png"
MAX_BYTES = 300_000


def picture(lang: str, out: Path) -> None:
    """Write the picture of a language's example, with the reasons and neighbours of its first entity, if the model finds one."""
    with TemporaryDirectory() as folder, browser() as opened:
        for path in space.space_files():
            shutil.copy(path, folder)
        with serving(Path(folder), {"CONLIPA_MODEL": "mini"}) as url:
            page = opened.new_page(viewport=DESKTOP)
            page.goto(url)
            page.wait_for_selector("#result .tagged")
            choose(page, f"({lang}", lang)
            if page.locator("#entity input").count():
                page.locator("#entity input").first.check()
                page.wait_for_selector("#nearest .aligned")
            page.screenshot(path=out, full_page=True)
    if out.stat().st_size > MAX_BYTES:
        raise SystemExit(f"{out}: {out.stat().st_size} bytes; {MAX_BYTES} at most")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    picture(arguments[0] if arguments else "kin", Path(arguments[1]) if len(arguments) > 1 else OUT)
