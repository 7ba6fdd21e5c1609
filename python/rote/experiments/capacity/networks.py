"""The networks and pools that a capacity run is made of."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING

from torch import Tensor, nn

from rote.experiments.capacity.collisions import Collisions, pool_collisions
from rote.experiments.capacity.pool_training import Pool
from rote.experiments.inputs.loading import Inputs, architecture, build_model
from rote.train import LabelSource, TrainConfig, TrainingStream, random_labels

if TYPE_CHECKING:
    from rote.experiments.capacity import CapacityConfig


class Material:
    """Makes networks, pools and streams of samples out of a config.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        network: the network at its initialization.
        own_model: whether that is a module of the caller's own, which has no dials.
        num_classes: classes of the labels.
    """

    def __init__(
        self, config: CapacityConfig, inputs: Inputs, network: nn.Module, own_model: bool, num_classes: int
    ) -> None:
        self.config = config
        self.inputs = inputs
        self.num_classes = num_classes
        self._network = network
        self._own_model = own_model

    def network(self, width: int | None, depth: int | None) -> nn.Module:
        """A network at its initialization."""
        if self._own_model:
            return copy.deepcopy(self._network)
        config = dataclasses.replace(self.config, width=width, depth=depth)
        return build_model(architecture(config, self.inputs.bank, self.num_classes), None, None, self.inputs.bank)

    def parameters(self, width: int | None, depth: int | None) -> int:
        """Number of its parameters."""
        return sum(parameter.numel() for parameter in self.network(width, depth).parameters())

    @property
    def batch_size(self) -> int:
        """Samples per step of the grid: `--batch-size`, or the N images where there are fewer."""
        return min(self.config.batch_size, len(self.inputs.image_ids))

    def image_ids(self, images: int) -> Tensor:
        """int64 [images], the first ones of the seeded class-balanced order."""
        return self.inputs.order[:images]

    def pool(self, images: int, views: int, mode: str) -> Pool:
        """N x B samples; with mode "same" the views of an image share a label, with "random" each has its own."""
        ids, seeds = self.image_ids(images), self.config.seeds()
        if mode == "random":
            labels = LabelSource.per_view(seeds.label, self.num_classes)
        else:
            drawn = random_labels(ids, self.num_classes, seeds.label)
            labels = LabelSource.fixed(drawn, num_classes=self.num_classes, image_ids=ids)
        return Pool(self.inputs.bank.train.images, ids, views, labels, self.inputs.recipe, seeds.view)

    def collisions(self, pool: Pool) -> Collisions:
        """How many different views a pool holds."""
        size = self.inputs.bank.image_size
        return pool_collisions(
            self.inputs.recipe, pool.labels, pool.image_ids, pool.views, seed=pool.view_seed, image_size=size
        )

    def stream(self, pool: Pool, batch_size: int) -> TrainingStream:
        """The training samples of a pool."""
        return TrainingStream(
            pool.images, pool.image_ids, pool.labels, pool.recipe, batch_size, self.config.seeds(), pool.views
        )

    def trainings(self) -> list[TrainConfig]:
        """How a pool is trained, at each learning rate."""
        return [self.config.training(lr=lr) for lr in self.config.lr]
