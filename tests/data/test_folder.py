"""A folder of pictures: order, classes, sizes, and everything that can be wrong with one."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from rote.data import DataError, dali_decoder, load, pillow_decoder

pytestmark = pytest.mark.usefixtures("decoder")  # every test with each of them


def test_classes_and_order_are_alphabetical(animals, cache):
    root, pictures = animals
    bank = load("folder", root, cache_dir=cache, progress=False)
    assert bank.classes == ("ant", "bee", "cat")
    assert bank.train.labels.tolist() == [0, 1, 2, 2]
    assert bank.test.labels.tolist() == [0, 2]
    for split, names in [
        (bank.train, ["train/ant/z.png", "train/bee/0.png", "train/cat/a.PNG", "train/cat/b.png"]),
        (bank.test, ["test/ant/y.png", "test/cat/x.png"]),
    ]:
        for image, name in zip(split.images, names, strict=True):
            np.testing.assert_array_equal(image.permute(1, 2, 0), pictures[name])
    assert bank.image_size == (5, 4)
    assert bank.source["test_folder"] == "test"


def test_many_files_keep_their_order(make_tree, shades, cache, monkeypatch):
    monkeypatch.setattr(pillow_decoder, "CHUNK", 7)
    monkeypatch.setattr(dali_decoder, "BATCH", 7)
    pictures = shades(100)
    files = {f"train/c/{index:03}.png": picture for index, picture in enumerate(pictures)} | {
        "test/c/0.png": pictures[0]
    }
    bank = load("folder", make_tree(files), cache_dir=cache, progress=False)
    np.testing.assert_array_equal(bank.train.images.permute(0, 2, 3, 1), np.stack(pictures))


def test_val_is_the_test_split_where_there_is_no_test(make_tree, shades, cache):
    a, b, c = shades(3)
    root = make_tree({"train/a/1.png": a, "val/a/1.png": b})
    assert load("folder", root, cache_dir=cache, progress=False).source["test_folder"] == "val"
    make_tree({"test/a/1.png": c})
    bank = load("folder", root, cache_dir=cache, progress=False)
    np.testing.assert_array_equal(bank.test.images[0].permute(1, 2, 0), c)


def test_nested_folders_belong_to_their_class_and_hidden_files_do_not(make_tree, shades, cache):
    a, b, c = shades(3)
    root = make_tree(
        {
            "train/x/images/2.png": b,
            "train/x/1.png": a,
            "train/x/._1.png": b"resource fork",
            "train/x/.thumbs/1.png": b"junk",
            "train/.git/x.png": b"junk",
            "train/x/boxes.txt": b"0 0 1 1",
            "train/README.md": b"read me",
            "test/x/1.png": c,
        }
    )
    bank = load("folder", root, cache_dir=cache, progress=False)
    np.testing.assert_array_equal(bank.train.images.permute(0, 2, 3, 1), np.stack([a, b]))
    assert bank.source["ignored_files"] == 2


def test_different_sizes_name_two_files_and_the_way_out(make_tree, rng, cache):
    big, small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    root = make_tree({"train/a/1.png": big, "train/a/2.png": small, "test/a/1.png": big})
    with pytest.raises(DataError, match=r"2\.png is 4 x 4 pixels, but .*train/a/1\.png is 6 x 8.*pass size="):
        load("folder", root, cache_dir=cache, progress=False)
    assert load("folder", root, size=5, cache_dir=cache, progress=False).train.images.shape == (2, 3, 5, 5)
    assert load("folder", root, size=(3, 7), cache_dir=cache, progress=False).image_size == (3, 7)


def test_one_bad_file_is_named(animals, make_tree, cache):
    root = make_tree({"test/cat/zero.jpg": b""})
    with pytest.raises(DataError, match=r"^\S*test/cat/zero\.jpg: the file is empty"):
        load("folder", root, cache_dir=cache, progress=False)
    assert not cache.exists()


def test_all_bad_files_are_reported_together(animals, make_tree, cache):
    root = make_tree({f"train/ant/bad{index:02}.jpg": b"text" for index in range(13)})
    with pytest.raises(DataError) as caught:
        load("folder", root, cache_dir=cache, progress=False)
    message = str(caught.value)
    assert message.startswith("13 of 19 pictures cannot be used:")
    assert "bad00.jpg" in message
    assert "bad09.jpg" in message
    assert "bad10.jpg" not in message
    assert message.endswith("and 3 more")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"train/a/1.png": 0, "train/new.png": 0, "test/a/1.png": 0},
            r"train/new\.png: picture outside a class folder",
        ),
        (
            {"train/a/1.png": 0, "test/a/1.png": 0, "test/b/1.png": 0},
            r"test/b: class 'b' is in test/ but not in train/",
        ),
        (
            {"train/a/1.png": 0, "train/b/note.txt": b"", "test/a/1.png": 0},
            "train/b: class folder without a JPEG or PNG",
        ),
        ({"train/a/1.png": 0, "train/a/2.webp": b"", "test/a/1.png": 0}, r"2\.webp: \.webp pictures are not read"),
        ({"train/a/1.png": 0, "test/note.txt": b""}, "test: holds no class folders"),
        ({"train/.a/1.png": 0, "test/a/1.png": 0}, "train: holds no class folders"),
    ],
)
def test_wrong_trees_name_the_place(make_tree, shades, cache, files, message):
    (picture,) = shades()
    root = make_tree({name: picture if content == 0 else content for name, content in files.items()})
    with pytest.raises(DataError, match=message):
        load("folder", root, cache_dir=cache, progress=False)


def test_missing_parts_are_file_not_found(make_tree, shades, tmp_path):
    (picture,) = shades()
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load("folder", tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="wants root="):
        load("folder")
    root = make_tree({"test/a/1.png": picture})
    with pytest.raises(FileNotFoundError, match="no folder train/"):
        load("folder", root)
    root = make_tree({"train/a/1.png": picture}, "other")
    with pytest.raises(FileNotFoundError, match="neither a folder test/ nor val/"):
        load("folder", root)
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        load("folder", root / "train/a/1.png")


def test_links(make_tree, shades, cache, tmp_path):
    a, b = shades(2)
    root = make_tree({"train/a/1.png": a, "test/a/1.png": b})
    (root / "train/linked").symlink_to(root / "train/a", target_is_directory=True)
    (root / "test/a/2.png").symlink_to(root / "test/a/1.png")
    bank = load("folder", root, cache_dir=cache, progress=False)
    assert (bank.classes, len(bank.train), len(bank.test)) == (("a", "linked"), 2, 2)
    (root / "train/a/3.png").symlink_to(root / "gone.png")
    with pytest.raises(DataError, match=r"3\.png: cannot be read"):
        load("folder", root, cache_dir=cache, progress=False)
    (root / "train/a/3.png").unlink()
    (root / "train/a/up").symlink_to(root / "train/a", target_is_directory=True)
    with pytest.raises(DataError, match="link to a folder that contains it"):
        load("folder", root, cache_dir=cache, progress=False)


@pytest.mark.parametrize("size", [0, -3, (4,), (4, 4, 4), (4, 0), True, 4.0, "4"])
def test_bad_size(animals, size):
    with pytest.raises(ValueError, match="size: wanted a positive int"):
        load("folder", animals[0], size=size)


def test_progress_is_two_plain_lines_away_from_a_terminal(animals, cache, capfd):
    load("folder", animals[0], cache_dir=cache)
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "0 of 6 pictures decoded"
    assert lines[1].startswith("6 of 6 pictures decoded in ")
    load("folder", animals[0], cache_dir=cache)
    assert capfd.readouterr().err == ""


def test_no_warnings_on_good_data(animals, cache):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            bank = load("folder", animals[0], cache_dir=cache, progress=False)
    assert bank.train.images.dtype == torch.uint8
    bank.train.images[0, 0, 0, 0] ^= 1  # the cached bank is ordinary memory
