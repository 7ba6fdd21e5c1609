"""`noise`: networks fitted to true, corrupted and random data (Zhang et al. 2017, arXiv 1611.03530).

One network is trained under each of the paper's five conditions, at levels of corruption between true and random, and
on a grid of random crops and weight decay: how fast each is fitted, and what it gives on test images.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import launch
from rote.experiments.noise.cells import CONDITIONS
from rote.experiments.noise.run import NoiseRun
from rote.runs import Run
from rote.train import TrainConfig

# Of the paper: .1 for Inception, .01 for AlexNet and the perceptrons. The residual network has that of the demo code.
_RATES = {"small-inception": 0.1, "wrn-28-1": 0.1}
_OTHER_RATE = 0.01
# Networks that the papers have without normalization.
_PLAIN = ("small-alexnet", "zhang-mlp")


@dataclass(frozen=True, kw_only=True)
class NoiseConfig(ExperimentConfig):
    """Options of `rote run noise`."""

    name_of_experiment: ClassVar[str] = "noise"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Noise: how fast true, corrupted and random data are fitted, and what that leaves"

    model: str = "small-inception"
    """Network: small-inception, small-alexnet, zhang-mlp (--depth 1 or 3), wrn-28-1, closer-look-cnn, ..."""
    norm: Literal["default", "batch", "group", "layer", "none"] = "default"
    """Normalization; by default none for small-alexnet and zhang-mlp, batch for the others."""
    conditions: tuple[str, ...] = CONDITIONS
    """Conditions: true, shuffled-pixels, gaussian, random-pixels, random-labels."""
    levels: tuple[float, ...] = (0.25, 0.5, 0.75)
    """Shares of the images that are corrupted in further trainings."""
    levels_of: Literal["random-labels", "shuffled-pixels", "gaussian", "random-pixels"] = "random-labels"
    """What these levels are of."""
    label_noise: Literal["coin", "redraw"] = "coin"
    """Each label redrawn by a coin of its own, as in the paper, or an exact share of them."""
    grid: bool = False
    """Train with and without random crops and weight decay as well, on true and on random labels."""
    grid_weight_decay: float = 5e-4
    """Weight decay of that grid; the paper does not state its own."""
    crop: int | None = None
    """Side of the crop in pixels; 28 of 32 by default, and as much of other sizes."""
    whiten: bool = True
    """Bring every image to mean 0 and variance 1, as in the paper."""
    threshold: float = 0.1
    """Training loss by which the order of fitting is told."""
    evaluations: int = 4
    """Evaluations of each training, evenly spaced, the last at its end."""
    loss: Literal["mse", "ce"] = "ce"
    """Loss: mean squared error on one-hot labels, or cross-entropy."""
    optimizer: Literal["adam", "sgd", "lars", "muon"] = "sgd"
    """Optimizer."""
    lr: float | None = None
    """Learning rate; by default .1 for small-inception and wrn-28-1, .01 for the others."""
    schedule: Literal["constant", "step", "cosine", "one-cycle", "exponential"] = "exponential"
    """Learning rate over the run; exponential is times --decay after every epoch, as in the paper."""
    decay: float = 0.95
    """Factor of the exponential schedule."""
    epochs: int = 60
    """Visits of each image."""

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = [name for name in self.conditions if name not in CONDITIONS]
        if unknown or len(set(self.conditions)) != len(self.conditions):
            raise ValueError(f"--conditions must be distinct and out of {', '.join(CONDITIONS)}; got {self.conditions}")
        if any(not 0 < level < 1 for level in self.levels) or len(set(self.levels)) != len(self.levels):
            raise ValueError(f"--levels must be distinct shares between 0 and 1, both excluded; got {self.levels}")
        if not (self.conditions or self.levels or self.grid):
            raise ValueError("--conditions, --levels and --grid leave nothing to train; give at least one")
        if self.grid and self.weight_decay != 0:
            raise ValueError(f"--weight-decay must be 0 with --grid, which has its own; got {self.weight_decay}")
        if not self.grid_weight_decay > 0:
            raise ValueError(f"--grid-weight-decay must be positive; got {self.grid_weight_decay}")
        if self.crop is not None and self.crop < 1:
            raise ValueError(f"--crop must be at least 1; got {self.crop}")
        if not self.threshold > 0:
            raise ValueError(f"--threshold must be positive; got {self.threshold}")
        if not 1 <= self.evaluations <= self.epochs:
            raise ValueError(f"--evaluations must be from 1 to --epochs, {self.epochs}; got {self.evaluations}")
        if self.augment != "none" or self.mixup != "none":
            raise ValueError("--augment and --mixup have no place in noise; random crops are those of --grid")
        if self.label_classes is not None:
            raise ValueError("--label-classes must not be given: labels are tested against the true ones")
        if self.keep_checkpoints:
            raise ValueError("--keep-checkpoints is for single trainings; noise trains many networks")

    @property
    def extensible(self) -> bool:
        """False: the last training accuracy and test error are compared at equal steps."""
        return False

    def resolved(self) -> Self:
        """The config with seeds, learning rate and normalization filled in."""
        norm = self.norm if self.norm != "default" else "none" if self.model in _PLAIN else "batch"
        lr = _RATES.get(self.model, _OTHER_RATE) if self.lr is None else self.lr
        return dataclasses.replace(super().resolved(), norm=norm, lr=lr)

    def training(self, **changes: Any) -> TrainConfig:
        """The part of the resolved config that the trainer reads."""
        return ExperimentConfig.training(self.resolved(), **changes)

    def crop_of(self, image_size: Sequence[int]) -> tuple[int, int]:
        """(height, width) of the crop of an image.

        Raises:
            ValueError: the crop is larger than the image.
        """
        if self.crop is None:
            return tuple(max(1, round(side * 7 / 8)) for side in image_size)
        if self.crop > min(image_size):
            raise ValueError(f"--crop must be at most {min(image_size)}, the images' side; got {self.crop}")
        return (self.crop, self.crop)

    def network_options(self, image_size: Sequence[int]) -> dict[str, Any]:
        """The network sees crops, and whitens them."""
        return {"image_size": list(self.crop_of(image_size)), "whiten": self.whiten}

    def evaluation_epochs(self) -> list[int]:
        """Epochs at whose end a training is evaluated."""
        return [round(self.epochs * n / self.evaluations) for n in range(1, self.evaluations + 1)]


def noise(
    config: NoiseConfig | None = None,
    *,
    model: str | None = None,
    data: str | ImageBank | None = None,
    **fields: Any,
) -> Run:
    """Trains the networks, or goes on with it, and returns the run folder.

    Args:
        config: the options; or give its fields as keywords (they win over `config`).
        model: a network's name.
        data: a data set's name, or a bank of your own.
        **fields: fields of `NoiseConfig`.

    Returns:
        The finished run; `.summary["rows"]` is the table of noise.csv, `.examples` holds labels and answers per image
        and training.

    Raises:
        ValueError: an option that does not fit the data or the network.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.

    Example:
        >>> run = rote.experiments.noise(model="zhang-mlp", images=512, epochs=30)
        >>> {row["condition"]: row["steps_to_loss"] for row in run.summary["rows"]}
    """
    if isinstance(model, nn.Module):
        raise ValueError("model must be the name of a network, of which many are trained; got a module")
    start = launch(config or NoiseConfig(), model=model, data=data, taps=None, fields=fields)
    if not start.finished:
        with start.place.open(fresh=start.config.fresh) as folder:
            NoiseRun(start.config, start.inputs, folder, start.num_classes).to_the_end()
    return Run(start.place.path)
