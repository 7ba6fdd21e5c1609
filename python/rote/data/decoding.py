"""Many picture files into one uint8 bank: rows filled in by a decoder, faults gathered and reported together."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rote.data.bank import DataError
from rote.data.decoder import Decoder
from rote.data.picture import read_picture
from rote.data.progress import Progress
from rote.data.tree import PictureFile

#: Faults quoted in one error; the rest are counted.
FAULTS_SHOWN = 10

Size = tuple[int, int]


class Sheet:
    """The bank being filled, and what could not be put into it. Rows may be put from several threads.

    Args:
        root, files: the pictures; row r of the bank is file r.
        size: (H, W) to resize to; None keeps every picture's own size.
        shape: (H, W) of the bank.

    Attributes:
        images: uint8 [N, 3, H, W].
    """

    def __init__(self, root: Path, files: Sequence[PictureFile], size: Size | None, shape: Size) -> None:
        self.root, self.files, self.size, self.shape = root, files, size, shape
        self.images = np.empty((len(files), 3, *shape), dtype=np.uint8)
        self._faults: list[str] = []
        self._by_pillow: list[int] = []
        self._odd: list[str] = []  # pictures of another size than the bank's

    def __len__(self) -> int:
        return len(self.files)

    @property
    def by_pillow(self) -> int:
        """Pictures that another decoder left to Pillow."""
        return len(self._by_pillow)

    def path(self, row: int) -> Path:
        return self.root / self.files[row].path

    def put(self, row: int, pixels: np.ndarray) -> None:
        """Stores one picture, uint8 [H, W, 3] of any strides."""
        if pixels.shape != (*self.shape, 3):
            self._odd.append(f"{self.path(row)} is {pixels.shape[0]} x {pixels.shape[1]}")
        else:
            self.images[row] = pixels.transpose(2, 0, 1)

    def read(self, row: int) -> bool:
        """Stores what Pillow reads from the file, or notes the fault; returns whether it could be read."""
        try:
            self.put(row, read_picture(self.path(row), self.size))
        except DataError as error:
            self._faults.append(str(error))
            return False
        return True

    def leave_to_pillow(self, row: int) -> bool:
        """`read`, and counted as what another decoder did not do itself."""
        self._by_pillow.append(row)
        return self.read(row)

    def check(self) -> None:
        """Raises DataError if a picture could not be decoded or has another size than the bank."""
        if self._faults:
            raise DataError(_quote(sorted(self._faults), len(self)))
        if self._odd:
            height, width = self.shape
            raise DataError(
                f"{min(self._odd)} pixels, but {self.path(0)} is {height} x {width}: pictures of different sizes "
                f"({len(self._odd)} of {len(self)} differ from the first); pass size= to resize them all"
            )


def decode(
    root: Path,
    files: Sequence[PictureFile],
    size: Size | None,
    decoder: Decoder,
    progress: bool,
    *,
    shape: Size | None = None,
    cancelled: threading.Event | None = None,
) -> Sheet:
    """Decodes every file in parallel, in the order of `files`.

    Args:
        root, files: the pictures.
        size: (H, W) to resize to, or None.
        decoder: who decodes.
        progress: show how it goes on, on standard error.
        shape: (H, W) that pictures must have where `size` is None; that of the first file by default.
        cancelled: set by another thread to stop early; the sheet is then unfinished.

    Raises:
        DataError: names every file that cannot be decoded (the first ten, and how many more), or two files of
            different sizes when `size` is None.
    """
    sheet = Sheet(root, files, size, size or shape or size_of_first(root, files))
    counts = decoder.fill(sheet)
    with Progress(len(files), "pictures decoded", progress) as bar:
        for done in counts:
            bar.advance(done)
            if cancelled is not None and cancelled.is_set():
                counts.close()
                return sheet
    sheet.check()
    return sheet


def size_of_first(root: Path, files: Sequence[PictureFile]) -> Size:
    """(H, W) of the first picture that can be read; damaged ones before it are reported with all others later."""
    fault: DataError | None = None
    for file in files:
        try:
            height, width, _ = read_picture(root / file.path, None).shape
            return height, width
        except DataError as error:
            fault = fault or error
    raise fault or DataError(f"{root}: holds no pictures")


def _quote(faults: list[str], total: int) -> str:
    if len(faults) == 1:
        return faults[0]
    lines = faults[:FAULTS_SHOWN] + ([f"and {len(faults) - FAULTS_SHOWN} more"] if len(faults) > FAULTS_SHOWN else [])
    return f"{len(faults)} of {total} pictures cannot be used:\n  " + "\n  ".join(lines)
