"""rote/metrics/dynamics_files.py: per-example values of every epoch on disk, one whole Parquet file an epoch.

Columns: epoch int32, phase string, example_id int32, presentations int32, loss, margin, p_true, el2n float32, correct
bool, and logits, a list of C float32, where they are kept; a row for each example shown in that epoch.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rote.extras import wanted_for
from rote.ops.record import COUNTS, VALUES, RecordTensors
from rote.runs.errors import CorruptRunFile
from rote.runs.whole_files import writing_whole

if TYPE_CHECKING:
    import pyarrow

PHASES = ("train_pass", "eval_pass")
DYNAMICS = "dynamics"
_SEEN = COUNTS.index("seen")


def epoch_file(folder: str | os.PathLike[str], epoch: int, phase: str) -> Path:
    """Where an epoch is written."""
    suffix = "" if phase == "train_pass" else f".{phase}"
    return Path(folder) / DYNAMICS / f"epoch={epoch:04d}{suffix}.parquet"


def folder_for_epochs(folder: str | os.PathLike[str]) -> Path:
    """The folder, once epochs can be written: pyarrow is asked for now, not after an epoch of training.

    Raises:
        ModuleNotFoundError: pyarrow is not installed.
    """
    with wanted_for("Recorder(folder=...)"):
        import pyarrow.parquet  # noqa: F401
    return Path(folder)


def write_epoch(path: Path, epoch: int, phase: str, state: RecordTensors, seen: Tensor, right: Tensor) -> None:
    """Writes an epoch's file, whole; one copy from the device.

    Args:
        path: the file.
        epoch: its number.
        phase: one of `PHASES`.
        state: of a recorder with N examples.
        seen: bool [N], the examples that get a row.
        right: bool [N].
    """
    with wanted_for("writing or reading what a recorder saw"):
        import pyarrow
        import pyarrow.parquet

    ids = seen.nonzero().squeeze(1)
    whole = torch.stack((ids, state.counts[ids, _SEEN], right[ids]), 1).cpu().numpy()
    values = state.values[ids].cpu().numpy()
    columns = {
        "epoch": pyarrow.repeat(pyarrow.scalar(epoch, pyarrow.int32()), len(whole)),
        "phase": pyarrow.repeat(phase, len(whole)),
        "example_id": pyarrow.array(whole[:, 0].astype(np.int32)),
        "presentations": pyarrow.array(whole[:, 1].astype(np.int32)),
        **{name: pyarrow.array(values[:, column].copy()) for column, name in enumerate(VALUES)},
        "correct": pyarrow.array(whole[:, 2].astype(bool)),
    }
    if state.logits is not None:
        logits = state.logits[ids].cpu().numpy()
        columns["logits"] = pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(logits.ravel()), logits.shape[1])
    with writing_whole(path) as aside:
        # The bytes of floats compress where those of equal weight stand together; ids only ascend.
        encodings = dict.fromkeys(VALUES, "BYTE_STREAM_SPLIT") | {"example_id": "DELTA_BINARY_PACKED"}
        pyarrow.parquet.write_table(
            pyarrow.table(columns),
            aside,
            compression="zstd",
            use_dictionary=["epoch", "phase", "presentations"],
            column_encoding=encodings,
        )


def read_dynamics(
    folder: str | os.PathLike[str], *, phase: str = "train_pass", columns: Sequence[str] | None = None
) -> pyarrow.Table:
    """All epochs of a run as one long table, ordered by epoch and example.

    Args:
        folder: a recorder's folder, or a run folder.
        phase: one of `PHASES`.
        columns: those wanted; None: all.

    Raises:
        ValueError: an unknown phase, or a column that no file has.
        FileNotFoundError: no epoch of that phase was recorded there.
        CorruptRunFile: a file is damaged.
    """
    with wanted_for("writing or reading what a recorder saw"):
        import pyarrow

    if phase not in PHASES:
        raise ValueError(f"phase: wanted one of {', '.join(PHASES)}, got {phase!r}")
    where = Path(folder) / DYNAMICS
    suffix = epoch_file(folder, 0, phase).name.removeprefix("epoch=0000")
    names = {path.name.removeprefix("epoch=").removesuffix(suffix): path for path in where.glob(f"epoch=*{suffix}")}
    paths = [names[number] for number in sorted((name for name in names if name.isdigit()), key=int)]
    if not paths:
        raise FileNotFoundError(f"no epoch of phase {phase!r} is recorded in {where}")
    return pyarrow.concat_tables([_read(path, columns) for path in paths], promote_options="permissive")


def _read(path: Path, columns: Sequence[str] | None) -> pyarrow.Table:
    with wanted_for("writing or reading what a recorder saw"):
        import pyarrow
        import pyarrow.parquet

    try:
        names = pyarrow.parquet.read_schema(path).names
        # Logits are missing in an epoch without examples, where the number of classes was not known.
        if columns is not None and (missing := [name for name in columns if name not in names]):
            raise ValueError(f"columns: {path} has no {', '.join(missing)}; it has {', '.join(names)}")
        return pyarrow.parquet.ParquetFile(path).read(columns=columns and list(columns))
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise CorruptRunFile(f"{path} is no Parquet file of a recorder: {error}") from error


class Trajectories(NamedTuple):
    """A value of every example along training.

    Attributes:
        epochs: int64 [E], ascending.
        values: float64 [E, N], NaN where an example was not shown in an epoch (or its logits were no distribution).
    """

    epochs: np.ndarray
    values: np.ndarray


def trajectories(
    folder: str | os.PathLike[str], value: str = "loss", *, n: int | None = None, phase: str = "train_pass"
) -> Trajectories:
    """A recorded value of every example in every epoch, e.g. the loss trajectories.

    Args:
        folder: a recorder's folder, or a run folder.
        value: "loss", "margin", "p_true", "el2n", "correct" (0 and 1) or "presentations".
        n: number of examples N; None: one more than the largest id.
        phase: as `read_dynamics`.

    Raises:
        ValueError: an example that stands twice in an epoch, an id that n excludes, or as `read_dynamics`.
        FileNotFoundError, CorruptRunFile: as `read_dynamics`.
    """
    table = read_dynamics(folder, phase=phase, columns=["epoch", "example_id", value])
    return _table_values(table, value, n, folder)


def _table_values(table: pyarrow.Table, value: str, n: int | None, folder: str | os.PathLike[str]) -> Trajectories:
    epoch, ids = table["epoch"].to_numpy(), table["example_id"].to_numpy()
    if n is None:
        n = int(ids.max(initial=-1)) + 1
    elif ids.size and int(ids.max()) >= n:
        raise ValueError(f"n: wanted more than the largest id, {int(ids.max())}; got {n}")
    epochs, rows = np.unique(epoch, return_inverse=True)
    if len(np.unique(rows * np.int64(n) + ids)) != len(ids):
        raise ValueError(f"{folder}: an example stands twice in an epoch")
    values = np.full((len(epochs), n), np.nan)
    values[rows, ids] = table[value].to_numpy().astype(np.float64)
    return Trajectories(epochs.astype(np.int64), values)


def epoch_values(
    folder: str | os.PathLike[str], value: str, epoch: int, *, n: int | None = None, phase: str = "train_pass"
) -> np.ndarray:
    """A recorded value of every example in one epoch, e.g. EL2N, whose score is the mean of this over runs.

    Args:
        folder, value, n, phase: as `trajectories`.
        epoch: its number.

    Returns:
        float64 [N], NaN where an example was not shown.

    Raises:
        FileNotFoundError: that epoch was not recorded.
        ValueError, CorruptRunFile: as `trajectories`.

    Example:
        >>> el2n = np.mean([epoch_values(run, "el2n", 20, n=50_000) for run in runs], axis=0)
    """
    path = epoch_file(folder, epoch, phase)
    if not path.exists():
        raise FileNotFoundError(f"epoch {epoch} of phase {phase!r} is not recorded: no {path}")
    found = _table_values(_read(path, ["epoch", "example_id", value]), value, n, folder)
    return found.values[0] if len(found.values) else np.full(n or 0, np.nan)
