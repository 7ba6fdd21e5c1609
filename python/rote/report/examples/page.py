"""One HTML file that lets a reader sort, filter and look at examples; it needs no network and no server."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from pathlib import Path

from rote.report import numbers, style
from rote.report.embed import prose
from rote.report.examples.overview import overview
from rote.report.examples.payload import payload
from rote.report.examples.sheets import contact_sheets
from rote.report.examples.table import ExampleTable
from rote.runs.whole_files import write_bytes

SCRIPTS = ("data.js", "state.js", "list.js", "controls.js", "detail.js", "start.js")
# Nothing is fetched: no network, no other file.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"


def write_examples_page(table: ExampleTable, out: Path | str) -> Path:
    """Writes the page of examples.

    The address after # drives it, and follows what the reader does: `#sort=aum&desc&filter=is_corrupted` sorts by a
    score and keeps the corrupted ones (`!name` those that are not; `aum<0` and `aum>0` bounds; several with commas),
    `label=cat`, `id=17` opens an example, `page=2` turns to a page (by default the one that holds the example).

    Args:
        table: the examples.
        out: the HTML file; its folder is made. It appears whole.

    Returns:
        The path of the page.
    """
    write_bytes(Path(out), examples_page(table).encode("utf-8"))
    return Path(out)


def examples_page(table: ExampleTable) -> str:
    """The page as text."""
    sheets = contact_sheets(table)
    about = f"<p class='about'>{prose(table.about)}</p>" if table.about else ""
    count = numbers.several(len(table), "example")
    seen = overview(table) + sheets
    seen = f"<section id='sheets'><h2>At a glance</h2>{seen}</section>" if seen else ""
    return (
        f"{page_head(table.title)}<body><header class='top'><p class='kicker'>Rote · {count}</p>"
        f"<h1>{escape(table.title)}</h1>{about}</header><main>{seen}"
        "<section id='explorer'><h2>All examples</h2>"
        "<noscript><p class='warning'>Sorting and looking at single examples needs scripts, which this browser does "
        "not run; the page itself needs no network.</p></noscript>"
        "<form id='controls' autocomplete='off'></form><p id='found' role='status'></p>"
        "<div id='panes'><div id='list'><table id='rows'><thead></thead><tbody></tbody></table>"
        "<nav id='pages' aria-label='Pages'></nav></div>"
        "<aside id='detail' aria-live='polite'></aside></div></section></main>"
        "<footer><p>Made by Rote. What each score means exactly is written in docs/scores.md.</p></footer>"
        f"<script type='application/json' id='data'>{payload(table)}</script>"
        f"<script>{_script()}</script></body></html>\n"
    )


def page_head(title: str) -> str:
    """Everything before the body."""
    light = "".join(f"--{name}:{value};" for name, (value, _) in style.THEME.items())
    dark = "".join(f"--{name}:{value};" for name, (_, value) in style.THEME.items())
    theme = f":root{{{light}}}@media (prefers-color-scheme: dark){{:root{{{dark}}}}}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{theme}{_file('examples.css')}</style></head>"
    )


def _script() -> str:
    """The page's script: its parts share one scope, so that nothing of it is global."""
    return "(() => {\n'use strict';\n" + "\n".join(_file(name) for name in SCRIPTS) + "\n})();"


def _file(name: str) -> str:
    return files("rote.report.examples").joinpath(name).read_text(encoding="utf-8")
