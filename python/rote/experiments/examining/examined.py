"""The `benign` run that an examination is about: its network at both ends, its images and the labels it was given."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rote import models
from rote.augment import Recipe, parameters
from rote.data import ImageBank
from rote.experiments.base.launch import Launch
from rote.experiments.benign import BenignConfig, benign
from rote.experiments.inputs.loading import headline_layer
from rote.experiments.inputs.same_class import SameClass
from rote.experiments.inputs.view_source import recipe_named
from rote.experiments.probing.probes import probe_statistics
from rote.metrics.features import PIXELS
from rote.runs import Run, RunFolder

INIT, FINAL = "init", "final"
MOMENTS = (INIT, FINAL)


@dataclass(frozen=True)
class Tap:
    """A layer and where it stands.

    Attributes:
        name: of the layer, or "pixels".
        depth: 0 is the pixels.
        part: "pixels", "encoder" (up to the headline layer) or "projector".
    """

    name: str
    depth: int
    part: str


class ExaminedRun:
    """A finished `benign` run and the networks it began and ended with.

    Args:
        config: the run's options.
        start: of the examination: its data and its network at initialization.
        model: the caller's own module, if that is what is trained.
        data: the caller's own bank, if that is what it is trained on.
        taps: with an own module.

    Attributes:
        run: the run.
        image_ids: int64 [N], the images trained on.
        label_used: int64 [N], the labels trained on (of a run with fresh labels: those of the last visit).
        label_classes: number of their classes.
    """

    def __init__(
        self,
        config: BenignConfig,
        start: Launch[Any],
        *,
        model: str | nn.Module | None = None,
        data: str | ImageBank | None = None,
        taps: list[str] | None = None,
    ) -> None:
        own = isinstance(model, nn.Module)
        self.bank = start.inputs.bank
        self.device = config.training().resolved_device()
        # Training is in place; what the network was before stays here.
        initial = copy.deepcopy(start.network) if own else None
        self.run: Run = benign(config, model=copy.deepcopy(model) if own else None, data=self.bank, taps=taps)
        architecture = self.run.record.get("architecture")
        self._networks = {
            INIT: initial if own else models.build(**architecture),
            FINAL: self.run.model if own else self.run.encoder(),
        }
        examples = self.run.examples
        self.image_ids = torch.tensor(examples["id"])
        self.label_used = torch.tensor(examples["label_used"])
        self.label_classes = int(self.run.summary["label_classes"])

    @property
    def label_true(self) -> Tensor:
        """int64 [N]."""
        return self.bank.train.labels.cpu()[self.image_ids]

    def taps(self) -> list[Tap]:
        """The pixels and every layer, in depth order."""
        network = self._networks[FINAL]
        layers = list(network.layers)
        last = layers.index(headline_layer(network))
        inside = [Tap(name, n + 1, "encoder" if n <= last else "projector") for n, name in enumerate(layers)]
        return [Tap(PIXELS, 0, PIXELS), *inside]

    @contextmanager
    def network(self, moment: str, bn: str) -> Iterator[nn.Module]:
        """The network of a moment, in eval mode on the run's device.

        Args:
            moment: "init" or "final".
            bn: its batch-norm statistics inside the block, "recalibrated" on clean images or "running".
        """
        network = self._networks[moment].to(self.device).eval()
        with probe_statistics(network, self.bank.train.images, bn):
            yield network

    def end_of(self, moment: str) -> tuple[int, int]:
        """(step, epoch) of a moment."""
        return (0, 0) if moment == INIT else (int(self.run.summary["steps"]), int(self.run.summary["epochs"]))

    def untouched(self, moment: str) -> nn.Module:
        """A copy of the network of a moment, on the CPU, to train on."""
        return copy.deepcopy(self._networks[moment]).cpu()

    def facts(self) -> dict[str, Any]:
        """What every examination's summary says of the run it is about."""
        summary = self.run.summary
        wanted = (
            *("labels", "noise", "views", "mixup", "norm", "loss", "label_classes", "augment", "data", "images"),
            *("epochs", "steps", "seed", "parameters", "train_accuracy", "train_accuracy_fresh_views"),
        )
        stored = {**self.run.config, **summary}
        return {key: stored[key] for key in wanted if key in stored} | {"benign_run": self.run.dir.name}


def copy_pixels(folder: RunFolder, examined: ExaminedRun, key: Callable[[Mapping[str, Any]], tuple]) -> None:
    """Pixels are no layer of a network: what they give at initialization they give at the end.

    Args:
        folder: the open run folder; the copies go into its metrics.jsonl.
        examined: the run.
        key: tells the measurements of one moment apart.
    """
    lines = folder.metrics.read().select(layer=PIXELS)
    done = {key(line) for line in lines.select(moment=FINAL)}
    step, epoch = examined.end_of(FINAL)
    copies = [
        {**line, "moment": FINAL, "step": step, "epoch": epoch, "seconds": 0.0}
        for line in lines.select(moment=INIT)
        if key(line) not in done
    ]
    if copies:
        folder.metrics.append(copies)


def view_recipe(name: str | None, trained: Recipe | SameClass) -> Recipe | None:
    """The recipe whose views are examined: a named one, or that of training; None where it has no views that differ.

    Operations that mix images are left out, for what they show is no view of one image; and so are other images of the
    class in the place of views.

    Raises:
        ValueError: an unknown name.
    """
    try:
        recipe = trained if name is None else recipe_named(name)
    except ValueError as error:
        raise ValueError(f"--view-recipe takes what --augment does: {error}") from None
    if isinstance(recipe, SameClass):
        return None
    kept = [operation for operation in recipe.operations if not parameters.mixes(operation)]
    return Recipe(*kept, size=recipe.size) if parameters.columns_of(kept) else None
