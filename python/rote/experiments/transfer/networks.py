"""The networks of a `transfer` run: new ones, pre-trained ones, and those that a training starts from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rote import models
from rote.experiments.inputs.loading import Inputs
from rote.experiments.transfer.results import Cell
from rote.experiments.transfer.starts import (
    COVARIANCE,
    RANDOM_LABELS,
    RESCALED,
    SCRATCH,
    rescaled,
    taken_over,
    with_gaussian_filters,
)
from rote.metrics.alignment import (
    covariance,
    eigenbasis,
    filters_of,
    first_layer,
    misalignment,
    patch_covariance,
    random_basis,
)
from rote.runs import RunFolder
from rote.train import Seeds, load_weights

if TYPE_CHECKING:
    from rote.experiments.transfer import TransferConfig

INIT, FINAL = "init", "final"
RANDOM_BASES = 16


class Networks:
    """Networks by number, and their first-layer filters.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        architecture: arguments of `rote.models.build`, of the networks that are pre-trained.
        folder: the open run folder.
    """

    def __init__(
        self, config: TransferConfig, inputs: Inputs, architecture: Mapping[str, Any], folder: RunFolder
    ) -> None:
        self.config = config
        self.inputs = inputs
        self.architecture = architecture
        self.folder = folder
        self._filter_covariance: dict[str, Tensor] = {}

    def seeds(self, network: int) -> Seeds:
        """Those of one network: the data's stay, all others move on."""
        seeds = self.config.seeds()
        moved = {name: (getattr(seeds, name) + network) % 2**64 for name in ("label", "init", "order", "view")}
        return dataclasses.replace(seeds, **moved)

    def initial(self, network: int, num_classes: int | None = None) -> nn.Module:
        """A network at its initialization; with other classes than those of pre-training where they are given."""
        changes = {"seed": self.seeds(network).init}
        if num_classes is not None:
            changes["num_classes"] = num_classes
        return models.build(**{**self.architecture, **changes})

    def weights_file(self, network: int) -> Path:
        """Where the weights of a pre-trained network lie."""
        return self.folder.checkpoints / f"pretrained-{network}.safetensors"

    def learnt(self, network: int) -> nn.Module:
        """A pre-trained network."""
        model = self.initial(network)
        load_weights(self.weights_file(network), model)
        return model

    def start(self, cell: Cell) -> nn.Module:
        """The network that a training starts from; `alignment` has been called."""
        classes = self.inputs.bank.num_classes
        new = self.initial(cell.network, classes)
        if cell.start == SCRATCH:
            return new
        if cell.start == COVARIANCE:
            return with_gaussian_filters(new, self._filter_covariance[FINAL], self.seeds(cell.network).init)
        learnt = taken_over(new, self.learnt(cell.network), self.config.transferred)
        if cell.start == RANDOM_LABELS:
            return learnt
        assert cell.start == RESCALED
        return rescaled(learnt, self.initial(cell.network, classes))

    def alignment(self, image_ids: Tensor) -> list[dict[str, Any]]:
        """Misalignment of the pooled filters with the patches of images, and with random bases."""
        networks = range(self.config.networks)
        patches = patch_covariance(self.inputs.bank.train.images, image_ids, first_layer(self.initial(0)))
        basis = eigenbasis(patches)
        generator = torch.Generator().manual_seed(self.config.seeds().init)
        random = [random_basis(len(basis), generator) for _ in range(RANDOM_BASES)]
        rows = []
        for moment, build in ((INIT, self.initial), (FINAL, self.learnt)):
            filters = torch.cat([filters_of(build(network)) for network in networks])
            self._filter_covariance[moment] = covariance(filters)
            by_chance = [misalignment(self._filter_covariance[moment], other) for other in random]
            rows.append(
                {
                    "moment": moment,
                    "misalignment": misalignment(self._filter_covariance[moment], basis),
                    "misalignment_random_basis": sum(by_chance) / len(by_chance),
                    "filters": len(filters),
                    "dimension": len(basis),
                    "networks": self.config.networks,
                }
            )
        return rows
