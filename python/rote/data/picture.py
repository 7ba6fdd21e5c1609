"""One picture file to RGB pixels: what is accepted, and how everything else becomes RGB.

| stored as | becomes |
|---|---|
| grey, bilevel | R = G = B |
| 16 bit grey | its high byte |
| palette | its colours |
| with transparency | laid on white |
| CMYK, YCCK | Pillow's plain inversion; colour profiles are not applied |
| with an EXIF orientation | turned upright |
| several frames | the first one |

A picture is decoded by what it contains (JPEG or PNG), whichever of the two its name says.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rote.data.bank import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

#: Raised whenever a rule above changes, so that caches made under the old rule are not read.
RULES_VERSION = 1
#: Extensions (lower case) of pictures that are read.
READ = frozenset({".jpg", ".jpeg", ".png"})
#: Extensions of pictures that are not read; meeting one is an error, since skipping it would lose data silently.
NOT_READ = frozenset({".bmp", ".gif", ".heic", ".jp2", ".pgm", ".ppm", ".tif", ".tiff", ".webp", ".avif", ".npy"})
_ORIENTATION = 0x0112  # EXIF tag


def pillow_versions() -> tuple[str, str | None]:
    """Pillow's version and its JPEG library's.

    Raises:
        ModuleNotFoundError: Pillow is not installed.
    """
    pillow = _pillow()
    from PIL import features

    return pillow.__version__, features.version_feature("libjpeg_turbo") or features.version("jpg")


def read_picture(path: Path, size: tuple[int, int] | None) -> np.ndarray:
    """Decodes one JPEG or PNG file.

    Args:
        path: the file.
        size: (H, W) in pixels: scaled with its proportions kept until it covers H x W (Pillow's bilinear filter,
            which averages when it shrinks), then the middle is cut out. A picture of that size already, and every
            picture when `size` is None, keeps its pixels.

    Returns:
        uint8 [H, W, 3].

    Raises:
        DataError: empty, unreadable, truncated, damaged, or not a JPEG or PNG; the message starts with the path.
    """
    _pillow()
    from PIL import Image, ImageOps

    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path}: the file is empty (0 bytes)")
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            image.load()
            if "exif" in image.info and image.getexif().get(_ORIENTATION, 1) != 1:
                image = ImageOps.exif_transpose(image)
            image = _to_rgb(image, path)
        if size is not None and image.size != (size[1], size[0]):
            image = ImageOps.fit(image, (size[1], size[0]), method=Image.Resampling.BILINEAR)
        return np.asarray(image)
    except DataError:
        raise
    except Image.UnidentifiedImageError:
        raise DataError(f"{path}: not a JPEG or PNG picture, whatever its name says") from None
    except Image.DecompressionBombError as error:
        raise DataError(f"{path}: {error}") from error
    except OSError as error:
        if error.errno is not None:  # of the file system: the file cannot be read at all
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        raise DataError(f"{path}: damaged or truncated picture: {error}") from error
    except (SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, MemoryError) as error:
        # Pillow's plug-ins report damage in all of these ways.
        raise DataError(f"{path}: damaged picture: {type(error).__name__}: {error}") from error


def _to_rgb(image: Image, path: Path) -> Image:
    from PIL import Image as Images

    mode = image.mode
    if mode == "RGB" and "transparency" not in image.info:
        return image
    if mode == "I" or mode.startswith("I;16"):
        levels = np.asarray(image).astype(np.int64)
        if levels.size and not 0 <= levels.min() <= levels.max() <= 0xFFFF:
            raise DataError(f"{path}: grey levels outside 16 bits ({levels.min()} to {levels.max()})")
        return Images.fromarray((levels >> 8).astype(np.uint8)).convert("RGB")
    if "A" in mode or "a" in mode or "transparency" in image.info:
        image = image.convert("RGBA")
        return Images.alpha_composite(Images.new("RGBA", image.size, "white"), image).convert("RGB")
    if mode in ("1", "L", "P", "CMYK", "YCbCr", "LAB", "HSV"):
        return image.convert("RGB")
    raise DataError(f"{path}: pictures of mode {mode!r} are not supported")


def _pillow():
    try:
        import PIL
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "reading pictures wants Pillow, which is not installed: pip install 'rote[lab]'"
        ) from error
    return PIL
