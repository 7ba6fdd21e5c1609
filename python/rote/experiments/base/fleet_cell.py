"""Networks that are trained together, as one cell of an experiment: they go on after a stop, and end in a file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rote.experiments.base.fleet import Fleet
from rote.experiments.base.stopping import Stopped, StopRequest
from rote.experiments.base.training_cell import result_file
from rote.runs import RunFolder
from rote.runs.folder import read_json
from rote.runs.whole_files import write_json
from rote.train import Progress, TrainingDiverged

# A stopped process loses at most this much work.
_SAVE_EVERY_SECONDS = 30.0

Course = Callable[[Fleet, Callable[[], None]], dict[str, Any]]
"""(fleet, what to call after every step) -> what was found, JSON values.

It trains the fleet and measures. What it must remember over a stop it notes in `fleet.notes`; called again, with the
fleet wherever it stands, it goes on from there."""


def train_fleet(
    folder: RunFolder,
    name: str,
    make: Callable[[Path], Fleet],
    course: Course,
    stop: StopRequest,
    *,
    description: str,
    samples_per_step: int,
    done: int,
    cells: int,
) -> dict[str, Any]:
    """Trains the networks of a cell to the end of its course, or goes on with them, or reads what was found.

    Args:
        folder: the open run folder.
        name: of the cell, a file name.
        make: makes the fleet, given where its checkpoint lies; called only where there is something to train.
        course: what is done.
        stop: whether Ctrl-C was pressed.
        description: what progress says.
        samples_per_step: images that a step of all networks takes.
        done: cells finished before, and
        cells: their number, for the message of a stop.

    Returns:
        What the course found, and `seconds` of training.

    Raises:
        Stopped: Ctrl-C; the state is saved.
        TrainingDiverged: the loss of a network is not finite.
    """
    results = result_file(folder, name)
    if results.exists():
        return read_json(results)
    state = folder.checkpoints / f"{name}.safetensors"
    fleet = make(state)
    begin = saved = time.monotonic()
    spent = fleet.notes.get("seconds", 0.0)

    def save() -> None:
        nonlocal saved
        fleet.notes["seconds"] = spent + time.monotonic() - begin
        fleet.save()
        saved = time.monotonic()

    with Progress(fleet.trainer.total_steps, samples_per_step, description, start=fleet.step) as progress:

        def on_step() -> None:
            progress.update(fleet.step)
            if stop.made:
                save()
                raise Stopped(folder.path, done, cells, "group of networks")
            if time.monotonic() - saved > _SAVE_EVERY_SECONDS:
                save()

        found = course(fleet, on_step)
    if any(step is not None for step in fleet.diverged):
        raise TrainingDiverged(min(step for step in fleet.diverged if step is not None), 0)
    found = {**found, "seconds": round(spent + time.monotonic() - begin, 3)}
    write_json(results, found)
    state.unlink(missing_ok=True)
    return found
