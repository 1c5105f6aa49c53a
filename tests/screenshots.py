"""The picture of the Space for the README: the page twice, beside each other, in two languages, as the packaged model tags them.

The default languages are two in whose examples it finds a name; it does not in all.

python -m tests.screenshots [LANG LANG [OUT.png]]     # default: mar kir space/screenshot.png; needs Chromium and the languages' fonts
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
_TWICE = """<body style="margin:0; display:flex; height:100vh"><iframe src="{url}" style="flex:1; border:0"></iframe>
<iframe src="{url}" style="flex:1; border:0; border-left:1px solid #ddd"></iframe></body>"""


def picture(langs: tuple[str, str], out: Path) -> None:
    """Write the picture of two languages' examples, each with the neighbours of its first entity, if the model finds one."""
    with TemporaryDirectory() as folder, browser() as opened:
        for path in space.space_files():
            shutil.copy(path, folder)
        with serving(Path(folder), {"CONLIPA_MODEL": "mini"}) as url:
            page = opened.new_page(viewport=DESKTOP)
            page.goto(f"{url}/robots.txt")
            page.set_content(_TWICE.format(url=url))
            for frame, lang in zip(page.frames[1:], langs, strict=True):
                frame.wait_for_selector("#result .tagged")
                choose(frame, f"({lang}", lang)
                if frame.locator("#entity input").count():
                    frame.locator("#entity input").first.check()
                    frame.wait_for_selector("#nearest tbody tr", timeout=300_000)
            page.screenshot(path=out)
    if out.stat().st_size > MAX_BYTES:
        raise SystemExit(f"{out}: {out.stat().st_size} bytes; {MAX_BYTES} at most")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    picture((arguments[0], arguments[1]) if arguments else ("mar", "kir"), Path(arguments[2]) if len(arguments) > 2 else OUT)
