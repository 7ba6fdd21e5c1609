"""The course of one `benign` run: train, evaluate, save, and go on after a stop."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from rote.experiments.base.saving import Saving
from rote.experiments.base.stopping import Stopped, StopRequest, stop_requests
from rote.experiments.benign.record import BenignRecord
from rote.experiments.inputs.loading import Inputs
from rote.runs import RunFolder
from rote.runs.load import FINAL, NEWEST
from rote.train import DataParallel, Progress, Trainer, load_checkpoint, save_checkpoint, save_weights

if TYPE_CHECKING:
    from rote.experiments.benign import BenignConfig


class BenignRun:
    """One condition from wherever it stands to its summary.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        model: the network at its initialization.
        folder: the open run folder.
        num_classes: classes of the labels.
        processes: those that train the network together; None for one process.
    """

    def __init__(
        self,
        config: BenignConfig,
        inputs: Inputs,
        model: nn.Module,
        folder: RunFolder,
        num_classes: int,
        processes: DataParallel | None = None,
    ) -> None:
        self.config = config
        self.model = model
        self.folder = folder
        self.processes = processes
        self.record = BenignRecord(config, inputs, model, folder, num_classes)
        self.trainer = Trainer(model, self.record.stream, config.training(), processes=processes)
        self.measured = -1  # the last step whose evaluation lies in the folder
        self.seconds = 0.0  # spent before this process, then since its start
        self.training_seconds = 0.0

    @property
    def newest(self) -> Path:
        """The state that a stopped run goes on from."""
        return self.folder.checkpoints / NEWEST

    def to_the_end(self) -> None:
        """Trains and evaluates until the summary is written.

        Raises:
            Stopped: Ctrl-C; the state is saved.
        """
        self._resume()
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        saving = Saving(self._save, self.seconds)
        steps_per_epoch = self.trainer.stream.steps_per_epoch
        total = self.config.epochs * steps_per_epoch
        description = f"benign, {self.config.labels} labels, {self.config.augment}"
        with (
            stop_requests() as stop,
            Progress(total, self.trainer.stream.batch_size, description, start=self.trainer.step) as progress,
        ):

            def after_step(trainer: Trainer) -> None:
                self._keep_weights()
                progress.update(trainer.step)
                self.training_seconds = trained_before + time.monotonic() - started
                saving.after_step(self._asked(stop), lambda: Stopped(self.folder.path, trainer.step, total))

            for epoch in self.config.evaluation_epochs():
                step = epoch * steps_per_epoch
                if step <= self.measured:
                    continue

                self._keep_weights()
                trained_before, started = self.training_seconds, time.monotonic()
                self.trainer.train_until(step, after_step)
                self._write_epochs()
                values = self.record.evaluate(step, epoch, last=step == total)
                self.measured = step
                saving.now()
                progress.update(self.trainer.step, **values)
        save_weights(self.folder.checkpoints / FINAL, self.model, epoch=self.config.epochs)
        self.seconds = saving.seconds
        self.record.write_results(self.trainer.step, self.seconds, self.training_seconds)

    # Stop and resume --------------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """Puts trainer and folder into the newest saved state, or the folder into that of a new run."""
        if self.newest.exists():
            extra = load_checkpoint(self.newest, self.trainer)
            self.measured = extra["measured"]
            self.seconds = extra["seconds"]
            self.training_seconds = extra["training_seconds"]
            if self.trainer.step > self.trainer.total_steps:
                raise ValueError(
                    f"{self.folder.path} has done {self.trainer.step} steps already, more than the "
                    f"{self.trainer.total_steps} of --epochs {self.config.epochs}; choose another --name or --fresh"
                )
        self.record.go_on(self.trainer.step, self.measured)

    def _asked(self, stop: StopRequest) -> bool:
        """Whether this or another process was asked to stop."""
        return stop.made if self.processes is None else self.processes.any(stop.made)

    def _write_epochs(self) -> None:
        self.record.write_epochs(self.trainer.take_epochs())

    def _save(self, seconds: float) -> None:
        self._write_epochs()
        extra = {"measured": self.measured, "seconds": seconds, "training_seconds": self.training_seconds}
        save_checkpoint(self.newest, self.trainer, extra)

    def _keep_weights(self) -> None:
        epoch, rest = divmod(self.trainer.step, self.trainer.stream.steps_per_epoch)
        if rest == 0 and epoch in self.config.keep_checkpoints:
            save_weights(self.folder.checkpoints / f"epoch={epoch:04d}.safetensors", self.model, epoch=epoch)
