"""The folder a run writes to, from its first file to its last."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rote.runs import whole_files
from rote.runs.errors import CorruptRunFile, RunMismatch
from rote.runs.identity import RunIdentity
from rote.runs.lock import FolderLock
from rote.runs.metrics_log import MetricsLog

CONFIG = "config.json"
METRICS = "metrics.jsonl"
EXAMPLES = "examples.parquet"
SUMMARY = "summary.json"
CHECKPOINTS = "checkpoints"
# Everything a run may leave in its folder. `--fresh` removes these and nothing else.
ENTRIES = frozenset(
    {
        CONFIG,
        METRICS,
        EXAMPLES,
        SUMMARY,
        CHECKPOINTS,
        "queries.parquet",
        *(f"{name}.csv" for name in ("layers", "capacity", "frontier", "diversity", "ideal", "invariance", "noise")),
        *(f"{name}.csv" for name in ("transfer", "alignment", "size")),
        *(f"{name}.csv" for name in ("sensitivity", "sensitivity_classes", "csr", "csr_matched")),
        *(f"{name}.csv" for name in ("easy", "easy_curve", "easy_extremes", "depth", "depth_rates")),
        *(f"{name}.csv" for name in ("trajectories", "trajectories_levels")),
        "filters.npz",
        "trajectories_heatmap.parquet",
        *(f"{name}.csv" for name in ("convergence", "noise_capacity", "best_width")),
        *(f"{name}.csv" for name in ("regularize", "loss_curves", "falls")),
        *(f"{name}.csv" for name in ("memorization", "halves")),
        *(f"{name}.npy" for name in ("subset", "correct_train", "correct_test")),
        *(f"{name}.parquet" for name in ("plan", "estimates", "influence", "consistency")),
        "influence.npz",
        *(f"location_{name}.csv" for name in ("rewinding", "retraining", "gradients", "tied")),
        *(f"location_{name}.csv" for name in ("neurons", "zeroed", "geometry", "latent")),
        "cells",
        "views.npz",
        "dynamics",
        "figures",
        "report.html",
        "examples.html",
        whole_files.LOCK,
    }
)


class RunFolder:
    """Write access to one run folder, alone while it is open.

    Open it with `RunFolder.open`, which creates it or goes on with what a stopped run left there, and close it (or
    use it as a context manager).

    Attributes:
        path: the folder.
        metrics: the log of measurements.
    """

    def __init__(self, path: Path, lock: FolderLock) -> None:
        self.path = path
        self.metrics = MetricsLog(path / METRICS)
        self._lock = lock

    @classmethod
    def open(
        cls,
        path: Path,
        identity: RunIdentity,
        config: Mapping[str, Any],
        *,
        environment: Mapping[str, Any] | None = None,
        fresh: bool = False,
    ) -> RunFolder:
        """Creates the folder of a run, or opens the one the same config left earlier.

        Args:
            path: the folder.
            identity: what the run is; a folder of another identity is never written to.
            config: the resolved config, stored in config.json.
            environment: versions, git state and device, stored beside it.
            fresh: start over: what the folder holds of the same or another run is removed first.

        Raises:
            RunMismatch: the folder holds another run, or files that no run wrote.
            RunLocked: another process writes to it.
            OSError: the folder cannot be written.
        """
        path = Path(path)
        if path.exists() and not path.is_dir():
            raise RunMismatch(f"{path} is a file; a run needs a folder of its own")
        strangers = (
            path.is_dir() and any(p.name != whole_files.LOCK for p in path.iterdir()) and not (path / CONFIG).exists()
        )
        # A first start that was killed before config.json appeared leaves only what Rote itself names.
        if strangers and not all(_is_ours(p) for p in path.iterdir()):
            raise RunMismatch(f"{path} holds files that no run wrote; choose another --out or --name")
        path.mkdir(parents=True, exist_ok=True)
        folder = cls(path, FolderLock(path))
        try:
            whole_files.clear_partial(path)
            if fresh:
                folder._remove_results()
            elif (path / CONFIG).exists():
                stored = read_json(path / CONFIG)
                differences = identity.differences(stored.get("identity", {}))
                if differences:
                    raise RunMismatch.between(path, differences)
            folder._write_config(identity, config, environment or {})
        except BaseException:
            folder.close()
            raise
        return folder

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the folder up for other processes."""
        self._lock.release()

    @property
    def checkpoints(self) -> Path:
        """The folder of model and trainer states."""
        return self.path / CHECKPOINTS

    def measure(self, step: int, epoch: int, split: str, metric: str, layer: str | None, value: float, **extras: Any):
        """Appends one measurement to metrics.jsonl."""
        self.metrics.append([measurement(step, epoch, split, metric, layer, value, **extras)])

    def write_table(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes a CSV table, whole."""
        whole_files.write_csv(self.path / name, rows)

    def write_columns(self, name: str, columns: Mapping[str, Any]) -> None:
        """Writes a Parquet table of columns, whole."""
        whole_files.write_parquet(self.path / name, columns)

    def write_examples(self, columns: Mapping[str, Any]) -> None:
        """Writes examples.parquet: one row per training image."""
        self.write_columns(EXAMPLES, columns)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Writes summary.json, the last file of a run: where it stands, the run is complete."""
        whole_files.write_json(self.path / SUMMARY, summary)

    def remove_summary(self) -> None:
        """Marks the run as incomplete again, before it is extended."""
        (self.path / SUMMARY).unlink(missing_ok=True)

    def summary(self) -> dict[str, Any] | None:
        """The summary of a complete run, None before that."""
        path = self.path / SUMMARY
        return read_json(path) if path.exists() else None

    def _write_config(self, identity: RunIdentity, config: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
        path = self.path / CONFIG
        earlier = read_json(path) if path.exists() else {}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        whole_files.write_json(
            path,
            {
                "experiment": identity.experiment,
                "config": config,
                "command": list(sys.argv),
                "identity": identity.describe(),
                "hash": identity.hash,
                "created": earlier.get("created", now),
                "opened": now,
                **environment,
            },
        )

    def _remove_results(self) -> None:
        for entry in self.path.iterdir():
            if entry.name == whole_files.LOCK or not _is_ours(entry):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def measurement(
    step: int, epoch: int, split: str, metric: str, layer: str | None, value: float, **extras: Any
) -> dict[str, Any]:
    """One line of metrics.jsonl."""
    return {
        "step": step,
        "epoch": epoch,
        "split": split,
        "metric": metric,
        "layer": layer,
        "value": value,
        **extras,
    }


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object of a run folder.

    Raises:
        CorruptRunFile: the file holds something else.
    """
    try:
        value = json.loads(Path(path).read_bytes())
    except ValueError as error:
        raise CorruptRunFile(f"{path} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise CorruptRunFile(f"{path} must hold a JSON object; it holds {type(value).__name__}")
    return value


def _is_ours(entry: Path) -> bool:
    return entry.name in ENTRIES or entry.name.endswith(whole_files.PARTIAL)
