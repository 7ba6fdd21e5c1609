"""Files that appear whole: written aside, flushed to the disk, then renamed over the old one.

A reader sees the old file or the new one, never half of one, whatever happens in between: an exception, a full disk,
kill -9, a power cut. What a killed writer leaves aside carries the suffix `.partial` and is cleared by the next writer.
"""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from rote.extras import wanted_for

PARTIAL = ".partial"
LOCK = ".lock"


@contextmanager
def writing_whole(path: Path) -> Iterator[Path]:
    """Gives the path to write to; on a clean exit it becomes `path`, on an exception it is removed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    try:
        yield aside
        _flush_to_disk(aside)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    _flush_to_disk(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` to `path`, whole."""
    with writing_whole(path) as aside:
        aside.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON. NaN and infinities become null, since JSON has no such numbers."""
    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes one line per row under a header of the rows' keys (in order of first appearance)."""
    header = list(dict.fromkeys(key for row in rows for key in row))
    with writing_whole(path) as aside, open(aside, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, header, lineterminator="\n")
        table.writeheader()
        table.writerows({key: plain(value) for key, value in row.items()} for row in rows)


def write_parquet(path: Path, columns: Mapping[str, Any]) -> None:
    """Writes columns of equal length (numpy arrays, lists, CPU tensors) as one Parquet file.

    Masked entries of a numpy masked array are missing values in the file.

    Raises:
        ValueError: the columns differ in length.
    """
    with wanted_for("a Parquet table"):
        import pyarrow
        import pyarrow.parquet

    arrays = {name: np.asanyarray(column) for name, column in columns.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of {path.name} must have one length; got {lengths}")
    with writing_whole(path) as aside:
        pyarrow.parquet.write_table(pyarrow.table(arrays), aside, compression="zstd")


def write_with(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Writes `path`, whole, by a function that is handed the open binary file."""
    with writing_whole(path) as aside, open(aside, "wb") as file:
        write(file)


def clear_partial(folder: Path) -> None:
    """Removes what killed writers left aside: all hidden files. Only for the process that holds the folder's lock."""
    for left in folder.rglob(".*"):
        if left.name != LOCK and left.is_file():
            left.unlink(missing_ok=True)


def plain(value: Any) -> Any:
    """The JSON form of configs, numpy scalars and arrays, tensors, paths and tuples."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays, tensors
        return plain(value.tolist())
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise TypeError(f"a run folder stores numbers, text, lists and dicts; got {type(value).__name__}")


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
