"""How every experiment begins: from options and the caller's own pieces to data, network and run folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from torch import nn

from rote.data import ImageBank
from rote.experiments.base.config import ExperimentConfig
from rote.experiments.base.place import Place, place_of
from rote.experiments.inputs.loading import Inputs, architecture, build_model, load_inputs

Config = TypeVar("Config", bound=ExperimentConfig)


@dataclass(frozen=True)
class Launch(Generic[Config]):
    """What an experiment starts from.

    Attributes:
        config: the resolved options.
        inputs: data and recipe.
        network: the network at its initialization; the caller's own one where it was given.
        own_model: whether it was.
        num_classes: classes of the labels.
        place: the run folder.
    """

    config: Config
    inputs: Inputs
    network: nn.Module
    own_model: bool
    num_classes: int
    place: Place

    @property
    def finished(self) -> bool:
        """Whether the folder holds this run, complete."""
        return self.place.finished_run(self.config)


def launch(
    default: Config,
    *,
    model: str | nn.Module | None,
    data: str | ImageBank | None,
    taps: list[str] | None,
    fields: Mapping[str, Any],
) -> Launch[Config]:
    """Resolves the options and makes everything that can fail before a run folder is touched.

    Args:
        default: the options.
        model: a network's name, or a module of the caller's own.
        data: a data set's name, or a bank of the caller's own.
        taps: with an own module, the submodules to probe, in depth order.
        fields: fields of the config that win over `default`.

    Raises:
        ValueError: an option that does not fit the data or the network.
    """
    own_model = model if isinstance(model, nn.Module) else None
    own_bank = data if isinstance(data, ImageBank) else None
    fields = dict(fields)
    if isinstance(model, str):
        fields["model"] = model
    if data is not None:
        fields["data"] = own_bank.name if own_bank is not None else data
    config = dataclasses.replace(default, **fields).resolved()
    device = config.training().resolved_device()
    inputs = load_inputs(config, own_bank)
    num_classes = config.num_label_classes(len(inputs.image_ids), inputs.bank.num_classes)
    built = architecture(config, inputs.bank, num_classes)
    network = build_model(built, own_model, taps, inputs.bank)
    place = place_of(config, inputs, built, own_model, device)
    return Launch(config, inputs, network, own_model is not None, num_classes, place)
