"""Files of Feldman and Zhang's held-out influence estimation: each run's correctness, and the estimates.

A run trained on a subset leaves `<experiment>/<subset ratio>/<run>/aux_arrays.npz` with

    subsample_idx                             the training examples it was trained on
    index_train, correctness_train            these examples and whether the final network is right on each
    index_removed, correctness_removed        the other training examples
    index_test, correctness_test              the test examples

in which the order of evaluation is free. Estimates are `memorization` [N] and `influence` [M, N] in the MNIST example's
`infl_mem.npz`, and `tr_mem` and `infl` in published score files; both names are read.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rote.metrics.exchange.errors import ExchangeError
from rote.runs.whole_files import write_with

RUN_FILE, ESTIMATES_FILE = "aux_arrays.npz", "infl_mem.npz"
_NAMES = {"memorization": ("memorization", "tr_mem"), "influence": ("influence", "infl")}


@dataclass(frozen=True)
class HeldoutRuns:
    """Runs over one data set, as `rote.metrics.memorization_scores` takes them.

    Attributes:
        names: of the runs, their folders relative to the experiment's.
        included: bool [R, N], whether a run was trained on an example.
        correct: bool [R, N], whether its network is right on the example.
        correct_test: bool [R, M], the same of test examples; M = 0 where runs hold none.
    """

    names: tuple[str, ...]
    included: np.ndarray
    correct: np.ndarray
    correct_test: np.ndarray


@dataclass(frozen=True)
class HeldoutEstimates:
    """Estimates of a whole experiment.

    Attributes:
        memorization: float32 [N].
        influence: float32 [M, N], of training example i on test example j at [j, i]; None where the file has none.
    """

    memorization: np.ndarray
    influence: np.ndarray | None


def write_heldout_run(folder: Path | str, included: Any, correct: Any, correct_test: Any = None) -> Path:
    """Writes one run's `aux_arrays.npz`.

    Args:
        folder: of the run, `<experiment>/<subset ratio>/<run>`.
        included: bool [N], what it was trained on.
        correct: bool [N], whether it is right on each training example.
        correct_test: bool [M], the same of the test examples; None for none.

    Raises:
        ValueError: shapes that do not fit, or nothing included.
    """
    included, correct = np.asarray(included, dtype=bool), np.asarray(correct, dtype=bool)
    test = np.zeros(0, dtype=bool) if correct_test is None else np.asarray(correct_test, dtype=bool)
    if included.ndim != 1 or included.shape != correct.shape or test.ndim != 1:
        raise ValueError(
            f"included and correct must be bool [N] and correct_test bool [M]; got {list(included.shape)}, "
            f"{list(correct.shape)} and {list(test.shape)}"
        )
    if not included.any():
        raise ValueError("included must hold at least one example; got none")
    inside, outside = np.flatnonzero(included), np.flatnonzero(~included)
    arrays = {
        "subsample_idx": inside,
        "index_train": inside,
        "correctness_train": correct[inside],
        "index_removed": outside,
        "correctness_removed": correct[outside],
        "index_test": np.arange(len(test)),
        "correctness_test": test,
    }
    path = Path(folder) / RUN_FILE
    write_with(path, lambda file: np.savez_compressed(file, **arrays))
    return path


def read_heldout_runs(folder: Path | str) -> HeldoutRuns:
    """Reads every `aux_arrays.npz` below a folder: an experiment, one of its subset ratios, or one run.

    Raises:
        FileNotFoundError: there is none.
        ExchangeError: an array is missing or of another shape or kind, an example is missing or comes twice, the subset
            is not what was evaluated as such, or runs are over different numbers of examples.
    """
    folder = Path(folder)
    files = sorted(folder.rglob(RUN_FILE), key=lambda path: [_natural(part) for part in path.parts])
    if not files:
        raise FileNotFoundError(2, f"no {RUN_FILE} in it", str(folder))
    rows = [_read_run(path) for path in files]
    for name, position in (("training", 0), ("test", 2)):
        sizes = [len(row[position]) for row in rows]
        if len(set(sizes)) > 1:
            other = next(i for i, size in enumerate(sizes) if size != sizes[0])
            raise ExchangeError(
                f"{files[other]}: wanted {sizes[0]} {name} examples as in {files[0]}, got {sizes[other]}"
            )
    names = tuple(str(path.parent.relative_to(folder)) for path in files)
    included, correct, test = (np.stack([row[i] for row in rows]) for i in range(3))
    return HeldoutRuns(names, included, correct, test)


def write_heldout_estimates(path: Path | str, memorization: Any, influence: Any = None) -> Path:
    """Writes `infl_mem.npz` with the keys `memorization` and, where given, `influence`, both float32.

    Args:
        path: the file, or the folder to write it into.
        memorization: float [N].
        influence: float [M, N].

    Raises:
        ValueError: shapes that do not fit.
    """
    arrays = {"memorization": np.asarray(memorization, dtype=np.float32)}
    if influence is not None:
        arrays["influence"] = np.asarray(influence, dtype=np.float32)
    if problem := _shapes_wrong(arrays):
        raise ValueError(problem)
    path = _estimates_file(path)
    write_with(path, lambda file: np.savez(file, **arrays))
    return path


def read_heldout_estimates(path: Path | str) -> HeldoutEstimates:
    """Reads estimates under either of their names.

    Args:
        path: the file, or the folder that holds `infl_mem.npz`.

    Raises:
        FileNotFoundError: no such file.
        ExchangeError: not an npz file, without memorization, or of shapes that do not fit.
    """
    path = _estimates_file(path)
    arrays = _arrays(path)
    found = {}
    for name, keys in _NAMES.items():
        key = next((key for key in keys if key in arrays), None)
        if key is not None:
            found[name] = _floats(arrays[key], key, path)
    if "memorization" not in found:
        raise ExchangeError(f"{path}: wanted the key memorization or tr_mem; has {', '.join(arrays) or 'none'}")
    if problem := _shapes_wrong(found):
        raise ExchangeError(f"{path}: {problem}")
    return HeldoutEstimates(found["memorization"], found.get("influence"))


def _read_run(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(included [N], correct [N], correct on test [M]), each by index."""
    arrays = _arrays(path)
    parts = {name: _part(arrays, name, path) for name in ("train", "removed", "test")}
    if parts["train"] is None or parts["removed"] is None:
        raise ExchangeError(f"{path}: wanted the parts train and removed; has {', '.join(arrays) or 'none'}")
    index, correct = (np.concatenate([parts[name][i] for name in ("train", "removed")]) for i in range(2))
    everything = _by_index(index, correct, "training", path)
    included = np.zeros(len(everything), dtype=bool)
    included[parts["train"][0]] = True
    if "subsample_idx" in arrays and set(arrays["subsample_idx"].ravel().tolist()) != set(parts["train"][0].tolist()):
        raise ExchangeError(f"{path}: subsample_idx and index_train must name the same examples")
    test = parts["test"]
    return included, everything, np.zeros(0, dtype=bool) if test is None else _by_index(*test, "test", path)


