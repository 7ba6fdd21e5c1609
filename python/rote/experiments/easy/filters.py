"""First-layer filters of a convolutional network, on real images and under random labels (figure 2 of 1706.05394)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from rote.experiments.base.fleet import Fleet
from rote.experiments.base.fleet_cell import require_finite, train_fleet
from rote.experiments.base.stopping import StopRequest
from rote.experiments.inputs.loading import architecture, build_model
from rote.runs.whole_files import write_with

if TYPE_CHECKING:
    from rote.experiments.easy.run import EasyRun

FILE = "filters.npz"
KINDS = ("real", "randY")


def first_filters(model: nn.Module) -> np.ndarray:
    """float32 [filters, C, h, w]: the weights of the first convolution.

    Raises:
        ValueError: the network has none.
    """
    layer = next((module for module in model.modules() if isinstance(module, nn.Conv2d)), None)
    if layer is None:
        raise ValueError(f"--filter-model must be a convolutional network; got {type(model).__name__} without one")
    return layer.weight.detach().float().cpu().numpy()


def train_filters(run: EasyRun, stop: StopRequest, done: int, cells: int) -> float:
    """Trains the two networks, one after another, and stores their filters; returns the seconds it took.

    Raises:
        Stopped: Ctrl-C; the state is saved.
        TrainingDiverged: a loss is not finite.
    """
    config, seconds = run.config, 0.0
    for number, kind in enumerate(KINDS):

        def make(state: Path, kind: str = kind) -> Fleet:
            own = {"model": config.filter_model, "width": config.filter_width, "epochs": config.filter_epochs}
            training = config.training(**own, **_FILTER_TRAINING)
            return Fleet([_network(run)], [run.stream(kind, 0)], [training], state)

        def look(fleet: Fleet, epoch: int, kind: str = kind) -> dict[str, float]:
            require_finite(fleet)
            found = first_filters(fleet.model(0))
            write_with(_file(run, kind), lambda file: np.savez_compressed(file, filters=found))
            return {"accuracy_running": fleet.take_running()[0].accuracy}

        found = train_fleet(
            run.folder,
            f"filters-{kind}",
            make,
            look,
            (config.filter_epochs,),
            stop,
            description=f"easy, filters, {kind}",
            done=done + number,
            cells=cells,
        )
        seconds += found["seconds"]
    return seconds


def write_filters(run: EasyRun) -> None:
    """Writes filters.npz: `init`, `real` and `randY`, float32 [filters, C, h, w] each."""
    columns = {"init": first_filters(_network(run))}
    for kind in KINDS:
        with np.load(_file(run, kind)) as stored:
            columns[kind] = stored["filters"]
    write_with(run.folder.path / FILE, lambda file: np.savez_compressed(file, **columns))


# The convolutional network is trained as those of other experiments are: the settings of one epoch of a perceptron
# teach it nothing.
_FILTER_TRAINING = {"optimizer": "adam", "lr": 1e-3, "norm": "batch", "depth": None}


def _network(run: EasyRun) -> nn.Module:
    own = {"model": run.config.filter_model, "width": run.config.filter_width}
    config = dataclasses.replace(run.config, **own, depth=None, norm="batch", projector_width=None)
    return build_model(architecture(config, run.inputs.bank, run.num_classes), None, None, run.inputs.bank)


def _file(run: EasyRun, kind: str) -> Path:
    return run.folder.path / "cells" / f"filters-{kind}.npz"
