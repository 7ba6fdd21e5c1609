"""`location`: where in a network memorization sits (arXiv 2105.14602, 2307.09542, 2603.19865).

One paper finds it in the last layers, another in a few neurons anywhere, a third finds generalization left in the
layers of networks that fit noise. Each one's measurements are made here of one and the same network: a `benign` run
of which a share of the labels is redrawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, get_args

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.launch import launch
from rote.experiments.benign import BenignConfig
from rote.experiments.examining.analysis import AnalysisConfig
from rote.experiments.examining.examined import ExaminedRun
from rote.experiments.location.run import LocationRun
from rote.models import POOLINGS
from rote.runs import Run

Part = Literal["rewinding", "retraining", "gradients", "tied", "neurons", "geometry", "latent"]
PARTS: tuple[str, ...] = get_args(Part)
# Of 900 epochs the fifteenth: patterns are half learnt and few wrong labels are fitted.
EARLY_SHARE = 60


@dataclass(frozen=True, kw_only=True)
class LocationConfig(AnalysisConfig):
    """Options of `rote run location`."""

    name_of_experiment: ClassVar[str] = "location"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Where memorization sits: rewinding, gradients, neurons, geometry, latent generalization"

    noise: float = 0.1
    """Share of the images whose true label is redrawn; redrawn labels may be right by chance."""
    parts: tuple[Part, ...] = PARTS
    """What is done."""
    moments: tuple[int, ...] = (0, 5, 15, 30, 60)
    """Epochs at which the network is examined, beside the end; those that it does not reach are left out."""
    early_epoch: int | None = None
    """Epoch that decides about rewinding, one of the moments too; a sixtieth of the epochs by default."""
    test_images: int = 1000
    """Test images that are asked, class-balanced."""
    retrain_epochs: int = 20
    """Visits of each unpermuted image in retraining a part from its initialization."""
    retrain_lr: float = 1e-2
    """Learning rate of that training, SGD at a constant rate."""
    retrain_batch_size: int = 32
    """Images per step of that training."""
    tied_epochs: int = 300
    """Visits of each image in the training with example-tied dropout."""
    tied_fixed: float = 0.2
    """Share of the channels that all examples have in common."""
    tied_mem: float = 0.1
    """Probability that an example keeps one of the other channels."""
    neuron_examples: int = 10
    """Examples of each kind, permuted and not, whose answers are flipped."""
    neuron_batch_size: int = 64
    """Examples in the loss that a flip is to spare, the flipped one among them."""
    neuron_most: int = 50
    """Neurons that are zeroed at most."""
    neuron_noise: float = 0.01
    """Norm of the noise on inputs when neurons are scored, as a share of the input's; 0 is none."""
    neuron_draws: int = 5
    """Draws of that noise over which gradients are averaged."""
    geometry_points: int = 30
    """Images of a manifold at most; the rarest kind of examples sets the number for all."""
    geometry_draws: int = 100
    """Gaussian directions that mean-field theory averages over."""
    pooling: Literal["average", "flatten", "max", "grid2"] = "average"
    """What becomes of the positions of a layer in geometry and probes."""
    linear_c: float = 1.0
    """Inverse strength of the linear probe's penalty, on standardized features (scikit-learn's C)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.labels != "random" or self.label_classes is not None or self.mixup != "none":
            raise ValueError(
                "location asks for labels that are the data's classes, each with one image: it takes --labels random, "
                f"no --label-classes and no --mixup; got {self.labels}, {self.label_classes}, {self.mixup}"
            )
        if self.noise == 0:
            raise ValueError("--noise must be above 0, or there are no wrong labels to be found; got 0")
        unknown = [part for part in self.parts if part not in PARTS]
        if not self.parts or unknown or len(set(self.parts)) != len(self.parts):
            raise ValueError(f"--parts must be out of {', '.join(PARTS)}, each once; got {', '.join(self.parts)}")
        if any(epoch < 0 for epoch in self.moments) or len(set(self.moments)) != len(self.moments):
            raise ValueError(f"--moments must be epochs from 0 on, each once; got {self.moments}")
        if self.early_epoch is not None and not 0 < self.early_epoch < self.epochs:
            raise ValueError(f"--early-epoch must be above 0 and below --epochs {self.epochs}; got {self.early_epoch}")
        if self.pooling not in POOLINGS:
            raise ValueError(f"--pooling must be one of {', '.join(POOLINGS)}; got {self.pooling!r}")
        for field, least in (
            *(("test_images", 1), ("retrain_epochs", 1), ("retrain_batch_size", 1), ("tied_epochs", 1)),
            *(("neuron_examples", 1), ("neuron_batch_size", 1), ("neuron_most", 1), ("neuron_draws", 1)),
            *(("geometry_points", 2), ("geometry_draws", 1)),
        ):
            if getattr(self, field) < least:
                raise ValueError(f"{_option(field)} must be at least {least}; got {getattr(self, field)}")
        for field in ("tied_fixed", "tied_mem"):
            if not 0 < getattr(self, field) <= 1:
                raise ValueError(f"{_option(field)} must be in (0, 1]; got {getattr(self, field)}")
        for field in ("retrain_lr", "linear_c"):
            if not 0 < getattr(self, field) < float("inf"):
                raise ValueError(f"{_option(field)} must be positive; got {getattr(self, field)}")
        if not 0 <= self.neuron_noise < float("inf"):
            raise ValueError(f"--neuron-noise must not be negative; got {self.neuron_noise}")

    @property
    def early(self) -> int:
        """The epoch that decides about rewinding."""
        if self.early_epoch is not None:
            return self.early_epoch
        return min(max(1, round(self.epochs / EARLY_SHARE)), max(self.epochs - 1, 0))

    def earlier(self) -> list[int]:
        """The epochs at which the network is examined before its end, ascending: 0, the early one, the moments."""
        return sorted({0, self.early, *(epoch for epoch in self.moments if epoch < self.epochs)})

    def shortened(self, **changes: Any) -> Self:
        """Without an early epoch of its own, which a shorter run may not reach."""
        return super().shortened(early_epoch=None, **changes)

    def benign(self, **changes: Any) -> BenignConfig:
        """The run that is examined, with the weights of every moment kept."""
        kept = sorted({*self.keep_checkpoints, *self.earlier()})
        return super().benign(**{"keep_checkpoints": tuple(kept), **changes})


def location(
    config: LocationConfig | None = None,
    *,
    model: str | nn.Module | None = None,
    data: str | ImageBank | None = None,
    taps: list[str] | None = None,
    **fields: Any,
) -> Run:
    """Examines a `benign` run with noisy labels, making that run first where it is missing.

    Args:
        config: the options, those of the run among them; or give fields as keywords (they win over `config`).
        model: a network's name, or a module of your own, of which a copy is trained; without the part "tied".
        data: a data set's name, or a bank of your own.
        taps: with an own module, the submodules that are its blocks, in depth order.
        **fields: fields of `LocationConfig`.

    Returns:
        The finished run; a table for every part (docs/experiments/location.md).

    Raises:
        ValueError: an option that does not fit the data or the network, or labels none of which is wrong.
        RunMismatch, RunLocked: a run folder is another run's, or in use.
        Stopped: Ctrl-C; what is measured is saved.

    Example:
        >>> run = rote.experiments.location(data="digits", images=256, epochs=200, parts=("rewinding",))
        >>> run.summary["last_minus_best_other"]
    """
    start = launch(config or LocationConfig(), model=model, data=data, taps=taps, fields=fields)
    images = len(start.inputs.image_ids)
    if start.config.k > images and "latent" in start.config.parts:
        raise ValueError(f"--k must be at most --images {images}, the references of the probes; got {start.config.k}")
    if start.own_model and "tied" in start.config.parts:
        raise ValueError("--parts tied needs a network by name, whose channels are known; leave it out")
    if not start.finished:
        examined = ExaminedRun(start.config.benign(fresh=False), start, model=model, data=data, taps=taps)
        if bool((examined.label_used == examined.label_true).all()):
            raise ValueError(f"--noise {start.config.noise} leaves every one of {images} labels right; take more of it")
        if "retraining" in start.config.parts and bool((examined.label_used != examined.label_true).all()):
            raise ValueError(f"--parts retraining needs a right label; --noise {start.config.noise} left none")
        with start.place.open(fresh=start.config.fresh) as folder:
            LocationRun(start, examined, folder).to_the_end()
    return Run(start.place.path)


def _option(field: str) -> str:
    return "--" + field.replace("_", "-")
