"""The official CIFAR-10 archives, made small: both versions, packed and unpacked, and every kind of damage."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from rote.data import DataError, load
from rote.data.cifar10 import CLASSES, TRAIN, load_cifar10

BATCH = 20
FILES = (*TRAIN, "test_batch")


@pytest.fixture(scope="module")
def pictures() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """{file: (uint8 [20, 3072], labels)}, two pictures of each class in shuffled order."""
    rng = np.random.default_rng(11)
    return {
        name: (
            rng.integers(0, 256, (BATCH, 3072), dtype=np.uint8),
            rng.permutation(np.repeat(np.arange(10), BATCH // 10)),
        )
        for name in FILES
    }


def binary_batch(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    return np.hstack([labels[:, None].astype(np.uint8), pixels]).tobytes()


class Python2Pickler(pickle._Pickler):
    """Writes strings and bytes as Python 2 did (protocol 2, byte strings), as the official files hold them."""

    def save_string(self, value):
        content = value.encode("latin1") if isinstance(value, str) else value
        self.write(pickle.BINSTRING + len(content).to_bytes(4, "little") + content)
        self.memoize(value)

    dispatch = pickle._Pickler.dispatch | {str: save_string, bytes: save_string}


def python_batch(pixels: np.ndarray, true_labels: np.ndarray, **changes) -> bytes:
    buffer = io.BytesIO()
    entries = {
        "batch_label": "a batch",
        "labels": true_labels.tolist(),
        "data": pixels,
        "filenames": ["a.png"] * len(pixels),
    }
    Python2Pickler(buffer, 2).dump({**entries, **changes})
    return buffer.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def contents(pictures, version: str) -> dict[str, bytes]:
    if version == "bin":
        files = {f"{name}.bin": binary_batch(*batch) for name, batch in pictures.items()}
    else:
        files = {name: python_batch(*batch) for name, batch in pictures.items()}
    return files | {"batches.meta": b"names", "readme.html": b"about"}


def unpacked(root: Path, files: dict[str, bytes], version: str) -> Path:
    folder = root / f"cifar-10-batches-{version}"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def packed(root: Path, files: dict[str, bytes], version: str) -> Path:
    path = root / ("cifar-10-binary.tar.gz" if version == "bin" else "cifar-10-python.tar.gz")
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-{version}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("version", ["bin", "py"])
@pytest.mark.parametrize("store", [unpacked, packed])
@pytest.mark.parametrize("given", ["itself", "parent"])
def test_both_versions_packed_and_unpacked(tmp_path, pictures, version, store, given):
    place = store(tmp_path, contents(pictures, version), version)
    bank = load_cifar10(place if given == "itself" else tmp_path, batch=BATCH)
    pixels = np.concatenate([pictures[name][0] for name in TRAIN]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([pictures[name][1] for name in TRAIN])
    np.testing.assert_array_equal(bank.train.images, pixels)
    np.testing.assert_array_equal(bank.train.labels, labels)
    np.testing.assert_array_equal(bank.test.images, pictures["test_batch"][0].reshape(-1, 3, 32, 32))
    assert bank.classes == CLASSES
    assert bank.name == "cifar10"
    assert bank.source["version"] == {"bin": "binary", "py": "python"}[version]


def test_newer_pickles_with_byte_keys_and_new_numpy_names(tmp_path, pictures):
    files = {}
    for name, (pixels, labels) in pictures.items():
        entries = {b"data": pixels, b"labels": labels.tolist()}
        files[name] = pickle.dumps(entries, protocol=4)
        assert b"numpy._core.multiarray" in files[name] or np.__version__ < "2"
    place = unpacked(tmp_path, files, "py")
    np.testing.assert_array_equal(load_cifar10(place, batch=BATCH).test.labels, pictures["test_batch"][1])


def test_official_size_is_wanted_by_default(tmp_path, pictures):
    place = unpacked(tmp_path, contents(pictures, "bin"), "bin")
    with pytest.raises(DataError, match=r"data_batch_1\.bin: wanted 10000 records of 3073 bytes = 30730000, got 61460"):
        load("cifar10", place)


class Attack:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_pickles_that_ask_for_more_are_refused_unrun(tmp_path, pictures, protocol):
    files = contents(pictures, "py")
    files["data_batch_3"] = pickle.dumps({"data": Attack(tmp_path / "ran"), "labels": []}, protocol=protocol)
    with pytest.raises(DataError, match=r"data_batch_3: not a CIFAR-10 batch.*asks for \w+\.mkdir"):
        load_cifar10(unpacked(tmp_path, files, "py"), batch=BATCH)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("data_batch_2", lambda p, n: b"", "not a CIFAR-10 batch"),
        ("data_batch_2", lambda p, n: python_batch(p, n)[:-900], "not a CIFAR-10 batch"),
        ("data_batch_2", lambda p, n: b"\x80\x04N.", "wanted a dictionary, got NoneType"),
        ("data_batch_2", lambda p, n: pickle.dumps({"labels": n.tolist()}), "no entry 'data', only"),
        ("data_batch_2", lambda p, n: python_batch(p[:19], n), r"data: wanted shape \[20, 3072\], got \(19, 3072\)"),
        ("data_batch_2", lambda p, n: python_batch(p.astype(np.int16), n), "data: wanted dtype uint8, got 'i2'"),
        ("data_batch_2", lambda p, n: python_batch(p, n, data=[1, 2]), "data: wanted a numpy array, got list"),
        ("data_batch_2", lambda p, n: python_batch(p, n[:19]), "labels: wanted 20, got 19"),
        ("data_batch_2", lambda p, n: python_batch(p, n, labels="none"), "labels: wanted a list of ints, got str"),
        ("data_batch_2", lambda p, n: python_batch(p, n, labels=[1.5] * 20), "labels: wanted a list of ints"),
        ("data_batch_2", lambda p, n: python_batch(p, n, labels=[10] * 20), "label 10 of picture 0"),
        ("data_batch_2", lambda p, n: python_batch(p, n, labels=[-(2**70)] * 20), "is not between 0 and 9"),
        ("data_batch_2.bin", lambda p, n: b"", "wanted 20 records of 3073 bytes = 61460, got 0 bytes"),
        ("data_batch_2.bin", lambda p, n: binary_batch(p, n)[:-1], "got 61459 bytes"),
        (
            "data_batch_2.bin",
            lambda p, n: binary_batch(p, np.where(np.arange(20) == 7, 11, n)),
            "label 11 of picture 7",
        ),
    ],
)
@pytest.mark.parametrize("store", [unpacked, packed])
def test_damaged_batch_is_named(tmp_path, pictures, name, spoil, message, store):
    version = "bin" if name.endswith(".bin") else "py"
    files = contents(pictures, version)
    files[name] = spoil(*pictures["data_batch_2"])
    with pytest.raises(DataError, match=rf"{name}: .*{message}"):
        load_cifar10(store(tmp_path, files, version), batch=BATCH)


def test_missing_batch_and_unequal_classes(tmp_path, pictures):
    files = contents(pictures, "bin")
    del files["data_batch_4.bin"]
    with pytest.raises(DataError, match=r"cifar-10-batches-bin: data_batch_4\.bin missing"):
        load_cifar10(unpacked(tmp_path, files, "bin"), batch=BATCH)
    pixels, labels = pictures["test_batch"]
    files = contents(pictures | {"test_batch": (pixels, np.where(labels == 3, 4, labels))}, "bin")
    with pytest.raises(DataError, match=r"test classes should be equally frequent, counts are \[2, 2, 2, 0, 4,"):
        load_cifar10(packed(tmp_path, files, "bin"), batch=BATCH)


def test_damaged_archives_are_named(tmp_path, pictures):
    path = packed(tmp_path, contents(pictures, "bin"), "bin")
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 4
    for content in (
        b"",
        b"no gzip",
        whole[: len(whole) // 2],
        whole[:-6],
        bytes(flipped),
        gzip.compress(b"no tar" * 99),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"cifar-10-binary\.tar\.gz"):
            load_cifar10(path, batch=BATCH)


def test_archive_members_that_are_links_or_repeat_or_are_huge(tmp_path, pictures):
    files = contents(pictures, "bin")
    path = tmp_path / "cifar-10-binary.tar.gz"
    link = tarfile.TarInfo("cifar-10-batches-bin/data_batch_1.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(link)
    with pytest.raises(DataError, match=r"data_batch_1\.bin: not a regular file"):
        load_cifar10(path, batch=BATCH)
    with tarfile.open(path, "w:gz") as archive:
        for folder in ("a", "../b"):
            member = tarfile.TarInfo(f"{folder}/data_batch_1.bin")
            member.size = len(files["data_batch_1.bin"])
            archive.addfile(member, io.BytesIO(files["data_batch_1.bin"]))
    with pytest.raises(DataError, match=r"\.\./b/data_batch_1\.bin: a second data_batch_1\.bin"):
        load_cifar10(path, batch=BATCH)
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name}  # nothing was unpacked
    place = unpacked(tmp_path, files, "bin")
    with (place / "data_batch_1.bin").open("r+b") as file:
        file.truncate(1 << 32)  # sparse
    with pytest.raises(DataError, match=r"data_batch_1\.bin: 4294967296 bytes, far more"):
        load_cifar10(place, batch=BATCH)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="is and holds none of cifar-10-batches-bin"):
        load("cifar10", tmp_path)
    with pytest.raises(FileNotFoundError, match="data set 'cifar10' wants root="):
        load("cifar10")
    with pytest.raises(ValueError, match="does not take size="):
        load("cifar10", tmp_path, size=32)
