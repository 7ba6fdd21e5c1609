"""Networks that are trained together, as one part of an experiment: they go on after a stop, and end in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rote.experiments.base.fleet import Fleet
from rote.experiments.base.saving import Saving
from rote.experiments.base.stopping import Stopped, StopRequest
from rote.experiments.base.training_cell import result_file
from rote.runs import RunFolder
from rote.runs.folder import read_json
from rote.runs.whole_files import write_json
from rote.train import Progress, TrainingDiverged


def train_fleet(
    folder: RunFolder,
    name: str,
    make: Callable[[Path], Fleet],
    look: Callable[[Fleet, int], Mapping[str, Any]],
    epochs: Sequence[int],
    stop: StopRequest,
    *,
    description: str,
    done: int = 0,
    cells: int = 1,
) -> dict[str, Any]:
    """Trains a few networks together to their end, or goes on with them, or reads what was found.

    Args:
        folder: the open run folder.
        name: of these networks, a file name.
        make: the fleet, from the path of its checkpoint; called only where there is something to train.
        look: (fleet, epoch) -> what is measured then, JSON values. It may stop members, and may write files that the
            same look writes again with the same content; when no member is left, the training is over.
        epochs: when to look, ascending; the last one ends the training.
        stop: whether Ctrl-C was pressed.
        description: what progress says.
        done: cells finished before, and
        cells: their number, for the message of a stop.

    Returns:
        `looks`, a dict for each look (`epoch`, `step` and what `look` gave), and `seconds`.

    Raises:
        Stopped: Ctrl-C; the state is saved.
    """
    results = result_file(folder, name)
    if results.exists():
        return read_json(results)
    newest = folder.checkpoints / f"{name}.safetensors"
    fleet = make(newest)
    looks: list[dict[str, Any]] = fleet.notes.get("looks", [])

    def save(seconds: float) -> None:
        fleet.notes = {"looks": looks, "seconds": seconds}
        fleet.save()

    saving = Saving(save, fleet.notes.get("seconds", 0.0))
    per_epoch = fleet.steps_per_epoch
    batch = fleet.batch_size * len(fleet.active)
    with Progress(epochs[-1] * per_epoch, batch, description, start=fleet.step) as progress:

        def after_step() -> None:
            progress.update(fleet.step)
            saving.after_step(stop.made, lambda: Stopped(folder.path, done, cells, "part"))

        for epoch in epochs:
            if looks and looks[-1]["epoch"] >= epoch:
                continue
            fleet.train_until(epoch * per_epoch, after_step)
            looks.append({"epoch": epoch, "step": fleet.step, **look(fleet, epoch)})
            if not fleet.active:
                break
    found = {"looks": looks, "seconds": round(saving.seconds, 3)}
    write_json(results, found)
    newest.unlink(missing_ok=True)
    return found


def require_finite(fleet: Fleet) -> None:
    """Ends a run in which a network diverged, where every network counts.

    Raises:
        TrainingDiverged: the loss of a network is not finite.
    """
    broken = [step for step in fleet.diverged if step is not None]
    if broken:
        raise TrainingDiverged(min(broken), 0)
