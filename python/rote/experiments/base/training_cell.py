"""One training among several of an experiment: it goes on after a stop, and ends in a file of its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rote.experiments.base.saving import Saving
from rote.experiments.base.stopping import Stopped, StopRequest
from rote.runs import RunFolder
from rote.runs.folder import read_json
from rote.runs.whole_files import write_json
from rote.train import Progress, Trainer, load_checkpoint, save_checkpoint


def result_file(folder: RunFolder, name: str) -> Path:
    """Where the results of a finished training lie."""
    return folder.path / "cells" / f"{name}.json"


def train_cell(
    folder: RunFolder,
    name: str,
    make: Callable[[], Trainer],
    look: Callable[[Trainer, int], Mapping[str, Any]],
    epochs: Sequence[int],
    stop: StopRequest,
    *,
    description: str,
    done: int = 0,
    cells: int = 1,
    finish: Callable[[Trainer], None] | None = None,
) -> list[dict[str, Any]]:
    """Trains a cell to its end, or goes on with it, or reads what it found.

    Args:
        folder: the open run folder.
        name: of the cell, a file name.
        make: the trainer at its start; called only where there is something to train.
        look: (trainer, epoch) -> what is measured then, JSON values; it must not change the trainer.
        epochs: when to look, ascending; the last one ends the training.
        stop: whether Ctrl-C was pressed.
        description: what progress says.
        done: cells finished before, and
        cells: their number, for the message of a stop.
        finish: called with the trained trainer before its results are written.

    Returns:
        A dict for each look: `epoch`, `step`, `seconds` (of training so far) and what `look` gave.

    Raises:
        Stopped: Ctrl-C; the state is saved.
        TrainingDiverged: the loss is not finite.
    """
    results = result_file(folder, name)
    if results.exists():
        return read_json(results)["looks"]
    newest = folder.checkpoints / f"{name}.safetensors"
    trainer = make()
    looks: list[dict[str, Any]] = []
    spent = 0.0
    if newest.exists():
        extra = load_checkpoint(newest, trainer)
        looks, spent = extra["looks"], extra["seconds"]

    def save(seconds: float) -> None:
        save_checkpoint(newest, trainer, {"looks": looks, "seconds": seconds})

    saving = Saving(save, spent)
    steps = trainer.stream.steps_per_epoch
    with Progress(epochs[-1] * steps, trainer.stream.batch_size, description, start=trainer.step) as progress:

        def after_step(trainer: Trainer) -> None:
            progress.update(trainer.step)
            saving.after_step(stop.made, lambda: Stopped(folder.path, done, cells, "training"))

        for epoch in epochs:
            if looks and looks[-1]["epoch"] >= epoch:
                continue
            trainer.train_until(epoch * steps, after_step)
            found = dict(look(trainer, epoch))
            looks.append({"epoch": epoch, "step": trainer.step, "seconds": round(saving.seconds, 3), **found})
    if finish is not None:
        finish(trainer)
    write_json(results, {"looks": looks})
    newest.unlink(missing_ok=True)
    return looks
