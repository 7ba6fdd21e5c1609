"""Pillow and DALI beside each other: the same shapes, order and rules, pixels that differ by what is published."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageCms

from rote.data import DataError, dali_decoder, load
from rote.data.tree import PictureFile

from .conftest import needs_dali, saved

PNG_KINDS = ("rgb", "grey", "palette", "bilevel")
LEFT_TO_PILLOW = ("rgba", "grey and alpha", "transparent palette", "16 bit grey")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))


def picture(kind: str, pixels: np.ndarray) -> Image.Image:
    rgb = Image.fromarray(pixels)
    alpha = Image.fromarray(pixels[..., 0])
    if kind == "rgba":
        rgb.putalpha(alpha)
    elif kind == "grey and alpha":
        return Image.merge("LA", (rgb.convert("L"), alpha))
    elif kind == "16 bit grey":
        return Image.fromarray(pixels[..., 0].astype(np.uint16) * 250)
    modes = {"grey": "L", "bilevel": "1", "cmyk": "CMYK"}
    if "palette" in kind:
        return rgb.quantize(16)
    return rgb.convert(modes[kind]) if kind in modes else rgb


def both(root, **options):
    """The bank by Pillow and by DALI, decoded anew."""
    from rote.data.folder import load_folder

    return [load_folder(root, use_cache=False, progress=False, decoder=name, **options) for name in ("pillow", "dali")]


def difference(one, other) -> np.ndarray:
    assert one.train.images.shape == other.train.images.shape
    assert one.train.labels.equal(other.train.labels)
    assert one.test.labels.equal(other.test.labels)
    assert one.classes == other.classes
    return np.abs(one.train.images.numpy().astype(int) - other.train.images.numpy())


# The same pixels ------------------------------------------------------------------------------------------------------


@needs_dali
@pytest.mark.parametrize("kind", PNG_KINDS)
def test_png_is_equal_and_by_dali(make_tree, smooth, kind):
    pillow, dali = both(saved(make_tree, "1.png", picture(kind, smooth())))
    assert difference(pillow, dali).max() == 0
    assert dali.source["decoded_by_pillow"] == 0


@needs_dali
@pytest.mark.parametrize("kind", LEFT_TO_PILLOW)
def test_what_dali_reads_otherwise_is_left_to_pillow(make_tree, smooth, kind):
    options = {"transparency": 3} if kind == "transparent palette" else {}
    pillow, dali = both(saved(make_tree, "1.png", picture(kind, smooth()), **options))
    assert difference(pillow, dali).max() == 0
    assert dali.source["decoded_by_pillow"] == 2
    assert pillow.source["decoded_by_pillow"] == 0


@needs_dali
@pytest.mark.parametrize("kind", ["rgb", "grey", "cmyk"])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg(make_tree, smooth, kind, subsampling, progressive):
    image = picture(kind, smooth())
    root = saved(make_tree, "1.jpg", image, quality=85, subsampling=subsampling, progressive=progressive)
    pillow, dali = both(root)
    assert dali.source["decoded_by_pillow"] == 0
    if dali.source["decoder"]["device"] == "cpu":  # the same library: libjpeg-turbo with its exact transform
        assert difference(pillow, dali).max() == 0
    else:
        assert difference(pillow, dali).mean() < 2


@needs_dali
@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_neither_applies_a_colour_profile(make_tree, smooth, extension):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pillow, dali = both(saved(make_tree, f"1.{extension}", picture("rgb", smooth()), icc_profile=profile))
    assert dali.source["decoded_by_pillow"] == 0
    assert difference(pillow, dali).mean() < (0.01 if dali.source["decoder"]["device"] == "cpu" else 2)


@needs_dali
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_both_turn_upright(make_tree, smooth, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    root = saved(make_tree, "1.jpg", picture("rgb", smooth()), quality=85, exif=exif)
    assert difference(*both(root)).mean() < 2
    # (H, W) of the resized picture comes from the upright one: a wrong box would move every edge.
    inside = difference(*both(root, size=(20, 30)))[..., 2:-2, 2:-2]
    assert inside.max() <= 2


@needs_dali
@pytest.mark.parametrize("size", [(16, 16), (12, 30), (37, 20), (64, 64), (90, 40)])
def test_resizing(make_tree, smooth, size):
    """One grey level of rounding apart, and a few more on the rim, where DALI repeats the outermost pixels."""
    pillow, dali = both(saved(make_tree, "1.png", picture("rgb", smooth(72, 101))), size=size)
    assert dali.image_size == size
    found = difference(pillow, dali)
    assert found[..., 1:-1, 1:-1].max() <= 1
    assert found.max() <= 16
    assert found.mean() < 0.5


@needs_dali
def test_pictures_of_the_wanted_size_keep_their_pixels(make_tree, smooth):
    pixels = smooth(16, 24)
    root = saved(make_tree, "1.png", Image.fromarray(pixels))
    for bank in both(root, size=(16, 24)):
        np.testing.assert_array_equal(bank.train.images[0].permute(1, 2, 0), pixels)


@needs_dali
def test_a_mixed_folder_keeps_its_order(make_tree, smooth, monkeypatch):
    """Pictures for DALI and for Pillow alternate, of different sizes, over several batches."""
    monkeypatch.setattr(dali_decoder, "BATCH", 4)
    root = make_tree({"train/c/read.me": b"", "test/c/1.png": smooth()})
    kinds = ("rgb", "rgba", "grey", "16 bit grey", "palette")
    for index in range(23):
        pixels = smooth(30 + index, 40)
        picture(kinds[index % 5], pixels).save(root / f"train/c/{index:02}.png")
    pillow, dali = both(root, size=(10, 12))
    found = difference(pillow, dali)
    assert found[..., 1:-1, 1:-1].max() <= 1
    assert found.mean() < 0.5
    assert dali.source["decoded_by_pillow"] == 9  # 5 with alpha and 4 of 16 bits; the test picture is rgb


def test_batches_are_bounded_by_pictures_and_by_bytes(monkeypatch):
    monkeypatch.setattr(dali_decoder, "BATCH", 3)
    monkeypatch.setattr(dali_decoder, "BATCH_BYTES", 100)
    sizes = [10, 10, 10, 10, 95, 10, 500, 40, 60, 1]

    class Files:
        files = tuple(PictureFile(str(index), 0, size, 0) for index, size in enumerate(sizes))

        def __len__(self):
            return len(self.files)

    found = dali_decoder.batches(Files())
    assert [list(rows) for rows in found] == [[0, 1, 2], [3], [4], [5], [6], [7, 8], [9]]
    Files.files = ()
    assert dali_decoder.batches(Files()) == []


# Damage ---------------------------------------------------------------------------------------------------------------


def damaged(content: bytes, how: str) -> bytes:
    middle = len(content) // 2
    return {
        "cut in the middle": content[:middle],
        "cut in the header": content[:20],
        "zeros": content[:middle] + bytes(len(content) - middle),
        "text": b"not a picture",
        "empty": b"",
        "other format": b"GIF89a" + bytes(40),
    }[how]


@pytest.mark.parametrize("how", ["cut in the middle", "cut in the header", "zeros", "text", "empty", "other format"])
@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_damage_names_the_file_and_no_other(make_tree, smooth, decoder, how, extension):
    root = make_tree({f"train/c/{index}.{extension}": smooth(200, 300) for index in range(5)})
    make_tree({f"test/c/1.{extension}": smooth(200, 300)})
    bad = root / f"train/c/3.{extension}"
    bad.write_bytes(damaged(bad.read_bytes(), how))
    with pytest.raises(DataError) as caught:
        load("folder", root, size=8, progress=False)
    assert str(caught.value).startswith(f"{bad}: ")


@needs_dali
def test_faults_are_the_same_words(make_tree, smooth):
    root = make_tree({f"train/c/{index}.jpg": smooth(200, 300) for index in range(4)} | {"test/c/1.jpg": smooth()})
    for index, how in ((1, "cut in the middle"), (2, "text")):
        bad = root / f"train/c/{index}.jpg"
        bad.write_bytes(damaged(bad.read_bytes(), how))
    words = []
    for name in ("pillow", "dali"):
        with pytest.raises(DataError) as caught:
            load("folder", root, size=8, progress=False, decoder=name)
        words.append(str(caught.value))
    assert words[0] == words[1]
    assert words[0].startswith("2 of 5 pictures cannot be used:")


@needs_dali
def test_a_picture_that_dali_alone_refuses_is_read_by_pillow_and_said(make_tree, smooth):
    """A PNG without its end mark: Pillow has all its pixels, DALI wants the mark."""
    root = make_tree({f"train/c/{index}.png": smooth() for index in range(3)} | {"test/c/1.png": smooth()})
    short = root / "train/c/1.png"
    short.write_bytes(short.read_bytes()[:-12])
    with pytest.warns(UserWarning, match=r"1\.png: read by Pillow, DALI refused"):
        pillow, dali = both(root)
    assert difference(pillow, dali).max() == 0
    assert dali.source["decoded_by_pillow"] == 1


@needs_dali
@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_too_many_pixels_are_refused_by_both(make_tree, smooth, monkeypatch, extension):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)  # an error from twice as many on
    monkeypatch.setattr(dali_decoder, "LARGE_JPEG", 0)
    monkeypatch.setattr(dali_decoder, "MANY_PIXELS", 0)
    root = make_tree({f"train/c/1.{extension}": smooth(20, 20), f"test/c/1.{extension}": smooth(40, 40)})
    words = []
    for name in ("pillow", "dali"):
        with pytest.raises(DataError, match=rf"test/c/1\.{extension}: .*exceeds limit of 1000 pixels") as caught:
            load("folder", root, size=8, progress=False, decoder=name)
        words.append(str(caught.value))
    assert words[0] == words[1]
