"""`capacity`: how many random labels a network can store, and what sharing them over views changes.

(arXiv 2210.14019, E4.) Training sees exactly B addressed views of each of N images. With label mode `same` the views
of an image share one random label; with `random` each view has its own, so that N x B unrelated samples are to be
stored. Where those no longer fit and shared labels still do, malign memorization is infeasible and the network has
to use what the views of an image have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import launch
from rote.experiments.capacity.cells import BOTH, STEPS, VISITS
from rote.experiments.capacity.run import CapacityRun
from rote.experiments.inputs.same_class import NAME as SAME_CLASS
from rote.runs import Run
from rote.train import TrainConfig

SAME, RANDOM = "same", "random"
# 1,058 to 8,024 parameters on RGB images of 16 px with ten classes.
FRONTIER_WIDTHS = (2, 3, 4, 5, 6, 8)


@dataclass(frozen=True, kw_only=True)
class CapacityConfig(ExperimentConfig):
    """Options of `rote run capacity`."""

    name_of_experiment: ClassVar[str] = "capacity"
    semantics: ClassVar[int] = 2
    title: ClassVar[str] = "How many labels a network stores: B views of each image, with one label or one each"

    images: int | None = 64
    """Number of images N, the first of a seeded class-balanced order."""
    augment: str = "digits"
    """Augmentation recipe that the views are of."""
    width: int | None = 4
    """Width dial of the network; small ones meet their capacity in seconds."""
    widths: tuple[int, ...] = ()
    """Several widths, in place of `--width`; the frontier of a convnet takes 2, 3, 4, 5, 6, 8 by default."""
    depths: tuple[int, ...] = ()
    """Several depths, in place of `--depth`."""
    projector_width: int | None = 32
    """Hidden width of the projector."""
    norm: Literal["batch", "group", "layer", "none"] = "group"
    """Normalization of the encoder. Under batch normalization a network in eval mode is another than in training, and
    99 % come late."""
    loss: Literal["mse", "ce"] = "ce"
    """Loss: cross-entropy meets the capacity of small networks sooner than squared errors."""
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "constant"
    """Learning rate over the run; how long a cell trains is found out on the way, so only constant will do."""
    epochs: int = 1600
    """Budget of equal steps: as many as so many visits of each of the N images take."""
    visits: int = 400
    """Budget of equal visits: the most visits of every view of a pool. The frontier has this budget."""
    budget: Literal["visits", "steps", "both"] = BOTH
    """Compare pools at equal visits of a view, at equal steps, or at both (a row each, out of one training)."""
    views: tuple[int, ...] = (1, 4, 16, 64)
    """Pool sizes: views B of each image."""
    label_modes: tuple[Literal["same", "random"], ...] = (SAME, RANDOM)
    """One label for all views of an image (same), one for each view (random)."""
    single_views: bool = True
    """Beside N images with B views of own labels, one view of N x B images, where the data has as many."""
    frontier: bool = False
    """Instead of the grid: for each size of the network, the most random labels that it fits to 99 %, by bisection."""
    frontier_views: int = 1
    """Views B of each image in the frontier, each with its own label."""
    lr: tuple[float, ...] = (3e-3, 1e-2, 3e-2)
    """Learning rates; the best one counts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frontier and self.model == "convnet" and not self.widths:
            object.__setattr__(self, "widths", FRONTIER_WIDTHS)
        for field in ("visits", "frontier_views"):
            if getattr(self, field) < 1:
                raise ValueError(f"--{field.replace('_', '-')} must be at least 1; got {getattr(self, field)}")
        if self.budget not in (VISITS, STEPS, BOTH):
            raise ValueError(f"--budget must be visits, steps or both; got {self.budget}")
        for field in ("widths", "depths"):
            values = getattr(self, field)
            if any(value < 1 for value in values) or len(set(values)) != len(values):
                raise ValueError(f"--{field} must be distinct numbers from 1 on; got {values}")
        if not self.views or any(count < 1 for count in self.views) or len(set(self.views)) != len(self.views):
            raise ValueError(f"--views must be distinct numbers from 1 on; got {self.views}")
        if not self.label_modes or not set(self.label_modes) <= {SAME, RANDOM}:
            raise ValueError(f"--label-modes must be out of same, random; got {self.label_modes}")
        if len(set(self.label_modes)) != len(self.label_modes):
            raise ValueError(f"--label-modes must not repeat; got {self.label_modes}")
        if not self.lr or any(not 0 < rate < float("inf") for rate in self.lr):
            raise ValueError(f"--lr must be positive numbers; got {self.lr}")
        if len(set(self.lr)) != len(self.lr):
            raise ValueError(f"--lr must not repeat a rate; got {self.lr}")
        if self.mixup != "none" or self.augment == SAME_CLASS:
            raise ValueError("--mixup and --augment same-class are for benign; a pool is N x B views of one image each")
        if self.schedule != "constant":
            raise ValueError(
                f"--schedule must be constant: the length of a cell is not known before; got {self.schedule}"
            )
        if self.keep_checkpoints:
            raise ValueError("--keep-checkpoints is for single trainings; capacity trains one network per cell")

    def training(self, **changes: Any) -> TrainConfig:
        """The part of the config that the trainer reads; the first learning rate unless another is given."""
        return super().training(**{"lr": self.lr[0], **changes})

    @property
    def extensible(self) -> bool:
        """False: a budget is part of what a cell measures."""
        return False


def capacity(
    config: CapacityConfig | None = None,
    *,
    model: str | nn.Module | None = None,
    data: str | ImageBank | None = None,
    **fields: Any,
) -> Run:
    """Measures the grid of views and label modes, or goes on with it, and returns its run folder.

    Args:
        config: the options; or give its fields as keywords (they win over `config`).
        model: a network's name, or a module of your own, of which every cell trains a copy.
        data: a data set's name, or a bank of your own.
        **fields: fields of `CapacityConfig`.

    Returns:
        The finished run; `.summary["rows"]` is the table of capacity.csv.

    Raises:
        ValueError: an option that does not fit the data or the network.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.
        TrainingDiverged: the loss is not finite at any of the learning rates.

    Example:
        >>> run = rote.experiments.capacity(views=(1, 16), images=32)
        >>> [row["bits_per_parameter"] for row in run.summary["rows"]]
    """
    start = launch(config or CapacityConfig(), model=model, data=data, taps=None, fields=fields)
    if not start.finished:
        if start.own_model and (start.config.widths or start.config.depths):
            raise ValueError("--widths and --depths are dials of the named networks; a module of your own has none")
        with start.place.open(fresh=start.config.fresh) as folder:
            run = CapacityRun(start.config, start.inputs, start.network, start.own_model, folder, start.num_classes)
            run.to_the_end()
    return Run(start.place.path)
