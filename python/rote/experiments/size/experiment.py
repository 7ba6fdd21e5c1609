"""`size`: the size of a network against its memorization of single examples.

(Feldman and Zhang 2020; Lukasik et al. 2023, arXiv 2310.05337.) Networks of each width are trained on random halves of
the images. What a network owes to having seen an example itself is its memorization score; examples whose labels were
redrawn can be known in no other way. How scores move with the width differs from example to example.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import launch
from rote.experiments.inputs.same_class import NAME as SAME_CLASS
from rote.experiments.size.run import SizeRun
from rote.runs import Run


@dataclass(frozen=True, kw_only=True)
class SizeConfig(ExperimentConfig):
    """Options of `rote run size`."""

    name_of_experiment: ClassVar[str] = "size"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Model size: which examples networks of each width know by heart"

    images: int | None = 512
    """Number of images N, even; the first of a seeded class-balanced order. Each network sees half of them."""
    noise: float = 0.2
    """Share of the images whose label is redrawn; redrawn labels may be right by chance."""
    model: str = "mlp"
    """Network: convnet, mlp, ...; small ones train together."""
    widths: tuple[int, ...] = (4, 8, 16, 32, 64)
    """Widths of the networks."""
    replicas: int = 64
    """Networks of each width, R; two and two share a split of the images into halves. A multiple of four."""
    together: int = 16
    """Networks trained at once, even; a bound on memory."""
    loss: Literal["mse", "ce"] = "ce"
    """Loss: mean squared error on one-hot labels, or cross-entropy."""
    lr: float = 3e-3
    """Learning rate, the peak of an annealed schedule."""
    epochs: int = 100
    """Visits of each image of a half."""
    batch_size: int = 64
    """Images per step; a last partial batch is dropped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.noise <= 1:
            raise ValueError(f"--noise must be in [0, 1]; got {self.noise}")
        if not self.widths or any(width < 1 for width in self.widths) or len(set(self.widths)) != len(self.widths):
            raise ValueError(f"--widths must be distinct numbers from 1 on; got {self.widths}")
        # Two pairs in each half of the networks: a reliability needs a score from either.
        if self.replicas < 8 or self.replicas % 4:
            raise ValueError(f"--replicas must be a multiple of four, at least 8; got {self.replicas}")
        if self.together < 2 or self.together % 2:
            raise ValueError(f"--together must be even, at least 2; got {self.together}")
        if self.images is not None and self.images % 2:
            raise ValueError(f"--images must be even, to be halved; got {self.images}")
        if self.mixup != "none" or self.augment == SAME_CLASS:
            raise ValueError(
                "--mixup and --augment same-class show other images than those of a half; size has neither"
            )
        if self.label_classes is not None:
            raise ValueError("--label-classes is a number of random classes; labels that are not redrawn are true ones")
        if self.keep_checkpoints:
            raise ValueError("--keep-checkpoints is for single trainings; size trains many networks")

    @property
    def extensible(self) -> bool:
        """False: more epochs are another measurement."""
        return False


def size(
    config: SizeConfig | None = None,
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
        **fields: fields of `SizeConfig`.

    Returns:
        The finished run; `.summary["rows"]` is the table of size.csv, `.examples` holds a score per image and width.

    Raises:
        ValueError: an option that does not fit the data or the network.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.
        TrainingDiverged: the loss of a network is not finite.

    Example:
        >>> run = rote.experiments.size(widths=(8, 64), replicas=32)
        >>> [row["memorization_mean"] for row in run.summary["rows"]]
    """
    if isinstance(model, nn.Module):
        raise ValueError("model must be the name of a network, whose width can be chosen; got a module")
    start = launch(config or SizeConfig(), model=model, data=data, taps=None, fields=fields)
    if len(start.inputs.image_ids) % 2:
        raise ValueError(f"--images must be even, to be halved; {start.inputs.bank.name} has {len(start.inputs.order)}")
    if not start.finished:
        with start.place.open(fresh=start.config.fresh) as folder:
            SizeRun(start.config, start.inputs, folder, start.num_classes).to_the_end()
    return Run(start.place.path)
