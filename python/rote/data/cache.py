"""Decoded pixels kept on disk, so that a folder of pictures is decoded once."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rote.data.decoder import Decoder
from rote.data.tree import PictureFile

FORMAT = 2


@dataclass(frozen=True)
class PixelCache:
    """One cache file: an .npz with `images` uint8 [N, 3, H, W], the `key` it was made for, and `by_pillow`: how many of
    the pictures another decoder left to Pillow.

    The zip container carries a CRC-32 of each member, which numpy checks while it reads. A damaged or foreign file
    is reported by a warning and taken as absent, so that it is made again.
    """

    path: Path
    key: str
    num_images: int

    @classmethod
    def of(
        cls,
        files: Sequence[PictureFile],
        size: tuple[int, int] | None,
        decoder: Decoder,
        name: str,
        cache_dir: Path | None,
    ) -> PixelCache:
        """The cache of these files, decoded this way; `name` only makes the file recognizable to people."""
        facts = [FORMAT, decoder.key, size, [(file.path, file.bytes, file.modified_ns) for file in files]]
        key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
        readable = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:40] or "folder"
        return cls((cache_dir or default_cache_dir()) / f"{readable}-{key[:20]}.npz", key, len(files))

    def read(self) -> tuple[np.ndarray, int] | None:
        """(images, by_pillow), or None where there is no usable cache file."""
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                if str(archive["key"]) != self.key:
                    raise ValueError("made for other files")
                images, by_pillow = archive["images"], int(archive["by_pillow"])
            if images.dtype != np.uint8 or images.ndim != 4 or images.shape[:2] != (self.num_images, 3):
                raise ValueError(f"holds {images.dtype} {list(images.shape)}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except Exception as error:  # damage shows as almost anything, and none of it may stop a load
            warnings.warn(
                f"{self.path}: unusable cache, decoding again ({type(error).__name__}: {error})", stacklevel=3
            )
            return None
        return images, by_pillow

    def write(self, images: np.ndarray, by_pillow: int) -> None:
        """Stores the pixels; the file appears whole. Failing to is a warning, since the pixels are at hand."""
        temporary = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.stem, suffix=".part")
            with os.fdopen(descriptor, "wb") as file:
                np.savez(file, images=images, key=np.array(self.key), by_pillow=np.array(by_pillow))
            os.replace(temporary, self.path)
            temporary = None
        except OSError as error:
            warnings.warn(f"{self.path}: decoded pictures could not be cached ({error})", stacklevel=3)
        finally:
            if temporary is not None:
                Path(temporary).unlink(missing_ok=True)


def default_cache_dir() -> Path:
    """$XDG_CACHE_HOME/rote, or ~/.cache/rote."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "rote"
