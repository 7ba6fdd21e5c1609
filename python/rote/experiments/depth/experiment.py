"""`depth`: the depth of a network against how fast it memorizes and how well it generalizes.

Networks of several depths are trained on random labels until they know 99 % of them, and on true labels for a fixed
number of epochs; each depth at the best of several learning rates, since no one rate suits all depths. Depths are
compared at equal width and at equal numbers of parameters, with and without normalization.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import launch
from rote.experiments.depth.run import DepthRun
from rote.experiments.inputs.same_class import NAME as SAME_CLASS
from rote.experiments.inputs.validation import divide
from rote.runs import Run
from rote.train import TrainConfig


@dataclass(frozen=True, kw_only=True)
class DepthConfig(ExperimentConfig):
    """Options of `rote run depth`."""

    name_of_experiment: ClassVar[str] = "depth"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Depth: speed of memorizing random labels, and generalization, shallow to deep"

    images: int | None = 1000
    """Train on the first N of a seeded class-balanced order of what is not held out."""
    validation: int = 200
    """Images of the training split that are held out for selection."""
    model: str = "zhang-mlp"
    """Network, one with a depth dial: zhang-mlp (hidden layers and a linear one), convnet, ...; small ones train
    together."""
    depths: tuple[int, ...] = (1, 2, 3, 4, 6, 8)
    """Depth dials of the network, ascending."""
    width: int | None = 64
    """Width dial at equal width, and of the shallowest network at equal parameters."""
    equal: tuple[Literal["width", "parameters"], ...] = ("width", "parameters")
    """What networks of different depth have in common."""
    norms: tuple[Literal["batch", "group", "layer", "none"], ...] = ("batch", "none")
    """Normalizations of the encoder."""
    whiten: bool = True
    """Bring every image to mean 0 and variance 1 first."""
    loss: Literal["mse", "ce"] = "ce"
    """Loss: mean squared error on one-hot labels, or cross-entropy."""
    lr: tuple[float, ...] = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
    """Learning rates, ascending; every depth has its best."""
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "constant"
    """Learning rate over a training."""
    epochs: int = 100
    """Most visits of each image under random labels."""
    true_epochs: int = 30
    """Visits of each image under true labels."""
    batch_size: int = 128
    """Images per step; a last partial batch is dropped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for option, values in (("--depths", self.depths), ("--lr", self.lr)):
            if list(values) != sorted(set(values)) or not values or not 0 < values[0] <= values[-1] < float("inf"):
                raise ValueError(f"{option} must be positive, ascending and distinct; got {values}")
        if len(self.depths) < 2:
            raise ValueError(f"--depths must be at least two, to be compared; got {self.depths}")
        for option, names in (("--equal", self.equal), ("--norms", self.norms)):
            if not names or len(set(names)) < len(names):
                raise ValueError(f"{option} must be distinct names, at least one; got {names}")
        if self.depth is not None:
            raise ValueError("--depth is one depth; depth compares several, --depths")
        if self.width is None:
            raise ValueError("--width must be a number: networks of other depths are made to match it")
        for option, value in (("--validation", self.validation), ("--true-epochs", self.true_epochs)):
            if value < 1:
                raise ValueError(f"{option} must be at least 1; got {value}")
        if self.mixup != "none" or self.augment == SAME_CLASS:
            raise ValueError("--mixup and --augment same-class: an example is to be one image with one label")
        if self.label_classes is not None:
            raise ValueError("--label-classes: random and true labels are compared at equal classes")
        if self.keep_checkpoints:
            raise ValueError("--keep-checkpoints is for single trainings; depth trains many networks")

    def training(self, **changes: Any) -> TrainConfig:
        """The part of the config that the trainer reads; the first learning rate unless another is given."""
        return super().training(**{"lr": self.lr[0], **changes})

    def network_options(self, image_size: Sequence[int]) -> dict[str, Any]:
        """The network whitens its images."""
        return {"whiten": self.whiten}

    @property
    def extensible(self) -> bool:
        """False: the budget is part of what is measured."""
        return False


def depth(
    config: DepthConfig | None = None,
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
        **fields: fields of `DepthConfig`.

    Returns:
        The finished run; `.summary["rows"]` is the table of depth.csv.

    Raises:
        ValueError: an option that does not fit the data or the network.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.

    Example:
        >>> run = rote.experiments.depth(depths=(1, 4), norms=("batch",))
        >>> [(row["depth"], row["epochs_to_99"]) for row in run.summary["rows"]]
    """
    if isinstance(model, nn.Module):
        raise ValueError("model must be the name of a network, whose depth can be chosen; got a module")
    start = launch(config or DepthConfig(), model=model, data=data, taps=None, fields=fields)
    own, inputs = start.config, start.inputs
    parts = divide(inputs.bank, own.images, own.validation, own.seeds().data)
    if not start.finished:
        with start.place.open(fresh=own.fresh) as folder:
            DepthRun(own, inputs, parts, folder, start.num_classes).to_the_end()
    return Run(start.place.path)
