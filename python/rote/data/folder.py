"""`folder`: a tree of JPEG and PNG files, decoded once in parallel and cached."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rote.data import decoder as decoders
from rote.data.bank import ImageBank, Split
from rote.data.cache import PixelCache
from rote.data.decoding import decode
from rote.data.tree import PictureTree, scan


def load_folder(
    root: str | Path,
    *,
    size: tuple[int, int] | None = None,
    cache_dir: Path | None = None,
    use_cache: bool = True,
    progress: bool = True,
    decoder: str = "auto",
) -> ImageBank:
    """Loads root/train/<class>/*.jpg|png and root/test/<class>/*.jpg|png (val/ where there is no test/).

    Pictures become RGB by the rules of `rote.data.picture`, in the order of `rote.data.tree`. The decoded pixels are
    cached under a name that depends on paths, sizes and times of all files, on `size` and on the decoder with its
    versions, so that a changed folder is decoded anew and no decoder gets another's pixels. A file rewritten with the
    same size and time is not noticed.

    Args:
        root: the folder.
        size: (H, W) to resize to; None wants every picture to have one size already.
        cache_dir: folder of the cache; $XDG_CACHE_HOME/rote or ~/.cache/rote by default.
        use_cache: False decodes every file and stores nothing.
        progress: show how decoding goes on, on standard error.
        decoder: "pillow", "dali", or "auto": DALI where it is installed, Pillow otherwise.

    Returns:
        ImageBank named "folder", images uint8 [N, 3, H, W]; its `source` says under `decoder` who decoded, in which
        version, and under `decoded_by_pillow` how many pictures DALI left to Pillow.

    Raises:
        FileNotFoundError: the folder, its train/ or its test/ is missing.
        DataError: unusable files; the message names them.
        ValueError: an unknown decoder.
        ModuleNotFoundError: the decoder is not installed; the message names the extra.
    """
    root = Path(root)
    tree = scan(root)
    files = tree.train + tree.test
    chosen = decoders.choose(decoder)
    cache = PixelCache.of(files, size, chosen, root.resolve().name, cache_dir)
    found = cache.read() if use_cache else None
    if found is None:
        sheet = decode(root, files, size, chosen, progress)
        found = sheet.images, sheet.by_pillow
        if use_cache:
            cache.write(*found)
    images, by_pillow = found
    return _bank(tree, images, {"decoder": chosen.facts, "decoded_by_pillow": by_pillow})


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
