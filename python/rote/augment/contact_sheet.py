"""A contact sheet: images in the first column, their views under a recipe beside them, with their addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from rote.augment.color import Normalize
from rote.augment.recipe import Recipe

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ContactSheet", "displayable"]

INK, MUTED, RULE, PAPER = "#1c2330", "#5d6678", "#dfe3ea", "#ffffff"
#: All lengths in pixels of the picture.
MARGIN, GAP, COLUMN_GAP = 56, 12, 44
TITLE, TEXT, SMALL = 40, 22, 20
CELL = 168  # about this large is a view drawn


def displayable(recipe: Recipe, views: torch.Tensor) -> np.ndarray:
    """Views as uint8 [..., h, w, 3] in [0, 255]: normalization undone, clipped, rounded; grey becomes RGB.

    Args:
        recipe: what rendered them.
        views: float [..., C, h, w], C 1 or 3.
    """
    x = views.detach().cpu().double()
    channels = x.shape[-3]
    for operation in reversed(recipe.operations):
        if isinstance(operation, Normalize):
            mean, std = (
                torch.tensor(v[:channels], dtype=x.dtype).view(-1, 1, 1) for v in (operation.mean, operation.std)
            )
            x = x * std + mean
    x = (x.clamp(0, 1) * 255).round().to(torch.uint8)
    return x.expand(*x.shape[:-3], 3, *x.shape[-2:]).movedim(-3, -1).numpy()


@dataclass(frozen=True)
class ContactSheet:
    """What a sheet shows, as pixels and words.

    Attributes:
        originals: uint8 [n, H, W, 3].
        views: for each column of views, uint8 [n, h, w, 3]; columns may differ in size.
        rows: for each image, its lines of text: what it is, which id it has.
        columns: for each column of views, its heading.
        title, subtitle: one line each.
        notes: lines below the pictures, wrapped.
    """

    originals: np.ndarray
    views: Sequence[np.ndarray]
    rows: Sequence[Sequence[str]]
    columns: Sequence[str]
    title: str
    subtitle: str = ""
    notes: Sequence[str] = ()

    def draw(self) -> Image:
        """The sheet as an RGB picture.

        Raises:
            ModuleNotFoundError: Pillow or Matplotlib (whose font it uses) is not installed: `rote[lab]`.
        """
        from PIL import Image, ImageDraw

        columns = [self.originals, *self.views]
        factor = self._factor()
        cell_height = max(column.shape[1] for column in columns) * factor
        headings = ("original", *self.columns)
        widths = [
            max(column.shape[2] * factor, _width(heading, _font(SMALL)))
            for column, heading in zip(columns, headings, strict=True)
        ]
        label_width = (
            max(_width(line, _font(TEXT, bold=i == 0)) for row in self.rows for i, line in enumerate(row)) + 24
        )
        left = [MARGIN + label_width]
        for i, width in enumerate(widths[:-1]):
            left.append(left[-1] + width + (COLUMN_GAP if i == 0 else GAP))
        total_width = max(left[-1] + widths[-1] + MARGIN, MARGIN * 2 + _width(self.title, _font(TITLE, bold=True)))
        notes = self._wrapped(total_width - 2 * MARGIN)
        top = MARGIN + TITLE + 18 + (TEXT + 16 if self.subtitle else 0) + 34 + SMALL + 14
        bottom = top + len(self.rows) * (cell_height + GAP) - GAP
        total_height = bottom + (40 + len(notes) * (SMALL + 10) if notes else 0) + MARGIN - 10

        sheet = Image.new("RGB", (total_width, total_height), PAPER)
        draw = ImageDraw.Draw(sheet)
        draw.text((MARGIN, MARGIN - 8), self.title, fill=INK, font=_font(TITLE, bold=True))
        draw.text((MARGIN, MARGIN + TITLE + 12), self.subtitle, fill=MUTED, font=_font(TEXT))
        for x, width, heading in zip(left, widths, headings, strict=True):
            draw.text((x + width / 2, top - 14), heading, fill=MUTED, font=_font(SMALL), anchor="ms")
        rule = left[0] + widths[0] + COLUMN_GAP // 2
        draw.line((rule, top - 14 - SMALL, rule, bottom), fill=RULE, width=2)
        for i, row in enumerate(self.rows):
            y = top + i * (cell_height + GAP)
            block = len(row) * (TEXT + 8)
            for j, line in enumerate(row):
                at = (MARGIN, y + (cell_height - block) / 2 + j * (TEXT + 8))
                draw.text(at, line, fill=MUTED if j else INK, font=_font(TEXT, bold=j == 0))
            for x, width, column in zip(left, widths, columns, strict=True):
                picture = Image.fromarray(np.ascontiguousarray(column[i]))
                picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
                y_picture = y + (cell_height - picture.height) // 2
                x_picture = x + (width - picture.width) // 2
                # A hairline around it: white corners would melt into the paper.
                frame = (x_picture - 1, y_picture - 1, x_picture + picture.width, y_picture + picture.height)
                draw.rectangle(frame, outline=RULE, width=1)
                sheet.paste(picture, (x_picture, y_picture))
        for i, line in enumerate(notes):
            draw.text((MARGIN, bottom + 34 + i * (SMALL + 10)), line, fill=MUTED, font=_font(SMALL))
        return sheet

    def _factor(self) -> int:
        """Whole, so that every pixel of a view is a square of the sheet."""
        largest = max(max(column.shape[1:3]) for column in (self.originals, *self.views))
        return max(1, round(CELL / largest))

    def _wrapped(self, width: int) -> list[str]:
        """The notes in lines of at most `width` pixels, further ones of a note indented."""
        font, lines = _font(SMALL), []
        for note in self.notes:
            line = ""
            for word in note.split():
                longer = f"{line} {word}" if line.strip() else f"{line}{word}"
                if line.strip() and _width(longer, font) > width:
                    lines.append(line)
                    longer = f"    {word}"
                line = longer
            lines.append(line)
        return lines


def _font(size: int, bold: bool = False):
    from pathlib import Path

    from matplotlib import get_data_path
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(get_data_path(), "fonts", "ttf", name), size)


def _width(text: str, font) -> int:
    return int(font.getlength(text)) + 1
