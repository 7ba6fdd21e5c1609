"""What an experiment starts from: images, recipe and network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from rote import data, models
from rote.augment import Recipe
from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.inputs.own_model import TappedModel
from rote.experiments.inputs.same_class import SameClass
from rote.experiments.inputs.view_source import view_source


@dataclass(frozen=True)
class Inputs:
    """The data and the recipe of a config.

    Attributes:
        bank: the data set.
        order: int64 [M], the seeded class-balanced order of all training images.
        image_ids: int64 [N], the images trained on, the first N of it.
        recipe: the augmentation, or what stands for it.
        fingerprint: of the data, for the run's identity.
    """

    bank: ImageBank
    order: Tensor
    image_ids: Tensor
    recipe: Recipe | SameClass
    fingerprint: str = field(repr=False)

    @property
    def label_true(self) -> Tensor:
        """int64 [N], the true labels of the images trained on."""
        return self.bank.train.labels[self.image_ids]


def load_inputs(config: ExperimentConfig, bank: ImageBank | None = None) -> Inputs:
    """Loads the data (unless a bank is given) and picks the images and the recipe.

    Raises:
        ValueError: more images asked for than there are, an unknown recipe, or no test images.
        FileNotFoundError: the data is not there.
    """
    if bank is None:
        bank = data.load(config.data, config.root, size=config.size, decoder=config.decoder)
    total = len(bank.train)
    if config.images is not None and config.images > total:
        raise ValueError(f"--images must be at most {total}, the training images of {bank.name}; got {config.images}")
    if len(bank.test) == 0:
        raise ValueError(f"{bank.name} has no test images, which the probe asks for")
    if config.k > total:
        raise ValueError(f"--k must be at most {total}, the training images of {bank.name}; got {config.k}")
    order = bank.balanced_order(config.seeds().data)
    images = config.images or total
    views = view_source(config, bank, order, images)
    return Inputs(bank, order, order[:images], views, bank.fingerprint())


def architecture(config: ExperimentConfig, bank: ImageBank, num_classes: int) -> dict[str, Any]:
    """The arguments of `rote.models.build`, stored in config.json so that a checkpoint can be opened again."""
    return {
        "name": config.model,
        "in_channels": bank.channels,
        "image_size": list(bank.image_size),
        "num_classes": num_classes,
        "width": config.width,
        "depth": config.depth,
        "projector_width": config.projector_width,
        "norm": config.norm,
        "seed": config.seeds().init,
        **config.network_options(bank.image_size),
    }


def build_model(
    built: Mapping[str, Any], own: nn.Module | None, taps: list[str] | tuple[str, ...] | None, bank: ImageBank
) -> nn.Module:
    """The named network, or the caller's own module with its taps.

    Args:
        built: what `architecture` returned.
        own: the caller's module: float [B, C, H, W] -> logits [B, classes].
        taps: with an own module, the submodules to probe, in depth order.
        bank: the data, whose images it is tried on.

    Raises:
        ValueError: the own module has no layers to probe, or its output is not [B, classes].
    """
    if own is None:
        if taps:
            raise ValueError("taps belong to a module of your own: pass model=module as well")
        return models.build(**built)
    model = TappedModel(own, taps) if taps else own
    if not (hasattr(model, "layers") and hasattr(model, "activations")):
        raise ValueError("a module of your own needs taps=[names of its submodules, in depth order]")
    was_training = model.training
    model.eval()
    with torch.no_grad():
        height, width = bank.image_size
        device = next((p.device for p in model.parameters()), torch.device("cpu"))
        shape = tuple(model(torch.zeros(2, bank.channels, height, width, device=device)).shape)
    model.train(was_training)
    if len(shape) != 2 or shape[1] < built["num_classes"]:
        raise ValueError(
            f"model must map [B, {bank.channels}, {height}, {width}] to logits [B, {built['num_classes']}]; got {shape}"
        )
    return model


def headline_layer(model: nn.Module) -> str:
    """The layer that `probe_accuracy` speaks of: the encoder's output."""
    return getattr(model, "headline_layer", "encoder")
