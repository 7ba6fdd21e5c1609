"""`benign`: does a network that memorizes random labels learn good features? (arXiv 2210.14019, E1 and E2)

One run is one condition: labels random, true or fresh, under one augmentation recipe. Probes on raw pixels, at
initialization, along training and at the end tell what was learnt on the way; conditions are compared between runs of
equally many steps.
"""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.launch import Launch, launch
from rote.experiments.base.shared_folder import shared_folder
from rote.experiments.benign.replicas import BenignReplicas
from rote.experiments.benign.run import BenignRun
from rote.experiments.inputs.labels import EXEMPLAR, FRESH, RANDOM, TRUE
from rote.runs import Run
from rote.train import torchrun_processes


@dataclass(frozen=True, kw_only=True)
class BenignConfig(ExperimentConfig):
    """Options of `rote run benign`."""

    name_of_experiment: ClassVar[str] = "benign"
    semantics: ClassVar[int] = 2
    title: ClassVar[str] = "Random labels under augmentation: memorized, and what is learnt on the way?"

    labels: Literal["random", "true", "fresh", "exemplar"] = "random"
    """Labels to train on: one random draw per image, the true ones, a new draw at every visit (the control), or a class
    of its own for every image (the limit of many label classes)."""
    noise: float = 1.0
    """Share of the images whose true label is redrawn, with random labels; redrawn labels may be right by chance."""
    views: int | None = None
    """Size B of the pool of views of each image; a new view at every visit by default."""
    same_class_images: int | None = None
    """With `--augment same-class`: real images of its class that stand for each image; all that are left by default."""
    lr: float = 1e-3
    """Learning rate, the peak of an annealed schedule."""
    schedule: Literal["constant", "cosine", "one-cycle"] = "one-cycle"
    """Learning rate over the run. One-cycle starts low: un-augmented labels are memorized before large steps harm the
    features. A constant-rate run can be extended by more epochs."""
    evaluations: int = 6
    """Evaluations along training, evenly spaced; initialization is one more."""

    replicas: int = 1
    """Train the runs of so many seeds at once, from `--seed` on; each has a folder of its own, as if run alone."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.replicas < 1:
            raise ValueError(f"--replicas must be at least 1; got {self.replicas}")
        if self.replicas > 1 and self.name is not None:
            raise ValueError("--name is the name of one folder; --replicas makes several")
        if self.labels not in (RANDOM, TRUE, FRESH, EXEMPLAR):
            raise ValueError(f"--labels must be random, true, fresh or exemplar; got {self.labels!r}")
        if not 0 <= self.noise <= 1:
            raise ValueError(f"--noise must be in [0, 1]; got {self.noise}")
        if self.noise != 1 and self.labels != RANDOM:
            raise ValueError(f"--noise is a dial of random labels; got --labels {self.labels}")
        if self.noise != 1 and self.label_classes is not None:
            raise ValueError("--label-classes is a number of random classes; with --noise some labels are true ones")
        if self.views is not None and self.views < 1:
            raise ValueError(f"--views must be at least 1; got {self.views}")
        if self.same_class_images is not None and (self.same_class_images < 1 or not self.shows_same_class):
            raise ValueError("--same-class-images must be at least 1 and goes with --augment same-class")
        if self.mixup != "none" and self.shows_same_class:
            raise ValueError("--mixup stands behind a recipe's operations; --augment same-class has none")
        if self.evaluations < 1:
            raise ValueError(f"--evaluations must be at least 1; got {self.evaluations}")
        if self.labels in (TRUE, EXEMPLAR) and self.label_classes is not None:
            raise ValueError(f"--label-classes is a number of random classes; got --labels {self.labels}")

    @property
    def shows_same_class(self) -> bool:
        """Whether real images of its class stand for an image."""
        return self.augment == "same-class"

    def num_label_classes(self, images: int, data_classes: int) -> int:
        """Classes of the labels trained on."""
        return images if self.labels == EXEMPLAR else super().num_label_classes(images, data_classes)

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

    Under torchrun all processes train one network, each on its rows of every batch; the first one writes the folder.

    Args:
        config: the options; or give its fields as keywords (they win over `config`).
        model: a network's name, or a module of your own, [B, C, H, W] in [0, 1] -> logits, trained in place.
        data: a data set's name, or a bank of your own.
        taps: with an own module, the submodules to probe, in depth order; the last one is the headline layer.
        **fields: fields of `BenignConfig`.

    Returns:
        The finished run: `.metrics`, `.examples`, `.summary`, `.model`, `.dir`. With replicas, that of the first seed.

    Raises:
        ValueError: an option that does not fit the data or the network.
        RunMismatch, RunLocked: the run folder is another run's, or in use.
        Stopped: Ctrl-C; the state is saved.
        TrainingDiverged: the loss is not finite.

    Example:
        >>> result = rote.experiments.benign(data="digits", images=512, augment="digits", epochs=60)
        >>> result.summary["verdict"]
    """
    asked = dataclasses.replace(config or BenignConfig(), **fields)
    processes = torchrun_processes(asked.training().resolved_device())
    if asked.replicas > 1:
        if processes is not None:
            raise ValueError(f"--replicas must be 1 under torchrun; got {asked.replicas}")
        return replicated(asked, model=model, data=data, taps=taps)
    start = launch(asked, model=model, data=data, taps=taps, fields={})
    if start.finished:
        return Run(start.place.path, model=_with_weights(start) if start.own_model else None)
    with shared_folder(start.place, processes, fresh=start.config.fresh) as folder:
        BenignRun(start.config, start.inputs, start.network, folder, start.num_classes, processes).to_the_end()
    return Run(start.place.path, model=start.network.eval())


def replicated(
    config: BenignConfig, *, model: str | nn.Module | None, data: str | ImageBank | None, taps: list[str] | None
) -> Run:
    """The runs of consecutive seeds, trained as one; returns that of the first seed.

    Raises:
        ValueError: a module of the caller's own, which has one initialization for all seeds.
    """
    if isinstance(model, nn.Module):
        raise ValueError(
            "--replicas wants a network by name; a module of your own has one initialization for all seeds"
        )
    starts: list[Launch[BenignConfig]] = []
    for seed in range(config.seed, config.seed + config.replicas):
        alone = dataclasses.replace(config, seed=seed, replicas=1)
        bank = starts[0].inputs.bank if starts else data
        starts.append(launch(alone, model=model, data=bank, taps=taps, fields={}))
    if not all(start.finished for start in starts):
        with ExitStack() as stack:
            folders = [stack.enter_context(start.place.open(fresh=start.config.fresh)) for start in starts]
            for start, folder in zip(starts, folders, strict=True):
                if not start.finished:  # a run that is extended has a summary of its shorter self
                    folder.remove_summary()
            while not all(folder.summary() for folder in folders):
                BenignReplicas(starts, folders).to_the_end()
    return Run(starts[0].place.path)


def _with_weights(start: Launch[BenignConfig]) -> nn.Module:
    from rote.train import load_weights

    load_weights(start.place.path / "checkpoints" / "final.safetensors", start.network)
    return start.network.eval()
