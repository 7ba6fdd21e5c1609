"""The runs of several seeds trained as one batched network, each recorded as if it had been trained alone."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from rote.experiments.base.launch import Launch
from rote.experiments.base.saving import Saving
from rote.experiments.base.stopping import Stopped, stop_requests
from rote.experiments.benign.record import BenignRecord
from rote.runs import RunFolder, whole_files
from rote.runs.load import FINAL
from rote.train import Progress, RunningEpoch, TrainingDiverged, save_weights
from rote.train.replicas import ReplicaTrainer

if TYPE_CHECKING:
    from rote.experiments.benign import BenignConfig

# The state that stopped replicas go on from, in the folder of the first seed.
STATE = "replicas.safetensors"


class BenignReplicas:
    """Several seeds of one condition from wherever they stand to their summaries.

    Trained are the runs that are not finished or, where a stopped process left its state, those it trained. A run whose
    network diverges is left without a summary, and the others come to their ends.

    Args:
        starts: the runs, alike but for their seeds.
        folders: their open folders; that of the first run keeps the common state.
    """

    def __init__(self, starts: Sequence[Launch[BenignConfig]], folders: Sequence[RunFolder]) -> None:
        self._file = folders[0].checkpoints / STATE
        stored = _read(self._file)
        asked = [start.config.seed for start in starts]
        seeds = [s for s, folder in zip(asked, folders, strict=True) if folder.summary() is None]
        if stored is not None and set(stored[1]["seeds"]) <= set(asked):
            seeds = stored[1]["seeds"]
        else:
            stored = None
        chosen = [asked.index(seed) for seed in seeds]
        self.seeds = seeds
        self.config = starts[0].config
        self.records = [
            BenignRecord(starts[n].config, starts[n].inputs, starts[n].network, folders[n], starts[n].num_classes)
            for n in chosen
        ]
        self.trainer = ReplicaTrainer(
            [record.model for record in self.records],
            [record.stream for record in self.records],
            [record.config.training() for record in self.records],
        )
        self.measured, self.seconds, self.training_seconds = -1, 0.0, 0.0
        self._epochs: list[list[RunningEpoch]] = [[] for _ in self.records]
        if stored is not None:
            state, extra = stored
            self.trainer.load_state_dict(state)
            self.measured, self.seconds = extra["measured"], extra["seconds"]
            self.training_seconds = extra["training_seconds"]

    def to_the_end(self) -> None:
        """Trains and evaluates until the summaries are written.

        Raises:
            Stopped: Ctrl-C; the state is saved.
            TrainingDiverged: a network diverged; the others are finished.
        """
        for record in self.records:
            record.go_on(self.trainer.step, self.measured)
            print(f"rote: writing {record.folder.path}", file=sys.stderr)
        saving = Saving(self._save, self.seconds)
        spe, evaluated = self.records[0].stream.steps_per_epoch, set(self.config.evaluation_epochs())
        total, batch = self.trainer.total_steps, self.records[0].stream.batch_size * len(self.records)
        what = f"benign, {self.config.labels} labels, {self.config.augment}, {len(self.records)} seeds"
        with stop_requests() as stop, Progress(total, batch, what, start=self.trainer.step) as progress:

            def after_step(trainer: ReplicaTrainer) -> None:
                progress.update(trainer.step)
                self.training_seconds = trained_before + time.monotonic() - started
                saving.after_step(stop.made, lambda: Stopped(self._file.parent.parent, trainer.step, total))

            for epoch in range(self.trainer.step // spe, self.config.epochs + 1):
                step = epoch * spe
                if step < self.trainer.step:
                    continue
                trained_before, started = self.training_seconds, time.monotonic()
                self.trainer.train_until(step, after_step)
                self._note_epoch()
                if epoch in self.config.keep_checkpoints:
                    self._keep_weights(f"epoch={epoch:04d}.safetensors", epoch)
                if epoch in evaluated and step > self.measured:
                    values = self._evaluate(step, epoch)
                    saving.now()
                    progress.update(step, **values)
        self._keep_weights(FINAL, self.config.epochs)
        self.seconds = saving.seconds
        share = 1 / len(self.records)  # so that the seconds of runs can be added up
        for n in self._sound():
            self._measured_now(n).write_results(self.trainer.step, self.seconds * share, self.training_seconds * share)
        self._file.unlink(missing_ok=True)
        broken = [step for step in self.trainer.diverged if step is not None]
        if broken:
            raise TrainingDiverged(broken[0], self.trainer.step)

    def _sound(self) -> list[int]:
        return [n for n, step in enumerate(self.trainer.diverged) if step is None]

    def _measured_now(self, n: int) -> BenignRecord:
        """The record of a run, on its network as it is now."""
        record = self.records[n]
        record.model = self.trainer.model(n)
        return record

    def _evaluate(self, step: int, epoch: int) -> dict[str, float]:
        self._write_epochs()
        values: list[dict[str, float]] = []
        for n in self._sound():
            values.append(self._measured_now(n).evaluate(step, epoch, last=epoch == self.config.epochs))
        self.measured = step
        return {name: sum(v[name] for v in values) / len(values) for name in values[0]} if values else {}

    def _note_epoch(self) -> None:
        """Puts the running sums of an epoch that has just ended aside."""
        epoch, rest = divmod(self.trainer.step, self.records[0].stream.steps_per_epoch)
        if rest or epoch == 0:
            return
        sound = self._sound()
        for n, running in enumerate(self.trainer.take_running()):
            if n in sound and running.samples:
                self._epochs[n].append(RunningEpoch(epoch, *running))

    def _write_epochs(self) -> None:
        for record, epochs in zip(self.records, self._epochs, strict=True):
            record.write_epochs(epochs)
            epochs.clear()

    def _keep_weights(self, name: str, epoch: int) -> None:
        for n in self._sound():
            save_weights(self.records[n].folder.checkpoints / name, self.trainer.model(n), epoch=epoch)

    def _save(self, seconds: float) -> None:
        from safetensors.torch import save

        self._note_epoch()
        self._write_epochs()
        extra = {
            "seeds": self.seeds,
            "measured": self.measured,
            "seconds": seconds,
            "training_seconds": self.training_seconds,
        }
        state = {name: value.detach().cpu().contiguous() for name, value in self.trainer.state_dict().items()}
        whole_files.write_bytes(self._file, save(state, metadata={"rote": json.dumps(extra)}))


def _read(path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The state of a stopped process and what was stored beside it."""
    from safetensors import safe_open

    if not path.exists():
        return None
    with safe_open(path, framework="pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        return state, json.loads(file.metadata()["rote"])
