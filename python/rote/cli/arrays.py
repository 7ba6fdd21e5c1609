"""Arrays out of users' files: .npy, .npz and Parquet, with errors that name the file and what was wanted."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def read_array(path: Path, names: Sequence[str], dimensions: int) -> np.ndarray:
    """An array of a file.

    Args:
        path: .npy; .npz, the array of one of the names, or the only one; .parquet, the column of one of the names, or
            the only one. For a matrix a column of lists, or all number columns side by side where none has such a name.
        names: what it may be called, the preferred one first.
        dimensions: 1 or 2.

    Returns:
        The array, in the machine's byte order.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not such a file, no array of these names, or of another number of dimensions.
    """
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    try:
        found = _of_parquet(path, names, dimensions) if path.suffix == ".parquet" else _of_numpy(path, names)
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from None
    if found.ndim != dimensions:
        shape = {1: "[N]", 2: "[N, d]"}[dimensions]
        raise ValueError(f"{path}: wanted {names[0]} {shape}, got shape {list(found.shape)}")
    return found.astype(found.dtype.newbyteorder("="), copy=False)


def _of_numpy(path: Path, names: Sequence[str]) -> np.ndarray:
    try:
        loaded = np.load(path, allow_pickle=False)
    except ValueError:
        raise ValueError(f"{path}: wanted a .npy or .npz file of plain arrays, or a .parquet table") from None
    if isinstance(loaded, np.ndarray):
        return loaded
    with loaded:
        name = _chosen(path, loaded.files, names)
        return loaded[name]


def _of_parquet(path: Path, names: Sequence[str], dimensions: int) -> np.ndarray:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(path).read()
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{path}: not a Parquet table: {error}") from None
    there = [name for name in names if name in table.column_names]
    if dimensions == 2 and not there:
        floats = [field.name for field in table.schema if pyarrow.types.is_floating(field.type)]
        if len(floats) > 1:
            return np.column_stack([table[name].to_numpy() for name in floats])
    column = table[_chosen(path, table.column_names, names)].combine_chunks()
    if pyarrow.types.is_list(column.type) or pyarrow.types.is_fixed_size_list(column.type):
        if column.null_count:
            raise ValueError(f"{path}: {column.null_count} rows of {names[0]} are null; wanted a list in every row")
        rows = [np.asarray(row, dtype=np.float64) for row in column.to_pylist()]
        if len({len(row) for row in rows}) > 1:
            raise ValueError(f"{path}: the lists of {names[0]} must have one length")
        return np.stack(rows) if rows else np.zeros((0, 0))
    return column.to_numpy(zero_copy_only=False)


def _chosen(path: Path, there: Sequence[str], names: Sequence[str]) -> str:
    for name in names:
        if name in there:
            return name
    if len(there) == 1:
        return there[0]
    raise ValueError(f"{path}: wanted an array called {' or '.join(names)}; has {', '.join(there) or 'none'}")
