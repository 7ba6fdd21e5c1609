"""`csr`: the critical sample ratio while a network fits real data and noise (arXiv 1706.05394, section 4).

A test input is critical when a point close to it is given another class. Networks that fit noise are to have more of
them than networks that fit real data as well as they do: their decision boundaries are denser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import launch
from rote.experiments.csr.conditions import KINDS
from rote.experiments.csr.run import CSRRun
from rote.metrics.lass import ALPHA, BETA, RADIUS
from rote.runs import Run


@dataclass(frozen=True, kw_only=True)
class CSRConfig(ExperimentConfig):
    """Options of `rote run csr`."""

    name_of_experiment: ClassVar[str] = "csr"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Critical samples: how close other answers are, on real data and on noise"

    images: int | None = 1000
    """Number of images N, the first of a seeded class-balanced order."""
    conditions: tuple[Literal["real", "randX", "randY"], ...] = KINDS
    """What is trained on: real data; randX, Gaussian noise in place of images; randY, random labels."""
    shares: tuple[float, ...] = (1.0,)
    """Shares of the training images that are noise under randX, or whose label is redrawn under randY."""
    model: str = "convnet"
    """Network."""
    loss: Literal["mse", "ce"] = "ce"
    """Loss: mean squared error on one-hot labels, or cross-entropy."""
    optimizer: Literal["adam", "sgd", "lars", "muon"] = "sgd"
    """Optimizer."""
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "constant"
    """Learning rate over the run; constant by default, or every curve would follow the schedule."""
    lr: float = 0.01
    """Learning rate."""
    epochs: int = 60
    """Visits of each image."""
    batch_size: int = 50
    """Images per step; a last partial batch is dropped."""
    looks: int = 8
    """Times to look beside the beginning, denser early: epochs whose logarithms are equally spaced."""
    queries: int = 500
    """Test images that accuracy and critical samples are measured on."""
    radius: float = RADIUS
    """Largest change of a pixel, on the scale 0 to 255."""
    alpha: float = ALPHA
    """Step of the search along the sign of the gradient, on that scale."""
    beta: float = BETA
    """Noise of the search, on that scale."""
    iterations: int = 20
    """Iterations of the search; at most, with --fewest-new."""
    fewest_new: int | None = None
    """Stop a search after an iteration that finds fewer new samples, as the authors' routine does with 20."""
    radius_queries: int = 100
    """Of so many of the test images the critical radius is measured at the end of each training; 0 for none."""
    matched: float = 0.9
    """Training accuracy at which noise and real data are compared, interpolated between looks."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.conditions or len(set(self.conditions)) < len(self.conditions):
            raise ValueError(f"--conditions must be out of {', '.join(KINDS)}, each once; got {self.conditions}")
        if unknown := set(self.conditions) - set(KINDS):
            raise ValueError(f"--conditions must be out of {', '.join(KINDS)}; got {', '.join(sorted(unknown))}")
        if not self.shares or len(set(self.shares)) < len(self.shares) or not all(0 < s <= 1 for s in self.shares):
            raise ValueError(f"--shares must be distinct and in (0, 1]; got {self.shares}")
        for field in ("looks", "queries", "iterations"):
            if getattr(self, field) < 1:
                raise ValueError(f"--{field} must be at least 1; got {getattr(self, field)}")
        for field in ("radius", "alpha"):
            if not 0 < getattr(self, field) < 255:
                raise ValueError(f"--{field} must be in (0, 255), on the scale of pixels; got {getattr(self, field)}")
        if not 0 <= self.beta < 255:
            raise ValueError(f"--beta must be in [0, 255), on the scale of pixels; got {self.beta}")
        if self.fewest_new is not None and self.fewest_new < 1:
            raise ValueError(f"--fewest-new must be at least 1; got {self.fewest_new}")
        if self.radius_queries < 0:
            raise ValueError(f"--radius-queries must not be negative; got {self.radius_queries}")
        if not 0 < self.matched <= 1:
            raise ValueError(f"--matched must be in (0, 1]; got {self.matched}")
        if self.augment != "none" or self.mixup != "none":
            raise ValueError("--augment and --mixup must be none: noise is to be fitted as it is")
        if self.label_classes is not None:
            raise ValueError("--label-classes is a number of random classes; true labels stand beside them here")
        if self.keep_checkpoints:
            raise ValueError("--keep-checkpoints is for single trainings; csr trains several networks")

    @property
    def extensible(self) -> bool:
        """False: more epochs have other times to look at."""
        return False

    def look_epochs(self) -> list[int]:
        """The epochs after which is looked: 0, and up to `looks` more, the last one at the end."""
        spaced = (round(self.epochs ** (look / self.looks)) for look in range(1, self.looks + 1))
        return sorted({0, *spaced})


def csr(
    config: CSRConfig | None = None,
    *,
    model: str | None = None,
    data: str | ImageBank | None = None,
    **fields: Any,
) -> Run:
    """Trains the networks and searches for critical samples along the way, or goes on with it.

    Args:
        config: the options; or give its fields as keywords (they win over `config`).
        model: a network's name.
        data: a data set's name, or a bank of your own.
        **fields: fields of `CSRConfig`.

    Returns:
        The finished run; csr.csv holds a row per look, csr_matched.csv the comparison at equal training accuracy,
        queries.parquet the critical radius per test image (docs/experiments/csr.md).

    Raises:
        ValueError: an option that does not fit the data or the network.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.
        TrainingDiverged: the loss of a network is not finite.

    Example:
        >>> run = rote.experiments.csr(images=500, epochs=30)
        >>> run.summary["csr_ratio_randY"]
    """
    if isinstance(model, nn.Module):
        raise ValueError("model must be the name of a network, of which several are trained; got a module")
    start = launch(config or CSRConfig(), model=model, data=data, taps=None, fields=fields)
    if not start.finished:
        with start.place.open(fresh=start.config.fresh) as folder:
            CSRRun(start.config, start.inputs, folder, start.num_classes).to_the_end()
    return Run(start.place.path)
