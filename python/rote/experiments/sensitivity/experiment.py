"""`sensitivity`: how much of a training hangs on each pixel of each example (arXiv 1706.05394, section 3.2).

A tiny network is trained by SGD on real images and on Gaussian noise, with the classes of the data and with a class for
every example. The average loss is differentiated in the pixels of each example through all updates: on real data few
examples are to matter much, on noise nearly all (the Gini coefficient), and mostly to their own class.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote import data as data_sets
from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import launch
from rote.experiments.sensitivity.run import INPUTS, SETTINGS, SensitivityRun
from rote.experiments.sensitivity.small_grey import small_grey
from rote.runs import Run

# What the unrolled training is; the options of other trainings would have no effect.
_FIXED = {
    "augment": "none",
    "mixup": "none",
    "norm": "none",
    "loss": "ce",
    "label_smoothing": 0.0,
    "optimizer": "sgd",
    "weight_decay": 0.0,
    "schedule": "constant",
    "warmup_epochs": 0,
    "precision": "auto",
    "label_classes": None,
    "keep_checkpoints": (),
}


@dataclass(frozen=True, kw_only=True)
class SensitivityConfig(ExperimentConfig):
    """Options of `rote run sensitivity`."""

    name_of_experiment: ClassVar[str] = "sensitivity"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Loss-sensitivity: which training examples a network hangs on"

    images: int | None = 1000
    """Number of images N, the first of a seeded class-balanced order."""
    side: int = 14
    """Pixels a side; images are made grey and shrunken by areas."""
    inputs: tuple[Literal["real", "random"], ...] = INPUTS
    """Inputs: real images; random: Gaussian noise with their mean and variance."""
    settings: tuple[Literal["classes", "exemplar"], ...] = SETTINGS
    """Labels: the classes of the data; exemplar: a class for every image."""
    model: str = "mlp"
    """Network, without normalization; a perceptron of two hidden layers by default."""
    width: int | None = 16
    """Width dial of the network: of the first hidden layer."""
    depth: int | None = 1
    """Depth dial of the network: hidden layers before the last one."""
    projector_width: int | None = 16
    """Units of the last hidden layer."""
    norm: Literal["none"] = "none"
    """Normalization: none, since batches would tie examples together."""
    loss: Literal["ce"] = "ce"
    """Loss: cross-entropy."""
    optimizer: Literal["sgd"] = "sgd"
    """Optimizer: stochastic gradient descent."""
    schedule: Literal["constant"] = "constant"
    """Learning rate over the run: constant."""
    lr: float = 0.05
    """Learning rate with the classes of the data."""
    exemplar_lr: float = 0.1
    """Learning rate with a class for every image, whose gradients are that much smaller."""
    momentum: float = 0.0
    """Momentum."""
    epochs: int = 80
    """Visits of each image."""
    batch_size: int = 50
    """Images per step, a divisor of the number of images: every epoch visits each."""
    looks: int = 8
    """Times, equally spaced, at which the loss is differentiated; an average over them is reported."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for field, value in _FIXED.items():
            if getattr(self, field) != value:
                raise ValueError(
                    f"--{field.replace('_', '-')} must be {value!r} in sensitivity, which differentiates plain SGD; "
                    f"got {getattr(self, field)!r}"
                )
        for field, allowed in (("inputs", INPUTS), ("settings", SETTINGS)):
            chosen = getattr(self, field)
            if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(allowed):
                raise ValueError(f"--{field} must be out of {', '.join(allowed)}, each once; got {chosen}")
        if self.side < 1:
            raise ValueError(f"--side must be at least 1; got {self.side}")
        if not 1 <= self.looks <= self.epochs:
            raise ValueError(f"--looks must be in [1, {self.epochs}], the epochs; got {self.looks}")
        for field in ("lr", "exemplar_lr"):
            if not 0 < getattr(self, field) < float("inf"):
                raise ValueError(f"--{field.replace('_', '-')} must be positive; got {getattr(self, field)}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"--momentum must be in [0, 1); got {self.momentum}")

    @property
    def extensible(self) -> bool:
        """False: more epochs have other times to look at."""
        return False

    def look_epochs(self) -> list[int]:
        """The epochs after which the loss is differentiated, the last one at the end."""
        return [round(self.epochs * look / self.looks) for look in range(1, self.looks + 1)]


def sensitivity(
    config: SensitivityConfig | None = None,
    *,
    model: str | None = None,
    data: str | ImageBank | None = None,
    **fields: Any,
) -> Run:
    """Trains the networks and differentiates their trainings, or goes on with it, and returns the run folder.

    Args:
        config: the options; or give its fields as keywords (they win over `config`).
        model: a network's name.
        data: a data set's name, or a bank of your own.
        **fields: fields of `SensitivityConfig`.

    Returns:
        The finished run; sensitivity.csv and sensitivity_classes.csv hold Gini coefficients and per-class matrices,
        `.examples` a sensitivity per image and condition (docs/experiments/sensitivity.md).

    Raises:
        ValueError: an option that does not fit the data or the network, or too high a learning rate.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; what is measured is saved.

    Example:
        >>> run = rote.experiments.sensitivity(images=200, epochs=20)
        >>> run.summary["gini_real_classes"] - run.summary["gini_random_classes"]
    """
    if isinstance(model, nn.Module):
        raise ValueError("model must be the name of a network, made for small grey images; got a module")
    config = dataclasses.replace(config or SensitivityConfig(), **fields)
    own = data if isinstance(data, ImageBank) else None
    if own is None:
        own = data_sets.load(data or config.data, config.root, size=config.size, decoder=config.decoder)
    start = launch(config, model=model, data=small_grey(own, config.side), taps=None, fields={})
    images = len(start.inputs.image_ids)
    if images % start.config.batch_size:
        raise ValueError(
            f"--batch-size must divide the {images} images, so that every epoch visits each; got "
            f"{start.config.batch_size}"
        )
    if not start.finished:
        with start.place.open(fresh=start.config.fresh) as folder:
            SensitivityRun(start.config, start.inputs, folder).to_the_end()
    return Run(start.place.path)
