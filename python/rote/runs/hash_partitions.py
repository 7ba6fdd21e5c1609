"""Counts different 64-bit hashes, more of them than fit into memory.

Hashes are dealt to files by their highest bits as they come; equal ones meet in one file, and the files are sorted one
by one. Memory is that of one file and one buffer.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

# Hashes held back before they are dealt out, so that files grow by long pieces.
_BUFFER = 1 << 21
# Hashes that a file is meant to hold at the end: 16 MiB.
_PER_FILE = 1 << 21


class HashPartitions:
    """Files of hashes in a folder.

    Args:
        folder: made if it is not there.
        expected: number of hashes that will come; decides the number of files.
    """

    def __init__(self, folder: Path, expected: int) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bits = min(10, max(0, (max(1, expected) // _PER_FILE).bit_length()))
        self._waiting: list[np.ndarray] = []
        self._count = 0

    @property
    def files(self) -> list[Path]:
        """The files, by the hashes' highest bits."""
        return [self.folder / f"hashes-{number:04d}.bin" for number in range(1 << self.bits)]

    def add(self, hashes: np.ndarray) -> None:
        """Takes uint64 hashes [n]; they are copied."""
        if hashes.dtype != np.uint64 or hashes.ndim != 1:
            raise ValueError(f"hashes must be uint64 [n]; got {hashes.dtype} {list(hashes.shape)}")
        self._waiting.append(hashes.copy())
        self._count += len(hashes)
        if self._count >= _BUFFER:
            self._deal()

    def sync(self) -> list[int]:
        """Brings everything to the disk; returns the number of hashes in each file, for `restore`."""
        self._deal()
        lengths = []
        for path in self.files:
            with open(path, "ab") as file:
                os.fsync(file.fileno())
                lengths.append(file.tell() // 8)
        return lengths

    def restore(self, lengths: Sequence[int]) -> None:
        """Goes back to the moment of a `sync`: what came after it is cut off.

        Raises:
            ValueError: another number of files, or a file that is shorter than it was.
        """
        if len(lengths) != len(self.files):
            raise ValueError(f"lengths must be of {len(self.files)} files; got {len(lengths)}")
        self._waiting, self._count = [], 0
        for path, length in zip(self.files, lengths, strict=True):
            with open(path, "ab") as file:
                if file.tell() < 8 * length:
                    raise ValueError(f"{path} must hold {length} hashes; it holds {file.tell() // 8}")
                file.truncate(8 * length)

    def distinct(self) -> int:
        """How many different hashes came."""
        self._deal()
        total = 0
        for path in self.files:
            hashes = np.fromfile(path, dtype="<u8") if path.exists() else np.empty(0, dtype="<u8")
            hashes.sort()
            total += int(np.count_nonzero(hashes[1:] != hashes[:-1])) + (len(hashes) > 0)
        return total

    def remove(self) -> None:
        """Removes the files."""
        for path in self.files:
            path.unlink(missing_ok=True)

    def _deal(self) -> None:
        if not self._waiting:
            return
        hashes = np.concatenate(self._waiting)
        self._waiting, self._count = [], 0
        if self.bits == 0:
            pieces = [hashes]
        else:
            part = (hashes >> np.uint64(64 - self.bits)).astype(np.uint16)
            ends = np.cumsum(np.bincount(part, minlength=1 << self.bits))[:-1]
            pieces = np.split(hashes[np.argsort(part, kind="stable")], ends)  # a radix sort on 16 bits
        for path, piece in zip(self.files, pieces, strict=True):
            with open(path, "ab") as file:
                piece.astype("<u8", copy=False).tofile(file)
