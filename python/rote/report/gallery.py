"""Figures on their way into the page: drawn once, written as files, handed out as HTML elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from matplotlib.axes import Axes

from rote.report import embed
from rote.report.embed import prose
from rote.report.exporting import NUMBERS, export, plotted

DEFAULT_FORMATS = ("svg", "png", "csv")


@dataclass
class Gallery:
    """Draws figures, writes their files into `folder`, and hands out the elements that stand in the page."""

    folder: Path
    formats: Sequence[str] = DEFAULT_FORMATS
    names: list[str] = field(default_factory=list)

    def panel(self, name: str, draw: Callable[[], Axes], *, title: str, finding: str, detail: str = "") -> str:
        """One figure element: title with its detail, drawing, finding."""
        name = self._unique(name)
        axes = draw()
        whole = title if title.endswith("?") else f"{title}."
        told = " ".join(part for part in (whole, detail and f"{detail}.", finding) if part)
        self._write(axes, name, told)
        drawing = embed.inline_svg(embed.svg_text(axes.figure, name), told)
        caption = f"<p class='finding'>{prose(finding)}</p>" if finding else ""
        small = f"<span>{escape(detail)}</span>" if detail else ""
        return f"<figure><figcaption>{escape(title)}{small}</figcaption>{drawing}{caption}</figure>"

    def file_only(self, name: str, draw: Callable[[], Axes]) -> None:
        """Writes the files of a figure that the page itself shows in another form."""
        self._write(draw(), self._unique(name), "")

    def _write(self, axes: Axes, name: str, caption: str) -> None:
        formats = [kind for kind in self.formats if kind not in NUMBERS or plotted(axes.figure)]
        export(axes, self.folder, name, formats, caption=caption)

    def _unique(self, name: str) -> str:
        base, number = name, 1
        while name in self.names:
            number += 1
            name = f"{base}-{number}"
        self.names.append(name)
        return name
