"""`trajectories`: the losses of single examples along training, with clean and with wrong labels.

(After figures 7 and 8 of Arpit et al. 2017, arXiv 1706.05394: with noisy labels validation accuracy peaks before the
training labels are fitted.) Networks are trained with several shares of redrawn labels. After every epoch each
example's loss is measured, and accuracy on a validation part whose labels are as noisy as those trained on. On it the
epoch to stop at is selected; its clean labels stand beside as an oracle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import launch
from rote.experiments.inputs.same_class import NAME as SAME_CLASS
from rote.experiments.inputs.validation import divide
from rote.experiments.trajectories.run import TrajectoriesRun
from rote.runs import Run


@dataclass(frozen=True, kw_only=True)
class TrajectoriesConfig(ExperimentConfig):
    """Options of `rote run trajectories`."""

    name_of_experiment: ClassVar[str] = "trajectories"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Trajectories: losses of single examples, clean and wrong labels, early stopping"

    noise: tuple[float, ...] = (0.0, 0.4, 1.0)
    """Shares of the labels that are redrawn in training and validation alike; redrawn labels may be right by chance."""
    networks: int = 2
    """Networks of each share, even: examples are sorted by one half of them and shown in the other."""
    validation: int = 200
    """Images of the training split that are held out for selection."""
    width: int | None = 16
    """Width dial of the network."""
    loss: Literal["mse", "ce"] = "ce"
    """Loss: mean squared error on one-hot labels, or cross-entropy."""
    lr: float = 1e-3
    """Learning rate."""
    schedule: Literal["constant", "step", "cosine", "one-cycle"] = "constant"
    """Learning rate over the run; under an annealed one every curve follows it."""
    epochs: int = 60
    """Visits of each image; a multiple of three, for claims look at a third."""
    batch_size: int = 64
    """Images per step; a last partial batch is dropped."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.noise or any(not 0 <= p <= 1 for p in self.noise) or len(set(self.noise)) < len(self.noise):
            raise ValueError(f"--noise must be distinct shares in [0, 1]; got {self.noise}")
        if self.networks < 2 or self.networks % 2:
            raise ValueError(f"--networks must be even, at least 2; got {self.networks}")
        if self.validation < 1:
            raise ValueError(f"--validation must be at least 1; got {self.validation}")
        if self.epochs % 3:
            raise ValueError(f"--epochs must be a multiple of three; got {self.epochs}")
        if self.mixup != "none" or self.augment == SAME_CLASS:
            raise ValueError("--mixup and --augment same-class: an example is to be one image with one label")
        if self.label_classes is not None:
            raise ValueError("--label-classes is a number of random classes; labels that are not redrawn are true ones")
        if self.keep_checkpoints:
            raise ValueError("--keep-checkpoints is for single trainings; trajectories trains several networks")

    @property
    def extensible(self) -> bool:
        """False: the epoch at a third of the steps moves with their number."""
        return False


def trajectories(
    config: TrajectoriesConfig | None = None,
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
        **fields: fields of `TrajectoriesConfig`.

    Returns:
        The finished run; `.summary["rows"]` has a row for each share of redrawn labels.

    Raises:
        ValueError: an option that does not fit the data or the network.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.
        TrainingDiverged: the loss of a network is not finite.

    Example:
        >>> run = rote.experiments.trajectories(noise=(0.4,), epochs=30)
        >>> run.summary["rows"][0]["test_selected"]
    """
    if isinstance(model, nn.Module):
        raise ValueError("model must be the name of a network, which is initialized several times; got a module")
    start = launch(config or TrajectoriesConfig(), model=model, data=data, taps=None, fields=fields)
    own, inputs = start.config, start.inputs
    parts = divide(inputs.bank, own.images, own.validation, own.seeds().data)
    if not start.finished:
        with start.place.open(fresh=own.fresh) as folder:
            TrajectoriesRun(own, inputs, parts, folder, start.num_classes).to_the_end()
    return Run(start.place.path)
