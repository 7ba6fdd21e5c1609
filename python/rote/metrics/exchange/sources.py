"""Training dynamics of whatever tool: what lies in a folder or file, found by its names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rote.metrics.exchange.aum import RECORDS, VALUES, read_aum, read_aum_records
from rote.metrics.exchange.cartography import FOLDER, read_cartography
from rote.metrics.exchange.data_map import read_data_map
from rote.metrics.exchange.dynamics import ExampleDynamics
from rote.metrics.exchange.errors import ExchangeError


@dataclass(frozen=True)
class TrainingScores:
    """Scores of examples along a training.

    Attributes:
        example: [N], int64 or text, the examples' names in their source.
        scores: columns [N] by name: aum, confidence, variability, correctness (a share; a data map has correct_epochs,
            a count), forgetting_events, never_learned: what of these the source tells.
        dynamics: every look, where the source has them; NaN in what it does not tell.
        source: what was read: "recorder", "cartography", "data map", "aum" or "aum records".
    """

    example: np.ndarray
    scores: dict[str, np.ndarray]
    dynamics: ExampleDynamics | None
    source: str

    def aligned(self, names: np.ndarray) -> TrainingScores:
        """The same for these examples in this order.

        Raises:
            ValueError: one of them is not in the source.
        """
        place = {name: i for i, name in enumerate(self.example.tolist())}
        names = np.asarray(names)
        missing = [name for name in names.tolist() if name not in place]
        if missing:
            raise ValueError(
                f"the dynamics ({self.source}) must tell of every example; {len(missing)} of {len(names)} are missing, "
                f"the first is {missing[0]!r}"
            )
        rows = np.array([place[name] for name in names.tolist()], dtype=np.int64)
        scores = {name: column[rows] for name, column in self.scores.items()}
        looks = None if self.dynamics is None else self.dynamics.at(rows)
        return TrainingScores(names, scores, looks, self.source)


def read_training_scores(path: Path | str, *, phase: str | None = None) -> TrainingScores:
    """Reads training dynamics: of a `rote.metrics.Recorder` (a folder with dynamics/), cartography (training_dynamics/,
    or a data map .jsonl) or AUM (full_aum_records.csv, else aum_values.csv).

    Args:
        path: the folder, or a data map or CSV file.
        phase: of a recorder, "train_pass" or "eval_pass"; None is the first of these that is there.

    Raises:
        FileNotFoundError: there is nothing of the kind.
        ExchangeError: a file is not what it should be.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(2, "No such file or directory", str(path))
    if path.is_file():
        return _of_file(path)
    if (path / "dynamics").is_dir() and any((path / "dynamics").glob("epoch=*.parquet")):
        return _of_looks(ExampleDynamics.read(path, phase=phase), "recorder")
    if (path / FOLDER).is_dir() or any(path.glob("dynamics_epoch_*.jsonl")):
        found = read_cartography(path)
        read = _of_looks(found.dynamics(), "cartography")
        return TrainingScores(found.guid, read.scores, read.dynamics, read.source)
    for name in (RECORDS, VALUES):
        if (path / name).exists():
            return _of_file(path / name)
    raise FileNotFoundError(
        2, f"no training dynamics: wanted dynamics/epoch=*.parquet, {FOLDER}/, {RECORDS} or {VALUES}", str(path)
    )


def _of_file(path: Path) -> TrainingScores:
    if path.suffix == ".jsonl":
        found = read_data_map(path)
        names = found.pop("guid")
        found["correct_epochs"] = found.pop("correctness")  # the file does not say of how many
        if "forgetfulness" in found:
            found["forgetting_events"] = found.pop("forgetfulness")
        return TrainingScores(names, found, None, "data map")
    if path.suffix != ".csv":
        raise ExchangeError(f"{path}: wanted a data map (.jsonl) or a table of AUM (.csv)")
    if "margin" in path.open(encoding="utf-8", errors="replace").readline():
        records = read_aum_records(path)
        return TrainingScores(records.sample_id, {"aum": records.aum}, None, "aum records")
    names, aum = read_aum(path)
    return TrainingScores(names, {"aum": aum}, None, "aum")


def _of_looks(looks: ExampleDynamics, source: str) -> TrainingScores:
    scores = {"aum": looks.aum(), **looks.cartography()}
    scores["forgetting_events"] = scores.pop("forgetfulness")
    shown = (~np.isnan(looks.p_true)).sum(0)
    scores["correctness"] = np.where(shown > 0, scores["correctness"] / np.maximum(shown, 1), np.nan)
    return TrainingScores(looks.example_id, scores, looks, source)
