"""`cifar10`: the official archives of Krizhevsky (2009), binary or python version, packed or unpacked.

Binary: each file holds records of one label byte and 3,072 pixel bytes (red, green, blue planes of 32 x 32). Python:
each file is a pickled dictionary with `data` [10000, 3072] and `labels`, read without running what a pickle may ask for
(`rote.data.pickled`). Nothing is ever unpacked to disk.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from rote.data.bank import DataError, ImageBank, Split
from rote.data.pickled import read_batch

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE, PIXELS = 32, 3 * 32 * 32
#: Pictures in one file of the archive.
BATCH = 10_000
TRAIN = tuple(f"data_batch_{index}" for index in range(1, 6))
#: What a root may be or hold, in the order of preference.
BINARY_PLACES = ("cifar-10-batches-bin", "cifar-10-binary.tar.gz")
PYTHON_PLACES = ("cifar-10-batches-py", "cifar-10-python.tar.gz")
#: No file of either archive is larger than this; a larger one is refused before it is read.
MAX_FILE_BYTES = 1 << 26


def load_cifar10(root: str | Path, *, batch: int = BATCH) -> ImageBank:
    """CIFAR-10 in the official order: 50,000 train and 10,000 test pictures, uint8 [N, 3, 32, 32].

    Args:
        root: cifar-10-binary.tar.gz, cifar-10-python.tar.gz, a folder one of them unpacks to, or the folder that
            holds any of these (the binary version is preferred, then what is unpacked).
        batch: pictures per file, 10,000 in the official archives.

    Raises:
        FileNotFoundError: none of these is there.
        DataError: a file is missing, has the wrong size or type, is damaged, holds a label above 9, or the classes
            are not equally frequent; the message names the file.
    """
    place, suffix = _locate(Path(root))
    names = {f"{name}{suffix}" for name in (*TRAIN, "test_batch")}
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, where, content in _contents(place, names):
        if name in found:
            raise DataError(f"{where}: a second {name} in one archive")
        found[name] = (_parse_binary if suffix else read_batch)(content, where, batch)
        _check_labels(found[name][1], where)
    missing = sorted(names - found.keys())
    if missing:
        raise DataError(f"{place}: {', '.join(missing)} missing")
    train = [found[f"{name}{suffix}"] for name in TRAIN]
    splits = {
        "train": Split(*(np.concatenate(parts) for parts in zip(*train, strict=True))),
        "test": Split(*found[f"test_batch{suffix}"]),
    }
    for part, split in splits.items():
        counts = np.bincount(split.labels.numpy(), minlength=len(CLASSES))
        if len(set(counts.tolist())) > 1:
            raise DataError(f"{place}: {part} classes should be equally frequent, counts are {counts.tolist()}")
    return ImageBank(
        name="cifar10",
        classes=CLASSES,
        source={"origin": "official archive", "version": "binary" if suffix else "python", "path": str(place)},
        **splits,
    )


def _locate(root: Path) -> tuple[Path, str]:
    """The archive or folder to read and the suffix of its batch files (".bin" or nothing)."""
    for suffix, places in ((".bin", BINARY_PLACES), ("", PYTHON_PLACES)):
        if root.is_dir() and (root / f"{TRAIN[0]}{suffix}").exists():
            return root, suffix
        for place in places:
            if root.name == place and root.is_file():
                return root, suffix
            if (root / place).exists():
                return root / place, suffix
    if not root.exists():
        raise FileNotFoundError(f"root: {root} does not exist")
    wanted = ", ".join(BINARY_PLACES + PYTHON_PLACES)
    raise FileNotFoundError(f"root: {root} is and holds none of {wanted} (https://www.cs.toronto.edu/~kriz/cifar.html)")


def _contents(place: Path, names: set[str]) -> Iterator[tuple[str, str, bytes]]:
    """(name, where to point an error to, bytes) of the wanted files of a folder or a packed archive."""
    if place.is_dir():
        for name in sorted(names):
            path = place / name
            if path.exists():
                try:
                    with path.open("rb") as file:
                        content = _read(file, path.stat().st_size, str(path))
                except OSError as error:
                    raise DataError(f"{path}: cannot be read: {error.strerror}") from error
                yield name, str(path), content
        return
    try:
        with gzip.open(place) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    name = PurePosixPath(member.name).name
                    if name in names:
                        where = f"{place}: {member.name}"
                        if not member.isfile():
                            raise DataError(f"{where}: not a regular file")
                        yield name, where, _read(archive.extractfile(member), member.size, where)
            while stream.read(1 << 20):  # to the end, where the checksum of the whole archive stands
                pass
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{place}: damaged or truncated archive: {error}") from error


def _read(file: BinaryIO, size: int, where: str) -> bytes:
    if size > MAX_FILE_BYTES:
        raise DataError(f"{where}: {size} bytes, far more than a file of CIFAR-10 has")
    return file.read()


def _parse_binary(content: bytes, where: str, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """(uint8 [batch, 3, 32, 32], int64 [batch]) from records of one label byte and 3,072 pixel bytes."""
    record = 1 + PIXELS
    if len(content) != batch * record:
        raise DataError(
            f"{where}: wanted {batch} records of {record} bytes = {batch * record}, got {len(content)} bytes"
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(batch, record)
    return records[:, 1:].reshape(batch, 3, SIDE, SIDE).copy(), records[:, 0].astype(np.int64)


def _check_labels(labels: np.ndarray, where: str) -> None:
    bad = np.flatnonzero((labels < 0) | (labels >= len(CLASSES)))
    if len(bad):
        raise DataError(f"{where}: label {labels[bad[0]]} of picture {bad[0]} is not between 0 and {len(CLASSES) - 1}")
