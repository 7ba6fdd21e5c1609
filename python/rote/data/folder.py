"""`folder`: a tree of JPEG and PNG files, decoded once in parallel and cached."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from rote.data.bank import DataError, ImageBank, Split
from rote.data.cache import PixelCache
from rote.data.picture import decoder_version, read_picture
from rote.data.progress import Progress
from rote.data.tree import PictureFile, PictureTree, scan

#: Files a worker decodes before it reports: large enough to hide the hand-over, small enough for a smooth bar.
CHUNK = 256
#: Faults quoted in one error; the rest are counted.
FAULTS_SHOWN = 10


def load_folder(
    root: str | Path,
    *,
    size: tuple[int, int] | None = None,
    cache_dir: Path | None = None,
    use_cache: bool = True,
    progress: bool = True,
) -> ImageBank:
    """Loads root/train/<class>/*.jpg|png and root/test/<class>/*.jpg|png (val/ where there is no test/).

    Pictures become RGB by the rules of `rote.data.picture`, in the order of `rote.data.tree`. The decoded pixels are
    cached under a name that depends on paths, sizes and times of all files, on `size` and on the decoder, so that a
    changed folder is decoded anew. A file rewritten with the same size and time is not noticed.

    Args:
        root: the folder.
        size: (H, W) to resize to; None wants every picture to have one size already.
        cache_dir: folder of the cache; $XDG_CACHE_HOME/rote or ~/.cache/rote by default.
        use_cache: False decodes every file and stores nothing.
        progress: show how decoding goes on, on standard error.

    Returns:
        ImageBank named "folder", images uint8 [N, 3, H, W].

    Raises:
        FileNotFoundError: the folder, its train/ or its test/ is missing.
        DataError: unusable files; the message names them.
    """
    root = Path(root)
    tree = scan(root)
    files = tree.train + tree.test
    decoder = decoder_version()
    cache = PixelCache.of(files, size, decoder, root.resolve().name, cache_dir)
    images = cache.read() if use_cache else None
    if images is None:
        images = decode(root, files, size, progress)
        if use_cache:
            cache.write(images)
    return _bank(tree, images, {"decoder": decoder})


def decode(root: Path, files: Sequence[PictureFile], size: tuple[int, int] | None, progress: bool) -> np.ndarray:
    """Decodes every file in parallel: uint8 [N, 3, H, W] in the order of `files`.

    Raises:
        DataError: names every file that cannot be decoded (the first ten, and how many more), or two files of
            different sizes when `size` is None.
    """
    height, width = size or _size_of_first(root, files)
    images = np.empty((len(files), 3, height, width), dtype=np.uint8)
    faults: list[str] = []
    odd: list[str] = []  # pictures of another size than the first

    def decode_chunk(start: int) -> int:
        stop = min(start + CHUNK, len(files))
        for index in range(start, stop):
            path = root / files[index].path
            try:
                pixels = read_picture(path, size)
            except DataError as error:
                faults.append(str(error))
                continue
            if pixels.shape != (height, width, 3):
                odd.append(f"{path} is {pixels.shape[0]} x {pixels.shape[1]}")
                continue
            images[index] = pixels.transpose(2, 0, 1)
        return stop - start

    # Threads, because Pillow lets go of the interpreter while it decodes, and nothing needs to be copied back.
    with ThreadPoolExecutor(_num_threads()) as pool, Progress(len(files), "pictures decoded", progress) as bar:
        for done in pool.map(decode_chunk, range(0, len(files), CHUNK)):
            bar.advance(done)
    if faults:
        raise DataError(_quote(sorted(faults), len(files)))
    if odd:
        raise DataError(
            f"{min(odd)} pixels, but {root / files[0].path} is {height} x {width}: pictures of different sizes "
            f"({len(odd)} of {len(files)} differ from the first); pass size= to resize them all"
        )
    return images


def _size_of_first(root: Path, files: Sequence[PictureFile]) -> tuple[int, int]:
    """(H, W) of the first picture that can be read; damaged ones before it are reported with all others later."""
    fault: DataError | None = None
    for file in files:
        try:
            height, width, _ = read_picture(root / file.path, None).shape
            return height, width
        except DataError as error:
            fault = fault or error
    raise fault or DataError(f"{root}: holds no pictures")


def _bank(tree: PictureTree, images: np.ndarray, facts: dict[str, object]) -> ImageBank:
    labels = np.array([file.label for file in tree.train + tree.test], dtype=np.int64)
    count = len(tree.train)
    return ImageBank(
        name="folder",
        train=Split(images[:count], labels[:count]),
        test=Split(images[count:], labels[count:]),
        classes=tree.classes,
        source={"root": str(tree.root), "test_folder": tree.test_folder, "ignored_files": tree.ignored, **facts},
    )


def _quote(faults: list[str], total: int) -> str:
    if len(faults) == 1:
        return faults[0]
    lines = faults[:FAULTS_SHOWN] + ([f"and {len(faults) - FAULTS_SHOWN} more"] if len(faults) > FAULTS_SHOWN else [])
    return f"{len(faults)} of {total} pictures cannot be used:\n  " + "\n  ".join(lines)


def _num_threads() -> int:
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return min(32, len(affinity(0)) if affinity else os.cpu_count() or 1)
