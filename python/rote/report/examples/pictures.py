"""Pictures of many examples as few PNG sheets, which a page shows by position."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass

import numpy as np

#: Pictures on a sheet: each sheet is decoded once, when one of its pictures is first seen.
PER_SHEET = 1024
#: The longest side of a picture on the page, in pixels; larger ones are made smaller.
LONGEST = 96


@dataclass(frozen=True)
class Sheets:
    """Pictures [N] on sheets: picture i lies on sheet i // per_sheet, at place i % per_sheet, row by row.

    Attributes:
        uris: the sheets as data addresses of PNGs.
        per_sheet, columns: pictures on a sheet, and in a row of it.
        size: (height, width) of a picture.
    """

    uris: tuple[str, ...]
    per_sheet: int
    columns: int
    size: tuple[int, int]


def sheets_of(images: np.ndarray, per_sheet: int = PER_SHEET) -> Sheets:
    """Lays uint8 [N, H, W, 3] out on sheets."""
    images = smaller(images)
    count, height, width = images.shape[:3]
    columns = math.ceil(math.sqrt(min(per_sheet, count)))
    uris = []
    for start in range(0, count, per_sheet):
        part = images[start : start + per_sheet]
        rows = math.ceil(len(part) / columns)
        cells = np.zeros((rows * columns, height, width, 3), dtype=np.uint8)
        cells[: len(part)] = part
        sheet = cells.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
        uris.append(png_uri(sheet.reshape(rows * height, columns * width, 3)))
    return Sheets(tuple(uris), per_sheet, columns, (height, width))


def smaller(images: np.ndarray, longest: int = LONGEST) -> np.ndarray:
    """Pictures whose longer side is at most `longest`, by averaging (Pillow's box filter)."""
    height, width = images.shape[1:3]
    if max(height, width) <= longest:
        return images
    from PIL import Image

    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    shrunk = [np.asarray(Image.fromarray(i).resize(size, Image.Resampling.BOX)) for i in np.ascontiguousarray(images)]
    return np.stack(shrunk)


def png_uri(pixels: np.ndarray) -> str:
    """uint8 [H, W, 3] as the data address of a PNG, compressed quickly."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format="PNG", compress_level=6)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
