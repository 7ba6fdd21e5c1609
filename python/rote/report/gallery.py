"""Figures on their way into the page: drawn once, written as files, handed out as HTML elements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from matplotlib.axes import Axes

from rote.report import embed, style
from rote.report.embed import prose


@dataclass
class Gallery:
    """Draws figures, writes their files into `folder`, and hands out the elements that stand in the page."""

    folder: Path
    names: list[str] = field(default_factory=list)

    def panel(self, name: str, draw: Callable[[], Axes], *, title: str, finding: str) -> str:
        """One figure element: title, drawing, finding."""
        name = self._unique(name)
        with style.applied():
            axes = draw()
            document = embed.svg_text(axes.figure, name)
            embed.write_figure(axes.figure, document, self.folder, name)
        drawing = embed.inline_svg(document, f"{title}. {finding}")
        caption = f"<p class='finding'>{prose(finding)}</p>" if finding else ""
        return f"<figure><figcaption>{escape(title)}</figcaption>{drawing}{caption}</figure>"

    def file_only(self, name: str, draw: Callable[[], Axes]) -> None:
        """Writes the files of a figure that the page itself shows in another form."""
        name = self._unique(name)
        with style.applied():
            axes = draw()
            embed.write_figure(axes.figure, embed.svg_text(axes.figure, name), self.folder, name)

    def _unique(self, name: str) -> str:
        base, number = name, 1
        while name in self.names:
            number += 1
            name = f"{base}-{number}"
        self.names.append(name)
        return name