def _part(arrays: Mapping[str, np.ndarray], name: str, path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    index, correct = arrays.get(f"index_{name}"), arrays.get(f"correctness_{name}")
    if index is None and correct is None:
        return None
    if index is None or correct is None:
        raise ExchangeError(f"{path}: wanted both index_{name} and correctness_{name}")
    if index.ndim != 1 or index.dtype.kind not in "iu" or correct.shape != index.shape:
        raise ExchangeError(
            f"{path}: wanted index_{name} int [n] and correctness_{name} of its shape; got {index.dtype} "
            f"{list(index.shape)} and {list(correct.shape)}"
        )
    if not np.isin(correct, (0, 1)).all():
        raise ExchangeError(f"{path}: wanted 0 and 1 in correctness_{name}")
    return index.astype(np.int64), correct.astype(bool)


def _by_index(index: np.ndarray, values: np.ndarray, what: str, path: Path) -> np.ndarray:
    if not np.array_equal(np.sort(index), np.arange(len(index))):
        raise ExchangeError(f"{path}: the indices of {what} examples must be 0 to {len(index) - 1}, each once")
    ordered = np.zeros(len(index), dtype=bool)
    ordered[index] = values
    return ordered


def _arrays(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    try:
        with np.load(path, allow_pickle=False) as file:
            if not hasattr(file, "files"):
                raise ExchangeError(f"{path}: not an npz file but a single array")
            return {name: file[name] for name in file.files}
    except ExchangeError:
        raise
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ExchangeError(f"{path}: not an npz file of plain arrays: {error}") from None


def _floats(array: np.ndarray, key: str, path: Path) -> np.ndarray:
    if array.dtype.kind not in "fiu":
        raise ExchangeError(f"{path}: wanted numbers in {key}, got {array.dtype}")
    return array.astype(np.float32, copy=False)


def _shapes_wrong(arrays: Mapping[str, np.ndarray]) -> str | None:
    shapes = {name: list(array.shape) for name, array in arrays.items()}
    memorization, influence = arrays["memorization"], arrays.get("influence")
    if memorization.ndim != 1 or (influence is not None and influence.shape[1:] != memorization.shape):
        return f"memorization must be float [N] and influence float [M, N]; got {shapes}"
    return None


def _estimates_file(path: Path | str) -> Path:
    path = Path(path)
    return path if path.suffix == ".npz" else path / ESTIMATES_FILE


def _natural(part: str) -> tuple[int, float, str]:
    """Run 10 comes after run 9."""
    try:
        return (0, float(part), "")
    except ValueError:
        return (1, 0.0, part)
