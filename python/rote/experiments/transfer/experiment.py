"""`transfer`: what is learnt from random labels that helps elsewhere (Maennel et al. 2020, arXiv 2006.10455).

Networks are trained on random labels of one half of the images. Do their first-layer filters then lie along the
principal components of the images' patches, and does training on the other half go faster from them than from scratch
-- also once the scale of the weights is corrected, or with nothing kept but the covariance of the filters?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import launch
from rote.experiments.transfer.run import TransferRun
from rote.experiments.transfer.starts import STARTS
from rote.metrics.alignment import filters_of
from rote.runs import Run

LABELS = ("true", "random")


@dataclass(frozen=True, kw_only=True)
class TransferConfig(ExperimentConfig):
    """Options of `rote run transfer`."""

    name_of_experiment: ClassVar[str] = "transfer"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Pre-training on random labels: aligned filters, and training elsewhere from them"

    images: int | None = None
    """Images N, the first of a seeded class-balanced order: pre-training has the first half, training the second."""
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "constant"
    """Learning rate over each training; constant, so that curves do not follow the schedule."""
    lr: float = 1e-2
    """Learning rate; at a tenth of it 300 steps hardly move the filters from where they began."""
    epochs: int = 40
    """Visits of each image of the second half."""
    pretrain_epochs: int = 100
    """Visits of each image of the first half."""
    networks: int = 8
    """Networks pre-trained, each with its own initialization and random labels; their filters are pooled."""
    transfer_networks: int = 3
    """How many of them are trained on from; each is compared with training from its own initialization."""
    starts: tuple[Literal["scratch", "random-labels", "rescaled", "covariance"], ...] = STARTS
    """Where training starts: new weights; the pre-trained ones; those rescaled to the l2 norms that each weight tensor
    had at first; or new weights with Gaussian first-layer filters of the learnt covariance."""
    tasks: tuple[Literal["true", "random"], ...] = LABELS
    """Labels of the second half."""
    transferred: Literal["encoder", "network"] = "encoder"
    """What is taken over: the encoder, below a new projector, or the whole network."""
    evaluations: int = 8
    """Evaluations along each training, evenly spaced; its start is one more."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("pretrain_epochs", "networks", "transfer_networks", "evaluations"):
            if getattr(self, field) < 1:
                raise ValueError(f"--{field.replace('_', '-')} must be at least 1; got {getattr(self, field)}")
        if self.transfer_networks > self.networks:
            raise ValueError(
                f"--transfer-networks must be at most --networks, {self.networks}; got {self.transfer_networks}"
            )
        for field, allowed in (("starts", STARTS), ("tasks", LABELS)):
            chosen = getattr(self, field)
            if not chosen or not set(chosen) <= set(allowed) or len(set(chosen)) != len(chosen):
                raise ValueError(f"--{field} must be out of {', '.join(allowed)}, each once; got {chosen}")
        if self.transferred not in ("encoder", "network"):
            raise ValueError(f"--transferred must be encoder or network; got {self.transferred!r}")
        if self.mixup != "none":
            raise ValueError(f"--mixup is for single trainings; transfer has none; got {self.mixup!r}")
        if self.keep_checkpoints:
            raise ValueError("--keep-checkpoints is for single trainings; transfer trains many networks")

    @property
    def extensible(self) -> bool:
        """False: how long each training lasts is part of what is compared."""
        return False

    def evaluation_epochs(self) -> list[int]:
        """The epochs of the second training after which it is evaluated, 0 and the last among them."""
        count = min(self.evaluations, self.epochs)
        return sorted({round(part * self.epochs / count) for part in range(count + 1)})


def transfer(
    config: TransferConfig | None = None,
    *,
    model: str | None = None,
    data: str | ImageBank | None = None,
    **fields: Any,
) -> Run:
    """Pre-trains on random labels, measures alignment, trains on from there, or goes on where an earlier call stopped.

    Args:
        config: the options; or give its fields as keywords (they win over `config`).
        model: a network's name. Modules of one's own cannot be initialized anew from other seeds.
        data: a data set's name, or a bank of your own.
        **fields: fields of `TransferConfig`.

    Returns:
        The finished run; transfer.csv and alignment.csv are described in docs/experiments.md.

    Raises:
        TypeError: a module of one's own.
        ValueError: an option that does not fit the data or the network; too few filters for a covariance of full rank.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.
        TrainingDiverged: a loss is not finite.

    Example:
        >>> run = rote.experiments.transfer(data="digits", networks=4, transfer_networks=2)
        >>> run.summary["misalignment_init"], run.summary["misalignment"]
    """
    if isinstance(model, nn.Module):
        raise TypeError(f"model must be a network's name, to be built from several seeds; got {type(model).__name__}")
    start = launch(config or TransferConfig(), model=model, data=data, taps=None, fields=fields)
    _check(start.config, start.network, start.num_classes, start.inputs.bank, len(start.inputs.image_ids))
    if not start.finished:
        with start.place.open(fresh=start.config.fresh) as folder:
            TransferRun(start.config, start.inputs, start.place.record["architecture"], folder).to_the_end()
    return Run(start.place.path)


def _check(config: TransferConfig, network: nn.Module, num_classes: int, bank: ImageBank, images: int) -> None:
    if images < 4:
        raise ValueError(f"--images must be at least 4, for there are two halves; got {images}")
    filters, d = filters_of(network).shape
    if filters * config.networks <= d:
        raise ValueError(
            f"a covariance of full rank takes more than {d} filters; got {filters} in each of --networks "
            f"{config.networks}: ask for at least {d // filters + 1} networks, or a larger --width"
        )
    if config.transferred == "network" and num_classes != bank.num_classes:
        raise ValueError(
            f"--transferred network takes the output layer along, so --label-classes must be {bank.num_classes}, the "
            f"classes of the data; got {num_classes}"
        )
