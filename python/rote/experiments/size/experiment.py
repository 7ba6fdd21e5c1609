"""`size`: the size of a network against what it memorizes. Three studies.

memorization  of single examples (Feldman and Zhang 2020; Lukasik et al. 2023, arXiv 2310.05337). Networks of each width
              are trained on random halves of the images. What a network owes to having seen an example itself is its
              memorization score; examples whose labels were redrawn can be known in no other way. How scores move with
              the width differs from example to example.
convergence   epochs until all images are fitted, against width and number of images, on real data and under noise
              (arXiv 1706.05394, figure 6)
noise         accuracy on held-out images against width, with noise among the images trained on (figure 5)
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import Launch, launch
from rote.experiments.inputs.same_class import NAME as SAME_CLASS
from rote.experiments.size.convergence import ConvergenceStudy
from rote.experiments.size.noise import INPUTS, LABELS
from rote.experiments.size.noisy_capacity import NoiseStudy
from rote.experiments.size.run import SizeRun
from rote.runs import Run
from rote.train import TrainConfig

MEMORIZATION, CONVERGENCE, NOISE = "memorization", "convergence", "noise"
_STUDIES = {MEMORIZATION: SizeRun, CONVERGENCE: ConvergenceStudy, NOISE: NoiseStudy}
# Options that came with the other studies; a run of the first one is what it was without them.
_OF_OTHER_STUDIES = ("study", "kinds", "levels", "counts", "networks", "validation_images", "tie")


@dataclass(frozen=True, kw_only=True)
class SizeConfig(ExperimentConfig):
    """Options of `rote run size`."""

    name_of_experiment: ClassVar[str] = "size"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Model size: which examples networks of each width know by heart; size against noise"

    study: Literal["memorization", "convergence", "noise"] = "memorization"
    """What is asked: memorization of single examples; epochs until everything is fitted; held-out accuracy under
    noise. Options below name the study they are of."""
    images: int | None = 512
    """Number of images N; the first of a seeded class-balanced order. Memorization: even, each network sees half."""
    noise: float = 0.2
    """Memorization: share of the images whose label is redrawn; redrawn labels may be right by chance."""
    kinds: tuple[Literal["inputs", "labels"], ...] = (INPUTS, LABELS)
    """Convergence, noise: noisy images are Gaussian noise with their own label, or themselves with a redrawn one."""
    levels: tuple[float, ...] = (0.25, 0.5)
    """Convergence, noise: shares of noisy images, ascending; real data are always there."""
    counts: tuple[int, ...] = ()
    """Convergence: numbers of images at the width --width, ascending, N among them; N/8, N/4, N/2, N by default."""
    networks: int = 2
    """Convergence, noise: networks of each width and condition, each with its own initialization and order."""
    validation_images: int = 500
    """Noise: held-out images, the next of the order with true labels, by which the best width is told."""
    tie: float = 0.01
    """Noise: difference in accuracy that tells no widths apart; the smallest of them is the best."""
    model: str = "mlp"
    """Network: convnet, mlp, ...; small ones train together."""
    widths: tuple[int, ...] = (4, 8, 16, 32, 64)
    """Widths of the networks."""
    replicas: int = 64
    """Memorization: networks of each width, R; two and two share a split of the images into halves. A multiple of 4."""
    together: int = 16
    """Networks trained at once, even; a bound on memory."""
    loss: Literal["mse", "ce"] = "ce"
    """Loss: mean squared error on one-hot labels, or cross-entropy."""
    lr: float = 3e-3
    """Learning rate, the peak of an annealed schedule."""
    schedule: Literal["constant", "step", "cosine", "one-cycle"] | None = None
    """Learning rate over the run: cosine by default; constant of convergence, whose times would be the schedule's."""
    epochs: int = 100
    """Visits of each image that a network trains on; of convergence the most."""
    batch_size: int = 64
    """Images per step; a last partial batch is dropped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.noise <= 1:
            raise ValueError(f"--noise must be in [0, 1]; got {self.noise}")
        if not self.widths or any(width < 1 for width in self.widths) or len(set(self.widths)) != len(self.widths):
            raise ValueError(f"--widths must be distinct numbers from 1 on; got {self.widths}")
        if self.together < 2 or self.together % 2:
            raise ValueError(f"--together must be even, at least 2; got {self.together}")
        if self.study == MEMORIZATION:
            self._check_memorization()
        else:
            self._check_noise()
        if self.mixup != "none" or self.augment == SAME_CLASS:
            raise ValueError(
                "--mixup and --augment same-class show other images than those of a half; size has neither"
            )
        if self.label_classes is not None:
            raise ValueError("--label-classes is a number of random classes; labels that are not redrawn are true ones")
        if self.keep_checkpoints:
            raise ValueError("--keep-checkpoints is for single trainings; size trains many networks")

    def _check_memorization(self) -> None:
        # Two pairs in each half of the networks: a reliability needs a score from either.
        if self.replicas < 8 or self.replicas % 4:
            raise ValueError(f"--replicas must be a multiple of four, at least 8; got {self.replicas}")
        if self.images is not None and self.images % 2:
            raise ValueError(f"--images must be even, to be halved; got {self.images}")

    def _check_noise(self) -> None:
        if self.study not in _STUDIES:
            raise ValueError(f"--study must be one of {', '.join(_STUDIES)}; got {self.study!r}")
        for field in ("networks", "validation_images"):
            if getattr(self, field) < 1:
                raise ValueError(f"--{field.replace('_', '-')} must be at least 1; got {getattr(self, field)}")
        if not self.kinds or not set(self.kinds) <= {INPUTS, LABELS} or len(set(self.kinds)) < len(self.kinds):
            raise ValueError(f"--kinds must be distinct ones out of {INPUTS}, {LABELS}; got {self.kinds}")
        most = 1.0 if self.study == CONVERGENCE else 0.95
        if not self.levels or list(self.levels) != sorted(set(self.levels)):
            raise ValueError(f"--levels must be ascending shares; got {self.levels}")
        if not (self.levels[0] > 0 and self.levels[-1] <= most):
            raise ValueError(f"--levels must be above 0 and at most {most:g}; got {self.levels}")
        if list(self.counts) != sorted(set(self.counts)) or any(count < 2 for count in self.counts):
            raise ValueError(f"--counts must be ascending numbers of images from 2 on; got {self.counts}")
        if not 0 <= self.tie < 1:
            raise ValueError(f"--tie must be in [0, 1); got {self.tie}")
        if self.study == CONVERGENCE and self.schedule not in (None, "constant"):
            raise ValueError(
                f"--schedule must be constant with --study convergence, since times of fitting under an annealed rate "
                f"are those of the schedule; got {self.schedule}"
            )

    def resolved(self) -> Self:
        """The config with every seed and the schedule filled in."""
        return dataclasses.replace(super().resolved(), schedule=self._schedule)

    def training(self, **changes: Any) -> TrainConfig:
        """The part of the config that the trainer reads."""
        return super().training(**{"schedule": self._schedule, **changes})

    @property
    def _schedule(self) -> str:
        return self.schedule or ("constant" if self.study == CONVERGENCE else "cosine")

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values; those of the other studies are left out of a run of memorization."""
        fields = super().as_dict()
        return {k: v for k, v in fields.items() if self.study != MEMORIZATION or k not in _OF_OTHER_STUDIES}

    @property
    def width_of_counts(self) -> int:
        """The width at which the number of images is varied: --width, or the middle one of --widths."""
        return self.width or sorted(self.widths)[len(self.widths) // 2]

    def counts_up_to(self, images: int) -> tuple[int, ...]:
        """The numbers of images that are varied, of so many that there are."""
        return self.counts or tuple(sorted({max(2, images // part) for part in (8, 4, 2, 1)}))

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
        The finished run; `.summary["rows"]` is the table of size.csv, `.examples` holds a score per image and width;
        of the other studies it is that of convergence.csv or noise_capacity.csv.

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
    _check_data(start)
    if not start.finished:
        with start.place.open(fresh=start.config.fresh) as folder:
            study = _STUDIES[start.config.study]
            study(start.config, start.inputs, folder, start.num_classes).to_the_end()
    return Run(start.place.path)


def _check_data(start: Launch[SizeConfig]) -> None:
    config, name = start.config, start.inputs.bank.name
    count, there = len(start.inputs.image_ids), len(start.inputs.order)
    if config.study == MEMORIZATION and count % 2:
        raise ValueError(f"--images must be even, to be halved; {name} has {there}")
    if config.study == CONVERGENCE and config.counts and config.counts[-1] != count:
        raise ValueError(f"--counts must end with the number of images, {count}; got {config.counts}")
    if config.study == NOISE and count + config.validation_images > there:
        raise ValueError(
            f"--images and --validation-images together must be at most {there}, the training images of {name}; got "
            f"{count + config.validation_images}"
        )
