"""What the two studies of noise share: networks of one width under several conditions, trained together."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from rote.experiments.base.fleet import Fleet
from rote.experiments.base.network_seeds import network_seed
from rote.experiments.inputs.loading import Inputs, architecture, build_model
from rote.experiments.probing.probes import probe_statistics
from rote.experiments.size.noise import Noise, NoisySet
from rote.metrics import clean_accuracy
from rote.train import Seeds

if TYPE_CHECKING:
    from rote.experiments.size.experiment import SizeConfig

# Images shown at once to all networks of a fleet: a bound on memory.
_SHOWN = 256


class Member(NamedTuple):
    """One network: its condition, and which of the networks of that condition it is."""

    noise: Noise
    network: int


class Group(NamedTuple):
    """Networks that are trained together.

    Attributes:
        name: a file name.
        width: of all of them.
        images: N, before any are removed.
        members: the networks.
    """

    name: str
    width: int
    images: int
    members: tuple[Member, ...]


def groups(
    width: int, images: int, noises: Sequence[Noise], networks: int, together: int, more: str = ""
) -> list[Group]:
    """The networks of one width and number of images, at most `together` in a group.

    Conditions in a group have equally many images; `more` tells groups of others apart.
    """
    members = [Member(noise, network) for noise in noises for network in range(networks)]
    return [
        Group(
            f"width={width}_images={images}{more}_{first}-{min(first + together, len(members)) - 1}",
            width,
            images,
            tuple(members[first : first + together]),
        )
        for first in range(0, len(members), together)
    ]


class Studied:
    """Makes the fleets of a run and asks their networks.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        num_classes: classes of the labels.
    """

    def __init__(self, config: SizeConfig, inputs: Inputs, num_classes: int) -> None:
        self.config = config
        self.inputs = inputs
        self.num_classes = num_classes
        self._sets: dict[int, NoisySet] = {}

    def noisy_set(self, images: int) -> NoisySet:
        """The first so many images of the order."""
        if images not in self._sets:
            self._sets[images] = NoisySet(self.config, self.inputs, images, self.num_classes)
        return self._sets[images]

    def network(self, width: int, network: int) -> nn.Module:
        """A network at its initialization, the same under every condition."""
        config = dataclasses.replace(
            self.config, width=width, init_seed=network_seed(self.config.seeds().init, network)
        )
        return build_model(architecture(config, self.inputs.bank, self.num_classes), None, None, self.inputs.bank)

    def parameters(self, width: int) -> int:
        """Number of parameters of a network."""
        return sum(parameter.numel() for parameter in self.network(width, 0).parameters())

    def fleet(self, group: Group, epochs: int, state: Path) -> Fleet:
        """The networks of a group on their streams."""
        noisy_set, own = self.noisy_set(group.images), self.config.seeds()
        streams = []
        for member in group.members:
            seeds = Seeds(own.data, own.label, own.init, network_seed(own.order, member.network), own.view)
            streams.append(noisy_set.stream(member.noise, self.config.batch_size, seeds))
        training = self.config.training(width=group.width, epochs=epochs)
        models = [self.network(group.width, member.network) for member in group.members]
        return Fleet(models, streams, [training] * len(models), state)

    def accuracies(self, fleet: Fleet, group: Group) -> dict[int, float]:
        """Of every active network the clean accuracy on the very images and labels it is trained on, by its number."""
        noisy_set, active = self.noisy_set(group.images), fleet.active
        shown = [noisy_set.of(group.members[index].noise) for index in active]
        if not active:
            return {}
        if not has_batch_norm(fleet.model(active[0])):
            return dict(zip(active, _asked_together(fleet, shown), strict=True))
        found = {}
        for index, (images, labels) in zip(active, shown, strict=True):
            model = fleet.model(index)
            with probe_statistics(model, images, self.config.bn):
                found[index] = clean_accuracy(model, images, labels)
        return found


def has_batch_norm(model: nn.Module) -> bool:
    """Whether the network has statistics to be recalibrated."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())


def _asked_together(fleet: Fleet, shown: Sequence[tuple[Tensor, Tensor]]) -> list[float]:
    """Accuracy of every active network on images of its own, all equally many, in one pass of the fleet."""
    count = len(shown[0][1])
    correct = torch.zeros(len(shown), dtype=torch.int64)
    labels = torch.stack([own for _, own in shown])
    for first in range(0, count, _SHOWN):
        x = torch.stack([images[first : first + _SHOWN] for images, _ in shown]).float() / 255
        answers = fleet.trainer.forward(x).argmax(2).cpu()
        correct += (answers == labels[:, first : first + _SHOWN]).sum(1)
    return [hits / count for hits in correct.tolist()]
