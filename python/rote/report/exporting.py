"""Figures and tables as files: SVG, PDF, PNG, and the plotted numbers as CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rote.report import embed, style
from rote.report.latex import booktabs
from rote.report.rows import Table, rows_of
from rote.runs.whole_files import write_bytes

DRAWINGS = ("svg", "pdf", "png")
NUMBERS = ("csv", "tex")
FORMATS = (*DRAWINGS, *NUMBERS)

_PLOTTED: WeakKeyDictionary[Axes, list[dict[str, Any]]] = WeakKeyDictionary()


def remember(ax: Axes, rows: Sequence[Mapping[str, Any]]) -> Axes:
    """Notes the numbers that an axes shows; every `plot_*` function does so."""
    _PLOTTED.setdefault(ax, []).extend(dict(row) for row in rows)
    return ax


def plotted(figure: Axes | Figure) -> list[dict[str, Any]]:
    """The numbers that a figure of this package shows, as rows; of a whole Figure those of all its axes."""
    axes = [figure] if isinstance(figure, Axes) else figure.axes
    return [dict(row) for ax in axes for row in _PLOTTED.get(ax, ())]


def export(
    what: Axes | Figure | Table,
    folder: Path | str,
    name: str,
    formats: Sequence[str] = ("svg", "pdf", "csv", "tex"),
    *,
    caption: str = "",
) -> list[Path]:
    """Writes a figure with its numbers, or a table, as `<folder>/<name>.<format>`; each file appears whole.

    Args:
        what: what a `plot_*` function returned (its whole figure is written), a matplotlib Figure, or a table (rows
            or columns).
        folder: made if it is not there.
        name: the files' name without its ending.
        formats: any of "svg", "pdf", "png" (200 dpi), "csv" and "tex" (a booktabs table of the same numbers).
        caption: of the LaTeX table; plain text.

    Returns:
        The files written, in the order of `formats`; of a table the drawings are left out.

    Raises:
        ValueError: an unknown format, a name with a path in it, an empty table, or numbers wanted of a figure
            that no function of this package drew.
    """
    unknown = [kind for kind in formats if kind not in FORMATS]
    if unknown:
        raise ValueError(f"formats must be out of {', '.join(FORMATS)}; got {', '.join(map(str, unknown))}")
    if not name or Path(name).name != name:
        raise ValueError(f"name must be the name of a file without a folder, got {name!r}")
    figure: Figure | None = None
    if isinstance(what, (Axes, Figure)):
        figure = what.figure if isinstance(what, Axes) else what
        rows = plotted(figure)
        if not rows and set(formats) & set(NUMBERS):
            raise ValueError("what must be a figure drawn by rote.report to export its numbers; this one has none")
    else:
        rows = rows_of(what)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in formats:
        if kind in DRAWINGS and figure is None:
            continue
        path = folder / f"{name}.{kind}"
        if kind in DRAWINGS:
            content = _drawing(figure, name, kind)
        else:
            text = _csv(rows) if kind == "csv" else booktabs(rows, caption=caption, label=f"tab:{name}")
            content = text.encode("utf-8")
        write_bytes(path, content)
        written.append(path)
    return written


def _drawing(figure: Figure, name: str, kind: str) -> bytes:
    if kind == "svg":
        document = embed.svg_text(figure, name)
        ground = document.replace("<svg ", f'<svg style="background:{style.PAPER}" ', 1)
        return ('<?xml version="1.0" encoding="utf-8"?>\n' + ground).encode("utf-8")
    buffer = io.BytesIO()
    with style.matplotlib.rc_context({"pdf.fonttype": 42}):  # text stays text: searchable, and TrueType as journals ask
        metadata = {"CreationDate": None, "Creator": None, "Producer": None} if kind == "pdf" else {"Software": None}
        figure.savefig(buffer, format=kind, dpi=200, facecolor=style.PAPER, metadata=metadata)
    return buffer.getvalue()


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, names, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return buffer.getvalue()
