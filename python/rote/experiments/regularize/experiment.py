"""`regularize`: regularizers against memorization (arXiv 1706.05394, section 5, figures 10 and 11).

For every technique at every strength one network is trained on true labels and one on random labels. A technique that
is worth having lowers what is memorized of random labels and leaves the accuracy on true ones alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import launch
from rote.experiments.inputs.same_class import NAME as SAME_CLASS
from rote.experiments.regularize.run import RegularizeRun
from rote.experiments.regularize.settings import COMBINED, TECHNIQUES
from rote.runs import Run

_STRENGTHS = ("dropout", "input_dropout", "input_noise", "hidden_noise", "decays")


@dataclass(frozen=True, kw_only=True)
class RegularizeConfig(ExperimentConfig):
    """Options of `rote run regularize`."""

    name_of_experiment: ClassVar[str] = "regularize"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Regularizers: what they keep from being memorized, and what they cost"

    images: int | None = 1024
    """Number of images N trained on; the first of a seeded class-balanced order."""
    model: str = "mlp"
    """Network; hidden layers are disturbed behind ReLUs that are modules."""
    techniques: tuple[
        Literal["dropout", "input-dropout", "input-noise", "hidden-noise", "weight-decay", "dropout+adversarial"], ...
    ] = TECHNIQUES
    """Techniques, each by itself; the last is two together."""
    dropout: tuple[float, ...] = (0.25, 0.5, 0.75, 0.9)
    """Strengths of dropout: probability of a hidden unit, ascending. Strength 0 is trained once for all techniques."""
    input_dropout: tuple[float, ...] = (0.25, 0.5, 0.75, 0.9)
    """Strengths of input dropout: probability of a value of a pixel."""
    input_noise: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0)
    """Strengths of Gaussian noise on the input, in standard deviations of the training set's pixels."""
    hidden_noise: tuple[float, ...] = (0.05, 0.1, 0.2, 0.3)
    """Strengths of Gaussian noise on hidden units, its standard deviation in their own units."""
    decays: tuple[float, ...] = (1e-3, 1e-2, 1e-1, 1.0)
    """Strengths of weight decay."""
    adversarial: tuple[float, ...] = (0.2, 0.4, 0.55, 0.7)
    """Weight of adversarial points in the loss, in the combination."""
    adversarial_dropout: tuple[float, ...] = (0.03, 0.2, 0.35, 0.5)
    """Dropout in the combination: one for each weight, ascending."""
    adversarial_iterations: int = 5
    """Steps of the search for adversarial points."""
    adversarial_radius: float = 0.3
    """Largest change of a pixel on the scale 0 to 255; the search's step is 0.25 / 0.3 of it, its noise 0.2 / 0.3."""
    placement: Literal["dense", "all"] = "dense"
    """Hidden layers that are disturbed: fully connected ones, or those of convolutions as well."""
    validation_images: int = 1000
    """Images, the next of the order, by which the epoch is selected; not trained on."""
    test_images: int | None = None
    """Test images asked, the first of a seeded class-balanced order; all by default."""
    allowed_cost: float = 0.02
    """Accuracy on true labels that a technique may cost when it is judged by its fall."""
    loss: Literal["mse", "ce"] = "ce"
    """Loss: mean squared error on one-hot labels, or cross-entropy."""
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "constant"
    """Learning rate over the run; constant, so that curves of the loss do not follow the schedule."""
    lr: float = 1e-3
    """Learning rate, the peak of an annealed schedule."""
    epochs: int = 60
    """Visits of each image."""
    batch_size: int = 64
    """Images per step; a last partial batch is dropped."""
    evaluations: int = 10
    """Evaluations along each training, evenly spaced."""

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = [name for name in self.techniques if name not in TECHNIQUES]
        if unknown or not self.techniques or len(set(self.techniques)) < len(self.techniques):
            raise ValueError(
                f"--techniques must be distinct ones out of {', '.join(TECHNIQUES)}; got {self.techniques}"
            )
        for field in (*_STRENGTHS, "adversarial_dropout"):
            values, most = getattr(self, field), 1.0 if "dropout" in field else math.inf
            if not values or list(values) != sorted(set(values)) or not all(0 < value < most for value in values):
                raise ValueError(
                    f"--{field.replace('_', '-')} must be ascending strengths above 0"
                    f"{' and below 1' if most == 1 else ''}; got {values}"
                )
        if len(self.adversarial) != len(self.adversarial_dropout) or not all(0 < w <= 1 for w in self.adversarial):
            raise ValueError(
                f"--adversarial must be weights in (0, 1], one for each --adversarial-dropout; got {self.adversarial} "
                f"for {self.adversarial_dropout}"
            )
        for field in ("adversarial_iterations", "validation_images", "evaluations"):
            if getattr(self, field) < 1:
                raise ValueError(f"--{field.replace('_', '-')} must be at least 1; got {getattr(self, field)}")
        if self.test_images is not None and self.test_images < 1:
            raise ValueError(f"--test-images must be at least 1; got {self.test_images}")
        if not 0 < self.adversarial_radius < 255:
            raise ValueError(f"--adversarial-radius must be in (0, 255); got {self.adversarial_radius}")
        if not 0 <= self.allowed_cost < 1:
            raise ValueError(f"--allowed-cost must be in [0, 1); got {self.allowed_cost}")
        if self.evaluations > self.epochs:
            raise ValueError(f"--evaluations must be at most --epochs, {self.epochs}; got {self.evaluations}")
        if self.execution not in ("auto", "eager"):
            raise ValueError(
                f"--execution must be auto or eager, since regularized networks draw by the samples that a step shows; "
                f"got {self.execution}"
            )
        if self.mixup == "labels":
            raise ValueError("--mixup labels has no label of its own for an image; regularize has none or inputs")
        if self.augment == SAME_CLASS:
            raise ValueError("--augment same-class shows other images than those trained on; regularize has none")
        if self.label_classes is not None:
            raise ValueError("--label-classes is a number of random classes; true labels stand beside them here")
        if self.keep_checkpoints:
            raise ValueError("--keep-checkpoints is for single trainings; regularize trains many networks")

    @property
    def extensible(self) -> bool:
        """False: more epochs are another measurement."""
        return False

    @property
    def combined(self) -> bool:
        """Whether adversarial points are searched for."""
        return COMBINED in self.techniques


