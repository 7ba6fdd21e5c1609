"""The cache of a folder of pictures: when it is believed, and what becomes of one that cannot be."""

from __future__ import annotations

import os

import numpy as np
import pytest

from rote.data import folder, load
from rote.data.decoding import decode

pytestmark = pytest.mark.usefixtures("decoder")  # every test with each of them


@pytest.fixture
def decoded(monkeypatch):
    """The list of files decoded so far."""
    seen = []

    def counting(root, files, *others):
        seen.extend(file.path for file in files)
        return decode(root, files, *others)

    monkeypatch.setattr(folder, "decode", counting)
    return seen


def test_second_load_decodes_nothing(animals, cache, decoded):
    root, _ = animals
    first = load("folder", root, cache_dir=cache, progress=False)
    assert len(decoded) == 6
    decoded.clear()
    second = load("folder", root, cache_dir=cache, progress=False)
    assert not decoded
    assert first.fingerprint() == second.fingerprint()
    assert first.source == second.source
    assert [path.suffix for path in cache.iterdir()] == [".npz"]


def test_cache_follows_the_folder_but_not_its_place(animals, cache, decoded, tmp_path, shades):
    root, _ = animals
    load("folder", root, cache_dir=cache, progress=False)
    moved = root.rename(tmp_path / "pictures elsewhere")
    decoded.clear()
    load("folder", moved, size=(5, 4), cache_dir=cache, progress=False)
    assert len(decoded) == 6  # another size is another cache
    target = moved / "train/bee/0.png"
    before = target.stat()
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    decoded.clear()
    load("folder", moved, cache_dir=cache, progress=False)
    assert len(decoded) == 6
    target.rename(target.with_name("1.png"))
    decoded.clear()
    load("folder", moved, cache_dir=cache, progress=False)
    assert len(decoded) == 6


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: b"not a zip" * 50,
        lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
        lambda content: content.replace(b"|u1", b"|i1"),
    ],
    ids=["empty", "truncated", "foreign", "flipped bit", "other dtype"],
)
def test_damaged_cache_is_made_again(animals, cache, decoded, damage):
    root, _ = animals
    fingerprint = load("folder", root, cache_dir=cache, progress=False).fingerprint()
    (path,) = cache.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    decoded.clear()
    with pytest.warns(UserWarning, match=r"unusable cache, decoding again") as caught:
        assert load("folder", root, cache_dir=cache, progress=False).fingerprint() == fingerprint
    assert str(path) in str(caught[0].message)
    assert decoded
    decoded.clear()
    load("folder", root, cache_dir=cache, progress=False)
    assert not decoded


def test_cache_of_other_files_is_not_believed(animals, cache, make_tree, shades):
    root, _ = animals
    load("folder", root, cache_dir=cache, progress=False)
    (foreign,) = cache.iterdir()
    pictures = shades(2)
    other = make_tree({"train/a/1.png": pictures[0], "test/a/1.png": pictures[1]}, "other")
    load("folder", other, cache_dir=cache, progress=False)
    (own,) = set(cache.iterdir()) - {foreign}
    own.write_bytes(foreign.read_bytes())
    with pytest.warns(UserWarning, match="made for other files"):
        bank = load("folder", other, cache_dir=cache, progress=False)
    np.testing.assert_array_equal(bank.train.images[0].permute(1, 2, 0), pictures[0])


def test_cache_that_cannot_be_written_is_a_warning(animals, tmp_path):
    root, _ = animals
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(UserWarning, match="could not be cached"):
        assert len(load("folder", root, cache_dir=tmp_path / "file", progress=False).train) == 4


def test_write_that_fails_half_way_leaves_nothing(animals, cache, monkeypatch):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(UserWarning, match="No space left"):
        load("folder", animals[0], cache_dir=cache, progress=False)
    assert list(cache.iterdir()) == []


def test_default_cache_is_in_the_users_cache_directory(animals, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    load("folder", animals[0], progress=False)
    assert len(list((tmp_path / "xdg" / "rote").glob("pictures-*.npz"))) == 1
