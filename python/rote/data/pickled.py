"""One batch file of CIFAR-10's python version, without running what a pickle may ask for.

Unpickling can call any function the file names. These files name three: numpy's array reconstruction, `ndarray` and
`dtype`. The reader below answers these three names with plain records of its own and refuses every other, so that not
even numpy sees state that has not been checked.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

from rote.data.bank import DataError

PIXELS = 3 * 32 * 32


class _ArrayType:
    """Stands for the name `numpy.ndarray`."""


class _DtypeRecord:
    """Stands for `numpy.dtype(code, ...)`; keeps the code."""

    def __init__(self, code: Any, align: Any = None, copy: Any = None) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        """Byte order and field facts: nothing of that is needed for bytes."""


class _ArrayRecord:
    """Stands for an array: keeps the pickled state (version, shape, dtype, Fortran order, bytes)."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _reconstruct(subtype: Any, shape: Any, code: Any) -> _ArrayRecord:
    return _ArrayRecord()


_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,  # the official files, and numpy below 2
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,  # numpy from 2 on
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _DtypeRecord,
}


class _BatchUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which these files do not contain") from None

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it asks for a persistent object, which these files do not contain")


def read_batch(content: bytes, where: str, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Reads a pickled dictionary with `data` uint8 [batch, 3072] and `labels`, a list of ints.

    Args:
        content: the file.
        where: what an error calls the file.
        batch: pictures it should hold.

    Returns:
        (uint8 [batch, 3, 32, 32], int64 [batch]).

    Raises:
        DataError: not a pickle, one that asks for anything but plain data, or other contents than expected.
    """
    try:
        # latin1 maps bytes to characters one to one; the files were written by Python 2, whose strings were bytes.
        loaded = _BatchUnpickler(io.BytesIO(content), encoding="latin1").load()
    except Exception as error:  # a damaged pickle fails in any way; the file is what matters
        raise DataError(f"{where}: not a CIFAR-10 batch: {type(error).__name__}: {error}") from error
    if not isinstance(loaded, dict):
        raise DataError(f"{where}: wanted a dictionary, got {type(loaded).__name__}")
    entries = {key.decode("latin1") if isinstance(key, bytes) else key: value for key, value in loaded.items()}
    for wanted in ("data", "labels"):
        if wanted not in entries:
            raise DataError(f"{where}: no entry {wanted!r}, only {sorted(map(str, entries))}")
    return _pixels(entries["data"], where, batch), _labels(entries["labels"], where, batch)


def _pixels(record: Any, where: str, batch: int) -> np.ndarray:
    state = record.state if isinstance(record, _ArrayRecord) else None
    if not isinstance(state, tuple) or len(state) != 5:
        raise DataError(f"{where}: data: wanted a numpy array, got {type(record).__name__}")
    _, shape, dtype, fortran, raw = state
    code = dtype.code if isinstance(dtype, _DtypeRecord) else None
    if code not in ("u1", b"u1"):
        raise DataError(f"{where}: data: wanted dtype uint8, got {code!r}")
    if shape != (batch, PIXELS):
        raise DataError(f"{where}: data: wanted shape [{batch}, {PIXELS}], got {shape!r}")
    try:
        content = raw.encode("latin1") if isinstance(raw, str) else bytes(memoryview(raw))
    except (UnicodeEncodeError, TypeError):
        raise DataError(f"{where}: data: wanted bytes, got {type(raw).__name__}") from None
    if len(content) != batch * PIXELS:
        raise DataError(f"{where}: data: wanted {batch * PIXELS} bytes, got {len(content)}")
    order = "F" if fortran else "C"
    return np.frombuffer(content, dtype=np.uint8).reshape(shape, order=order).reshape(batch, 3, 32, 32).copy()


def _labels(values: Any, where: str, batch: int) -> np.ndarray:
    if not isinstance(values, list) or not all(type(value) is int for value in values):
        raise DataError(f"{where}: labels: wanted a list of ints, got {type(values).__name__}")
    if len(values) != batch:
        raise DataError(f"{where}: labels: wanted {batch}, got {len(values)}")
    bad = [index for index, value in enumerate(values) if not 0 <= value < 256]
    if bad:
        raise DataError(f"{where}: label {values[bad[0]]} of picture {bad[0]} is not between 0 and 9")
    return np.array(values, dtype=np.int64)
