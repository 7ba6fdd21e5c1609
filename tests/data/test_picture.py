"""One file to RGB: every kind of PNG and JPEG, and every kind of damage."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rote.data import DataError
from rote.data.picture import read_picture


@pytest.fixture
def rgb(rng) -> np.ndarray:
    return rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)


def stored(path: Path, picture: Image.Image, **options) -> Path:
    picture.save(path, **options)
    return path


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG written by hand, for kinds that Pillow does not write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    middle = b"".join(chunk(*each) for each in chunks)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + middle
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_png_rgb_is_exact(tmp_path, rgb):
    np.testing.assert_array_equal(read_picture(stored(tmp_path / "a.png", Image.fromarray(rgb)), None), rgb)


def test_jpeg_is_what_pillow_decodes(tmp_path, rgb):
    path = stored(tmp_path / "a.JPEG", Image.fromarray(rgb), quality=90)
    np.testing.assert_array_equal(read_picture(path, None), np.asarray(Image.open(path)))


def test_content_decides_not_the_name(tmp_path, rgb):
    path = stored(tmp_path / "a.png", Image.fromarray(rgb))
    np.testing.assert_array_equal(read_picture(path.rename(tmp_path / "a.jpg"), None), rgb)


def test_grey_and_bilevel(tmp_path, rgb):
    grey = rgb[..., 0]
    path = stored(tmp_path / "grey.png", Image.fromarray(grey))
    np.testing.assert_array_equal(read_picture(path, None), np.stack([grey] * 3, axis=2))
    path = stored(tmp_path / "bilevel.png", Image.fromarray(grey > 127))
    np.testing.assert_array_equal(read_picture(path, None)[..., 1], np.where(grey > 127, 255, 0))
    path = stored(tmp_path / "grey.jpg", Image.fromarray(grey))
    decoded = read_picture(path, None)
    assert (decoded[..., 0] == decoded[..., 2]).all()


def test_sixteen_bits_keep_the_high_byte(tmp_path, rng):
    levels = rng.integers(0, 1 << 16, (4, 5), dtype=np.uint16)
    path = stored(tmp_path / "grey.png", Image.fromarray(levels))
    np.testing.assert_array_equal(read_picture(path, None), np.stack([levels >> 8] * 3, axis=2))
    colour = rng.integers(0, 1 << 16, (4, 5, 3)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in colour)
    (tmp_path / "colour.png").write_bytes(png(5, 4, 16, 2, rows))
    np.testing.assert_array_equal(read_picture(tmp_path / "colour.png", None), colour >> 8)


def test_palette(tmp_path, rgb):
    indexed = Image.fromarray(rgb).quantize(16)
    path = stored(tmp_path / "a.png", indexed)
    np.testing.assert_array_equal(read_picture(path, None), np.asarray(indexed.convert("RGB")))


def test_transparency_is_laid_on_white(tmp_path, rgb):
    alpha = np.zeros(rgb.shape[:2], np.uint8)
    alpha[:, 3:6], alpha[:, 6:] = 255, 128
    path = stored(tmp_path / "rgba.png", Image.fromarray(np.dstack([rgb, alpha])))
    pixels = read_picture(path, None)
    assert (pixels[:, :3] == 255).all()
    np.testing.assert_array_equal(pixels[:, 3:6], rgb[:, 3:6])
    expected = (rgb[:, 6:] * 128.0 + 255 * 127.0) / 255
    assert np.abs(pixels[:, 6:] - expected).max() <= 1
    path = stored(tmp_path / "la.png", Image.fromarray(np.dstack([rgb[..., 0], alpha]), "LA"))
    assert (read_picture(path, None)[:, :3] == 255).all()


def test_transparent_palette_and_colour_key(tmp_path):
    indexed = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    indexed.putpalette([10, 20, 30, 40, 50, 60])
    path = stored(tmp_path / "palette.png", indexed, transparency=0)
    np.testing.assert_array_equal(read_picture(path, None)[0], [[255, 255, 255], [40, 50, 60]])
    key = struct.pack(">HHH", 1, 2, 3)
    (tmp_path / "key.png").write_bytes(png(2, 1, 8, 2, b"\0" + bytes([1, 2, 3, 4, 5, 6]), (b"tRNS", key)))
    np.testing.assert_array_equal(read_picture(tmp_path / "key.png", None)[0], [[255, 255, 255], [4, 5, 6]])


def test_cmyk_jpeg(tmp_path):
    ink = np.zeros((8, 8, 4), np.uint8)
    ink[..., 0] = 255  # full cyan
    path = stored(tmp_path / "a.jpg", Image.fromarray(ink, "CMYK"), quality=100)
    assert np.abs(read_picture(path, None).astype(int) - [0, 255, 255]).max() <= 3


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_exif_orientation_is_applied(tmp_path, rgb, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = stored(tmp_path / "a.png", Image.fromarray(rgb), exif=exif)
    turns = {1: 0, 3: 2, 6: 3, 8: 1}[orientation]  # counter-clockwise quarter turns that put it upright
    np.testing.assert_array_equal(read_picture(path, None), np.rot90(rgb, turns))


def test_resize_covers_then_cuts_the_middle(tmp_path):
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 200
    path = stored(tmp_path / "a.png", Image.fromarray(wide))
    pixels = read_picture(path, (10, 10))
    assert pixels.shape == (10, 10, 3)
    assert (pixels[:, 1:-1] == 200).all()
    assert read_picture(path, (10, 30)).shape == (10, 30, 3)


def test_resize_leaves_the_right_size_alone(tmp_path, rgb):
    path = stored(tmp_path / "a.png", Image.fromarray(rgb))
    np.testing.assert_array_equal(read_picture(path, (6, 9)), rgb)


def jpeg_bytes(rgb: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.tile(rgb, (8, 8, 1))).save(buffer, "JPEG")
    return buffer.getvalue()


def png_bytes(rgb: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.tile(rgb, (8, 8, 1))).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("encode", [jpeg_bytes, png_bytes])
@pytest.mark.parametrize("kept", [1, 20, 0.3, 0.7, 0.95])
def test_truncated_file_is_named(tmp_path, rgb, encode, kept):
    content = encode(rgb)
    path = tmp_path / "broken.jpg"
    path.write_bytes(content[: int(len(content) * kept) if isinstance(kept, float) else kept])
    with pytest.raises(DataError, match=r"broken\.jpg"):
        read_picture(path, None)


def test_flipped_bits_of_a_png_are_never_accepted_silently(tmp_path, rgb):
    content = png_bytes(rgb)
    original = np.tile(rgb, (8, 8, 1))
    path = tmp_path / "flipped.png"
    refusals = []
    for position in range(8, len(content), 37):
        damaged = bytearray(content)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        try:
            pixels = read_picture(path, None)
        except DataError as error:
            refusals.append(str(error))
        else:
            np.testing.assert_array_equal(pixels, original, err_msg=f"byte {position}")
    assert len(refusals) > 10
    assert all(str(path) in refusal for refusal in refusals)


def test_noise_in_a_jpeg_is_a_named_error_or_a_picture(tmp_path, rgb, rng):
    content = jpeg_bytes(rgb)
    path = tmp_path / "noisy.jpg"
    refusals = []
    for _ in range(100):
        damaged = bytearray(content)
        for position in rng.integers(0, len(content), 4):
            damaged[position] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            assert read_picture(path, None).ndim == 3
        except DataError as error:
            refusals.append(str(error))
    assert refusals
    assert all(str(path) in refusal for refusal in refusals)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"not a picture at all", "not a JPEG or PNG"),
        (b"GIF89a" + bytes(40), "not a JPEG or PNG"),
        (b"\xff\xd8\xff", "noname.png"),
    ],
)
def test_other_contents_are_named(tmp_path, content, message):
    path = tmp_path / "noname.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_picture(path, None)
    assert str(path) in str(caught.value)


def test_bomb_is_refused(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(60_000, 60_000, 8, 2, b""))
    with pytest.raises(DataError, match=r"bomb\.png.*pixels"):
        read_picture(path, None)


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"missing\.png: cannot be read: No such file"):
        read_picture(tmp_path / "missing.png", None)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(DataError, match=r"folder\.png: cannot be read: Is a directory"):
        read_picture(tmp_path / "folder.png", None)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_forbidden_file_is_named(tmp_path, rgb):
    path = stored(tmp_path / "secret.png", Image.fromarray(rgb))
    path.chmod(0)
    with pytest.raises(DataError, match=r"secret\.png: cannot be read: Permission denied"):
        read_picture(path, None)