def regularize(
    config: RegularizeConfig | None = None,
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
        **fields: fields of `RegularizeConfig`.

    Returns:
        The finished run; `.summary["rows"]` is the table of regularize.csv, `.summary["falls"]` that of falls.csv.

    Raises:
        ValueError: an option that does not fit the data or the network.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.
        TrainingDiverged: the loss of a network is not finite.

    Example:
        >>> run = rote.experiments.regularize(techniques=("dropout",), dropout=(0.5, 0.8), epochs=30)
        >>> run.summary["falls"][0]["fall"]
    """
    if isinstance(model, nn.Module):
        raise ValueError("model must be the name of a network, of which many are trained; got a module")
    start = launch(config or RegularizeConfig(), model=model, data=data, taps=None, fields=fields)
    bank, needed = start.inputs.bank, len(start.inputs.image_ids) + start.config.validation_images
    if needed > len(start.inputs.order):
        raise ValueError(
            f"--images and --validation-images together must be at most {len(start.inputs.order)}, the training images "
            f"of {bank.name}; got {needed}"
        )
    if start.config.test_images is not None and start.config.test_images > len(bank.test):
        raise ValueError(f"--test-images must be at most {len(bank.test)}; got {start.config.test_images}")
    if not start.finished:
        with start.place.open(fresh=start.config.fresh) as folder:
            RegularizeRun(start.config, start.inputs, folder, start.num_classes).to_the_end()
    return Run(start.place.path)
