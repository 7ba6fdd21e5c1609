"""`benign`: does a network that memorizes random labels learn good features? (arXiv 2210.14019, E1 and E2)

One run is one condition: labels random, true or fresh, under one augmentation recipe. Probes on raw pixels, at
initialization, along training and at the end tell what was learnt on the way; conditions are compared between runs of
equally many steps.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.benign_run import BenignRun
from rote.experiments.config import ExperimentConfig
from rote.experiments.inputs import architecture, build_model, load_inputs, place_of
from rote.experiments.labels import FRESH, TRUE
from rote.runs import Run


@dataclass(frozen=True, kw_only=True)
class BenignConfig(ExperimentConfig):
    """Options of `rote run benign`."""

    name_of_experiment: ClassVar[str] = "benign"
    semantics: ClassVar[int] = 1
    title: ClassVar[str] = "Random labels under augmentation: memorized, and what is learnt on the way?"

    labels: Literal["random", "true", "fresh"] = "random"
    """Labels to train on: one random draw per image, the true ones, or a new draw at every visit (the control)."""
    lr: float = 1e-3
    """Learning rate, the peak of an annealed schedule."""
    schedule: Literal["constant", "cosine", "one-cycle"] = "one-cycle"
    """Learning rate over the run. One-cycle starts low: un-augmented labels are memorized before large steps harm the
    features. A constant-rate run can be extended by more epochs."""
    evaluations: int = 6
    """Evaluations along training, evenly spaced; initialization is one more."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.labels not in ("random", TRUE, FRESH):
            raise ValueError(f"--labels must be random, true or fresh; got {self.labels!r}")
        if self.evaluations < 1:
            raise ValueError(f"--evaluations must be at least 1; got {self.evaluations}")
        if self.labels == TRUE and self.label_classes is not None:
            raise ValueError("--label-classes is a number of random classes; true labels have those of the data")

    def evaluation_epochs(self) -> list[int]:
        """The epochs after which the network is evaluated, 0 and the last among them."""
        count = min(self.evaluations, self.epochs)
        return sorted({round(part * self.epochs / count) for part in range(count + 1)})


def benign(
    config: BenignConfig | None = None,
    *,
    model: str | nn.Module | None = None,
    data: str | ImageBank | None = None,
    taps: list[str] | None = None,
    **fields: Any,
) -> Run:
    """Trains one condition, or goes on with it where an earlier call stopped, and returns its run folder.

    Args:
        config: the options; or give its fields as keywords (they win over `config`).
        model: a network's name, or a module of your own, [B, C, H, W] in [0, 1] -> logits, trained in place.
        data: a data set's name, or a bank of your own.
        taps: with an own module, the submodules to probe, in depth order; the last one is the headline layer.
        **fields: fields of `BenignConfig`.

    Returns:
        The finished run: `.metrics`, `.examples`, `.summary`, `.model`, `.dir`.

    Raises:
        ValueError: an option that does not fit the data or the network.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.
        TrainingDiverged: the loss is not finite.

    Example:
        >>> result = rote.experiments.benign(data="digits", images=512, augment="digits", epochs=60)
        >>> result.summary["verdict"]
    """
    own_model = model if isinstance(model, nn.Module) else None
    own_bank = data if isinstance(data, ImageBank) else None
    if isinstance(model, str):
        fields["model"] = model
    if data is not None:
        fields["data"] = own_bank.name if own_bank is not None else data
    config = dataclasses.replace(config or BenignConfig(), **fields).resolved()
    device = config.training().resolved_device()
    inputs = load_inputs(config, own_bank)
    num_classes = config.label_classes or inputs.bank.num_classes
    built = architecture(config, inputs.bank, num_classes)
    network = build_model(built, own_model, taps, inputs.bank)
    place = place_of(config, inputs, built, own_model, device)
    if place.finished_run(config):
        return Run(place.path, model=_with_weights(network, place) if own_model is not None else None)
    with place.open(fresh=config.fresh) as folder:
        BenignRun(config, inputs, network, folder, num_classes).to_the_end()
    return Run(place.path, model=network.eval())


def _with_weights(network: nn.Module, place: Any) -> nn.Module:
    from rote.train import load_weights

    load_weights(place.path / "checkpoints" / "final.safetensors", network)
    return network.eval()
