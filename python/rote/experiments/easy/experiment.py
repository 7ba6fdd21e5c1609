"""`easy`: which examples most networks get right after one epoch.

(Arpit et al. 2017, arXiv 1706.05394, section 3.1 and figures 1 and 2.) Many networks see every image once, each from
another initialization and in another order. Real images are easy or hard for most of them alike; of noise images each
network gets others right. The comparison with random labels says how much of that is in the images alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import launch
from rote.experiments.easy.run import EasyRun
from rote.experiments.inputs.same_class import NAME as SAME_CLASS
from rote.runs import Run

Kind = Literal["real", "randX", "randY"]


@dataclass(frozen=True, kw_only=True)
class EasyConfig(ExperimentConfig):
    """Options of `rote run easy`."""

    name_of_experiment: ClassVar[str] = "easy"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Easy examples: what most networks get right after one epoch"

    kinds: tuple[Kind, ...] = ("real", "randX", "randY")
    """Images and labels as they are; Gaussian noise images under the true labels; real images under random labels."""
    runs: int = 100
    """Networks of each kind, R, even; network r of every kind has the same initialization and order."""
    examples: int = 1000
    """Images asked about, the first of those trained on."""
    together: int = 10
    """Networks trained at once; a bound on memory."""
    filter_model: str = "closer-look-cnn"
    """Network whose first-layer filters are kept, trained once on real images and once under random labels."""
    filter_width: int | None = 32
    """Its width dial; the paper's has 200 filters."""
    filter_epochs: int = 0
    """Epochs of it; 0: no filters."""
    model: str = "zhang-mlp"
    """Network; by default the paper's, hidden layers and a linear one."""
    width: int | None = 512
    """Width of the hidden layers."""
    depth: int | None = 2
    """Number of hidden layers, the depth dial of the network."""
    norm: Literal["batch", "group", "layer", "none"] = "none"
    """Normalization of the encoder."""
    whiten: bool = True
    """Bring every image to mean 0 and variance 1 first."""
    loss: Literal["mse", "ce"] = "ce"
    """Loss: mean squared error on one-hot labels, or cross-entropy."""
    optimizer: Literal["adam", "sgd", "lars", "muon"] = "sgd"
    """Optimizer."""
    lr: float = 1e-2
    """Learning rate."""
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "constant"
    """Learning rate over the run."""
    epochs: int = 1
    """Visits of each image."""
    batch_size: int = 32
    """Images per step; a last partial batch is dropped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.kinds or len(set(self.kinds)) < len(self.kinds):
            raise ValueError(f"--kinds must be distinct ones of real, randX, randY; got {self.kinds}")
        if self.runs < 6 or self.runs % 2:
            raise ValueError(f"--runs must be even, at least 6; got {self.runs}")
        for option, value, least in (
            ("--examples", self.examples, 2),
            ("--together", self.together, 1),
            ("--filter-epochs", self.filter_epochs, 0),
            ("--filter-width", 1 if self.filter_width is None else self.filter_width, 1),
        ):
            if value < least:
                raise ValueError(f"{option} must be at least {least}; got {value}")
        if self.mixup != "none" or self.augment == SAME_CLASS:
            raise ValueError("--mixup and --augment same-class show other images than the one asked about")
        if self.label_classes is not None:
            raise ValueError("--label-classes: the kinds are compared at equal classes, those of the data")
        if self.keep_checkpoints:
            raise ValueError("--keep-checkpoints is for single trainings; easy trains many networks")

    def network_options(self, image_size: Sequence[int]) -> dict[str, Any]:
        """The network whitens its images."""
        return {"whiten": self.whiten}

    @property
    def extensible(self) -> bool:
        """False: more epochs are another measurement."""
        return False


def easy(
    config: EasyConfig | None = None,
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
        **fields: fields of `EasyConfig`.

    Returns:
        The finished run; `.summary["rows"]` is the table of easy.csv, `.examples` holds a rate per image and kind.

    Raises:
        ValueError: an option that does not fit the data or the network.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.
        TrainingDiverged: the loss of a network is not finite.

    Example:
        >>> run = rote.experiments.easy(runs=20, width=32)
        >>> {row["kind"]: row["over_dispersion"] for row in run.summary["rows"]}
    """
    if isinstance(model, nn.Module):
        raise ValueError("model must be the name of a network, which is initialized many times; got a module")
    start = launch(config or EasyConfig(), model=model, data=data, taps=None, fields=fields)
    if start.config.examples > len(start.inputs.image_ids):
        raise ValueError(
            f"--examples must be at most {len(start.inputs.image_ids)}, the images trained on; "
            f"got {start.config.examples}"
        )
    if not start.finished:
        with start.place.open(fresh=start.config.fresh) as folder:
            EasyRun(start.config, start.inputs, folder, start.num_classes).to_the_end()
    return Run(start.place.path)
