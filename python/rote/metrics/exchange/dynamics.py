"""What one network gave for every example at every look, in float64: the common ground of the exchange formats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rote.metrics.dynamics_files import PHASES, epoch_file, read_dynamics, trajectories
from rote.metrics.training_dynamics import area_under_margin
from rote.runs.whole_files import write_parquet


@dataclass(frozen=True)
class ExampleDynamics:
    """Per-example values along training.

    Attributes:
        example_id: int64 [N].
        loss: float64 [E, N], -log p(label); NaN where an example has no value at a look, or the source does not tell.
        margin: float64 [E, N], the label's logit minus the largest other one.
        p_true: float64 [E, N], the label's probability.
        el2n: float64 [E, N], the length of the probabilities minus the one-hot label.
        correct: bool [E, N], whether the label has the largest logit, the smallest class of equals.
        epochs: int64 [E], the looks' numbers; None is 1 ... E.
    """

    example_id: np.ndarray
    loss: np.ndarray
    margin: np.ndarray
    p_true: np.ndarray
    el2n: np.ndarray
    correct: np.ndarray
    epochs: np.ndarray | None = None

    @classmethod
    def of_logits(cls, logits: np.ndarray, labels: np.ndarray, example_id: np.ndarray | None = None) -> ExampleDynamics:
        """From scores of all classes.

        Args:
            logits: float [E, N, C], C > 1; NaN where an example has none.
            labels: int [N] in [0, C).
            example_id: int [N]; None is 0 ... N - 1.

        Raises:
            ValueError: shapes or labels that do not fit.
        """
        logits, labels = np.asarray(logits, dtype=np.float64), np.asarray(labels)
        check_logits(logits, labels)
        own = np.take_along_axis(logits, labels[None, :, None].repeat(len(logits), 0), 2)[..., 0]
        others = logits.copy()
        np.put_along_axis(others, labels[None, :, None].repeat(len(logits), 0), -np.inf, 2)
        highest = logits.max(2)
        exponentials = np.exp(logits - highest[..., None])
        total = exponentials.sum(2)
        log_p = own - highest - np.log(total)
        error = exponentials / total[..., None]
        error[:, np.arange(len(labels)), labels] -= 1.0
        correct = np.where(np.isnan(own), False, logits.argmax(2) == labels)
        ids = np.arange(len(labels)) if example_id is None else np.asarray(example_id)
        el2n = np.sqrt(np.square(error).sum(2))
        return cls(ids.astype(np.int64), -log_p, own - others.max(2), np.exp(log_p), el2n, correct)

    @classmethod
    def read(cls, folder: Path | str, *, phase: str | None = None) -> ExampleDynamics:
        """What a `rote.metrics.Recorder` wrote.

        Args:
            folder: a run folder, or what the recorder was given.
            phase: "train_pass" or "eval_pass"; None is the first of these that is there.

        Raises:
            FileNotFoundError: nothing was recorded there.
            ValueError: an unknown phase.
        """
        phase = recorded_phase(folder) if phase is None else phase
        names = ("loss", "margin", "p_true", "el2n", "correct")
        found = {name: trajectories(folder, name, phase=phase) for name in names}
        seen = ~np.isnan(found["correct"].values).all(0)
        values = {name: path.values[:, seen] for name, path in found.items()}
        values["correct"] = values["correct"] == 1.0
        return cls(np.flatnonzero(seen), **values, epochs=found["loss"].epochs)

    def at(self, rows: np.ndarray) -> ExampleDynamics:
        """The same of some of the examples, by place."""
        parts = {name: getattr(self, name)[:, rows] for name in ("loss", "margin", "p_true", "el2n", "correct")}
        return ExampleDynamics(self.example_id[rows], **parts, epochs=self.epochs)

    def write(self, folder: Path | str, *, first_epoch: int = 1, phase: str = "train_pass") -> list[Path]:
        """Writes the files of a `rote.metrics.Recorder`, `<folder>/dynamics/epoch=NNNN.parquet`, one a look.

        Args:
            folder: a run folder; made if it is not there.
            first_epoch: number of the first look.
            phase: "train_pass" (measured as the batches went by) or "eval_pass" (a pass of its own).

        Returns:
            The files written. Examples without a value at a look are left out of its file; what the source does not
            tell is NaN.

        Raises:
            ValueError: another phase.
        """
        if phase not in PHASES:
            raise ValueError(f"phase must be one of {', '.join(PHASES)}; got {phase!r}")
        written = []
        for epoch, number in enumerate(range(len(self.loss)), first_epoch):
            there = ~(np.isnan(self.loss[number]) & np.isnan(self.margin[number]))
            path = epoch_file(folder, epoch, phase)
            count = int(there.sum())
            columns = {
                "epoch": np.full(count, epoch, dtype=np.int32),
                "phase": np.full(count, phase),
                "example_id": self.example_id[there].astype(np.int32),
                "presentations": np.ones(count, dtype=np.int32),
            }
            for name in ("loss", "margin", "p_true", "el2n"):
                columns[name] = getattr(self, name)[number][there].astype(np.float32)
            write_parquet(path, {**columns, "correct": self.correct[number][there]})
            written.append(path)
        return written

    def cartography(self) -> dict[str, np.ndarray]:
        """The data map as the tool has it: `confidence` mean p_true, `variability` its population standard deviation,
        `correctness` the number of looks that were right (`rote.metrics.cartography` has the share), `forgetfulness`
        the number of changes from right to wrong, `never_learned`.
        """
        seen = ~np.isnan(self.p_true)
        n = np.maximum(seen.sum(0), 1)
        mean = np.where(seen, self.p_true, 0.0).sum(0) / n
        spread = np.where(seen, np.square(self.p_true - mean), 0.0).sum(0) / n
        empty = ~seen.any(0)
        right = self.correct & seen
        return {
            "confidence": np.where(empty, np.nan, mean),
            "variability": np.where(empty, np.nan, np.sqrt(spread)),
            "correctness": right.sum(0).astype(np.int64),
            "forgetfulness": forgetting_events(self.correct, seen),
            "never_learned": ~right.any(0),
        }

    def aum(self) -> np.ndarray:
        """float64 [N], the mean margin over all looks; NaN without one."""
        return area_under_margin(self.margin)


def recorded_phase(folder: Path | str) -> str:
    """The first phase that a recorder left epochs of in a folder.

    Raises:
        FileNotFoundError: there is none.
    """
    names = [path.name for path in (Path(folder) / "dynamics").glob("epoch=*.parquet")]
    for phase in PHASES:
        ending = epoch_file("", 0, phase).name.removeprefix("epoch=0000")
        if any(name.removeprefix("epoch=").removesuffix(ending).isdigit() for name in names):
            return phase
    raise FileNotFoundError(2, "no dynamics/epoch=NNNN.parquet", str(folder))


def recorded_logits(folder: Path | str, *, phase: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The logits that a `rote.metrics.Recorder(..., logits=True)` wrote, for `write_cartography`.

    Returns:
        (example_id int64 [N], ascending; logits float64 [E, N, C], NaN where an example was not shown in an epoch).

    Raises:
        FileNotFoundError: nothing was recorded there.
        ValueError: logits were not kept.
    """
    table = read_dynamics(
        folder, phase=recorded_phase(folder) if phase is None else phase, columns=["epoch", "example_id", "logits"]
    )
    _, epoch = np.unique(table["epoch"].to_numpy(), return_inverse=True)
    ids, place = np.unique(table["example_id"].to_numpy(), return_inverse=True)
    rows = table["logits"].combine_chunks()
    values = rows.flatten().to_numpy(zero_copy_only=False).reshape(len(rows), -1)
    logits = np.full((epoch.max(initial=-1) + 1, len(ids), values.shape[1]), np.nan)
    logits[epoch.reshape(-1), place.reshape(-1)] = values
    return ids.astype(np.int64), logits


def forgetting_events(correct: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """int64 [N]: how often an example was right at one of its looks and wrong at its next (Toneva et al. 2019)."""
    events = np.zeros(correct.shape[1], dtype=np.int64)
    before = np.zeros(correct.shape[1], dtype=bool)
    for right, there in zip(correct, seen, strict=True):
        events += there & before & ~right
        before = np.where(there, right, before)
    return events


def check_logits(logits: np.ndarray, labels: np.ndarray) -> None:
    """Raises ValueError where logits [E, N, C] and labels [N] do not fit."""
    if logits.ndim != 3 or logits.shape[2] < 2:
        raise ValueError(f"logits must be float [E, N, C], C > 1; got {list(logits.shape)}")
    if labels.dtype.kind not in "iu" or labels.shape != logits.shape[1:2]:
        raise ValueError(f"labels must be int [{logits.shape[1]}]; got {labels.dtype} {list(labels.shape)}")
    if len(labels) and not 0 <= labels.min() <= labels.max() < logits.shape[2]:
        raise ValueError(f"labels must lie in [0, {logits.shape[2]}); got {labels.min()} to {labels.max()}")
