"""Reading run folders back: `rote.load_run(dir)`."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rote.extras import wanted_for
from rote.runs.csv_table import columns, read_csv
from rote.runs.errors import CorruptRunFile, RunIncomplete
from rote.runs.folder import CHECKPOINTS, CONFIG, EXAMPLES, METRICS, SUMMARY, read_json
from rote.runs.metrics_log import Measurements, read_measurements

if TYPE_CHECKING:
    from torch import nn

# The state a stopped run goes on from, and the weights a complete run ended with.
NEWEST = "newest.safetensors"
FINAL = "final.safetensors"


class Run:
    """A run folder as an object; every file is read when it is first asked for.

    Attributes:
        dir: the folder.
        experiment: name of the experiment.
        config: the resolved config.
    """

    def __init__(self, folder: Path, *, model: nn.Module | None = None) -> None:
        self.dir = Path(folder)
        if not (self.dir / CONFIG).exists():
            raise RunIncomplete(f"{self.dir} is not a run folder: it has no {CONFIG}")
        self.record = read_json(self.dir / CONFIG)
        try:
            self.experiment: str = self.record["experiment"]
            self.config: dict[str, Any] = self.record["config"]
        except KeyError as missing:
            raise CorruptRunFile(f"{self.dir / CONFIG} lacks the key {missing}") from None
        self._model = model

    @cached_property
    def metrics(self) -> Measurements:
        """The measurements so far, a list of dicts with `select(...)` and `columns`."""
        path = self.dir / METRICS
        return read_measurements(path) if path.exists() else Measurements()

    @cached_property
    def examples(self) -> dict[str, np.ndarray]:
        """The columns of examples.parquet, one row per training image.

        Raises:
            RunIncomplete: the run has not come to its end.
        """
        return self.table(EXAMPLES)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The headline numbers.

        Raises:
            RunIncomplete: the run has not come to its end.
        """
        return read_json(self._present(SUMMARY))

    @property
    def is_complete(self) -> bool:
        """Whether the run came to its end."""
        return (self.dir / SUMMARY).exists()

    @property
    def model(self) -> nn.Module:
        """The trained network, encoder and projector, in eval mode on the CPU.

        Raises:
            RunIncomplete: the run wrote no state yet, or trained a module of the caller's own that only the caller
                can build again.
        """
        if self._model is None:
            self._model = self.encoder()
        return self._model

    def encoder(self, epoch: int | None = None) -> nn.Module:
        """Builds the network again and fills it with the weights the run kept.

        Args:
            epoch: one of `--keep-checkpoints`; by default the weights at the end of the run.

        Returns:
            The whole EncoderProjector, in eval mode on the CPU; `.encode(x)` is its encoder.

        Raises:
            RunIncomplete: these weights were not kept, or they are of a module of the caller's own.
        """
        path = self._present(f"{CHECKPOINTS}/{FINAL if epoch is None else f'epoch={epoch:04d}.safetensors'}")
        architecture = self.record.get("architecture")
        if architecture is None:
            raise RunIncomplete(
                f"{self.dir} trained a module of the caller's own; build it and load {path} into it yourself"
            )
        from rote import models
        from rote.train import load_weights

        model = models.build(**architecture)
        load_weights(path, model)
        return model.eval()

    def table(self, name: str) -> dict[str, np.ndarray]:
        """The columns of one of the run's tables, CSV or Parquet, as numpy arrays of one length.

        In a CSV table a missing number is nan and another missing value None.
        """
        if name.endswith(".csv"):
            return columns(read_csv(self._present(name)))
        with wanted_for("a Parquet table"):
            import pyarrow
            import pyarrow.parquet

        path = self._present(name)
        try:
            table = pyarrow.parquet.read_table(path)
        except pyarrow.ArrowInvalid as error:
            raise CorruptRunFile(f"{path} is not a Parquet table: {error}") from None
        return {column: table[column].to_numpy() for column in table.column_names}

    def __repr__(self) -> str:
        return f"Run({str(self.dir)!r}, {'complete' if self.is_complete else 'incomplete'})"

    def _present(self, name: str) -> Path:
        path = self.dir / name
        if not path.exists():
            raise RunIncomplete(f"{self.dir} has no {name} (yet); the command that made it goes on with the run")
        return path


def load_run(folder: str | Path) -> Run:
    """Opens a run folder for reading.

    Args:
        folder: `<out>/<experiment>-<hash>`.

    Raises:
        RunIncomplete: there is no run folder.
        CorruptRunFile: its config.json is damaged.
    """
    return Run(Path(folder))
