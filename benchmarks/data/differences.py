"""How far the pixels of the decoders lie apart, as a Markdown table.

ROTE_CIFAR10=DIR python -m benchmarks.data.differences [--every N]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.data import pictures
from rote.data import decoder as decoders
from rote.data.decoding import Size
from rote.data.tree import PictureFile

#: Pictures compared at a time.
PART = 10_000
MOSAICS = 200


def compare(root: Path, files: Sequence[PictureFile], size: Size | None) -> np.ndarray:
    """int64 [2, 256]: how many values (pixel and channel) lie 0, 1, ... 255 grey levels apart, all and off the rim."""
    counts = np.zeros((2, 256), dtype=np.int64)
    dali, pillow = decoders.choose("dali"), decoders.choose("pillow")
    for start in range(0, len(files), PART):
        part = files[start : start + PART]
        one, other = (pictures.decoded(root, part, size, decoder).images for decoder in (dali, pillow))
        for picture, beside in zip(one, other, strict=True):
            apart = np.abs(picture.astype(np.int16) - beside)
            counts[0] += np.bincount(apart.ravel(), minlength=256)
            counts[1] += np.bincount(apart[:, 1:-1, 1:-1].ravel(), minlength=256)
    return counts


def row(case: str, counts: np.ndarray) -> str:
    """One line of the table; shares are of values, a value being one channel of one pixel."""
    everywhere, inside = counts
    differing = 1 - everywhere[0] / everywhere.sum()
    mean = (np.arange(256) * everywhere).sum() / everywhere.sum()
    largest, largest_inside = (int(np.flatnonzero(part).max()) for part in (everywhere, inside))
    return f"| {case} | {largest} | {largest_inside} | {mean:.4f} | {differing:.2%} |"


def table(root: Path, every: int) -> Iterator[str]:
    """The lines, one after another as they are measured."""
    files = pictures.cifar_files(root)[::every]
    yield "| pictures | largest | largest off the rim | mean | values that differ |"
    yield "|---|---|---|---|---|"
    for name, size in (("as stored, 32 px", None), ("resized to 24 px", (24, 24)), ("resized to 64 px", (64, 64))):
        yield row(f"CIFAR-10, {len(files):,} JPEG files, {name}", compare(root, files, size))
    with tempfile.TemporaryDirectory() as folder:
        mosaics = pictures.write_mosaics(root, files, Path(folder), max(1, MOSAICS // every))
        for name, size in (("as stored", None), ("resized to 224 px", (224, 224))):
            case = f"{len(mosaics)} mosaics of {pictures.MOSAIC[0]} x {pictures.MOSAIC[1]} px, 4:2:0, {name}"
            yield row(case, compare(Path(folder), mosaics, size))
    yield ""
    for name in ("dali", "pillow"):
        yield ", ".join(f"{key} {value}" for key, value in decoders.choose(name).facts.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="only every N-th file")
    arguments = parser.parse_args()
    root = pictures.cifar_root()
    if root is None:
        raise SystemExit("needs ROTE_CIFAR10, the folder that holds train/ and test/")
    for line in table(root, arguments.every):
        print(line, flush=True)


if __name__ == "__main__":
    main()
