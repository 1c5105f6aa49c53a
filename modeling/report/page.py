"""The report's files: a Markdown file a section with its figures, all of them in one, and one self-contained HTML page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from conlipa.atomic_files import write_json, write_text
from conlipa.errors import ConlipaError
from conlipa.modeling.report.section import Section

TITLE = "conlipa: tables and figures of both papers"
TEMPLATE = "page.html"
_NOT_DRAWN = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>", re.DOTALL)


def write_section(section: Section, command: str, out: Path) -> None:
    """`KEY.md`, its figures beside it, and its numbers as `KEY.json`."""
    for name, svg in section.figures.items():
        write_text(svg, out / name)
    if section.data:
        write_json(section.data, out / f"{section.key}.json")
    write_text(_markdown(section, command), out / f"{section.key}.md")


def write_report(sections: Sequence[Section], commands: Mapping[str, str], intro: str, out: Path) -> None:
    """`report.md` and `report.html` of all sections, in the order given.

    Raises:
        ConlipaError: markdown-it-py is not installed.
    """
    contents = "\n".join(f"{number}. [{section.title}]({section.key}.md)" for number, section in enumerate(sections, 1))
    whole = [f"# {TITLE}\n", intro, "", contents, "", *(_markdown(section, commands[section.key]) for section in sections)]
    write_text("\n".join(whole), out / "report.md")
    page = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True).get_template(TEMPLATE)
    shown = [
        {"key": section.key, "title": section.title, "body": html(section.body, section.figures), "command": commands[section.key]}
        for section in sections
    ]
    write_text(page.render(title=TITLE, intro=html(intro, {}), sections=shown) + "\n", out / "report.html")


def _markdown(section: Section, command: str) -> str:
    return f"## {section.title}\n\n{section.body}\n\nMade by `{command}`\n"


def html(markdown: str, figures: Mapping[str, str]) -> Markup:
    """Markdown as HTML: tables that scroll, figures in the page itself; HTML in the Markdown stays text.

    Raises:
        ConlipaError: markdown-it-py is not installed.
    """
    try:
        from markdown_it import MarkdownIt
    except ImportError as error:
        raise ConlipaError("markdown-it-py is needed for the report (pip install markdown-it-py)") from error

    def image(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
        token = tokens[index]
        return _figure(figures[token.attrs["src"]], token.content)

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.add_render_rule("image", image)
    reader.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>\n')
    reader.add_render_rule("table_close", lambda *_: "</table></div>\n")
    rendered = str(reader.render(markdown))
    return Markup(re.sub(r"<p>(<figure>.*?</figure>)</p>", r"\1", rendered, flags=re.DOTALL))


def _figure(svg: str, caption: str) -> str:
    drawn = _NOT_DRAWN.sub("", svg).strip()
    drawn = drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(caption)}" ', 1)
    return f"<figure><div>{drawn}</div><figcaption>{escape(caption)}</figcaption></figure>"
