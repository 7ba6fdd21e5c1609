"""The run folder of a config: where it lies, what run it is, and whether that is finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rote.experiments.base.config import ExperimentConfig
from rote.experiments.inputs.loading import Inputs
from rote.experiments.inputs.own_model import module_identity
from rote.runs import CorruptRunFile, RunFolder, RunIdentity, RunMismatch, environment
from rote.runs.folder import CONFIG, SUMMARY, read_json


@dataclass(frozen=True)
class Place:
    """Where a run belongs, and what its config.json says.

    Attributes:
        path: the run folder.
        identity: what the run is.
        fields: the resolved config.
        record: environment, architecture and origin of the data.
    """

    path: Path
    identity: RunIdentity
    fields: Mapping[str, Any]
    record: Mapping[str, Any]

    def finished_run(self, config: ExperimentConfig) -> bool:
        """Whether the folder holds this run, complete, so that there is nothing to do.

        Raises:
            RunMismatch: it holds another run, or this one with more epochs than asked for.
        """
        if config.fresh or not (self.path / SUMMARY).exists():
            return False
        stored = read_json(self.path / CONFIG) if (self.path / CONFIG).exists() else {}
        differences = self.identity.differences(stored.get("identity", {}))
        if differences:
            raise RunMismatch.between(self.path, differences)
        done, asked = read_json(self.path / SUMMARY).get("epochs"), config.epochs
        if not isinstance(done, int):
            raise CorruptRunFile(f"{self.path / SUMMARY} does not say how many epochs it speaks of")
        if done > asked:
            raise RunMismatch(
                f"{self.path} holds this run with {done} epochs, more than --epochs {asked}; "
                "choose another --name or --out, or start over with --fresh"
            )
        return done == asked

    def open(self, *, fresh: bool) -> RunFolder:
        """Opens the folder for writing; see `RunFolder.open`."""
        return RunFolder.open(self.path, self.identity, self.fields, environment=self.record, fresh=fresh)


def place_of(
    config: ExperimentConfig,
    inputs: Inputs,
    built: Mapping[str, Any],
    own: nn.Module | None,
    device: torch.device,
) -> Place:
    """The place of a resolved config."""
    fields = config.as_dict()
    if own is not None:
        fields |= {"model": f"{type(own).__name__}:{module_identity(own)}"}
    identity = RunIdentity.of(
        config.name_of_experiment,
        config.semantics,
        fields,
        data=inputs.fingerprint,
        recipe=inputs.recipe.hash(),
        extensible=config.extensible,
    )
    record = {
        **environment.describe(device),
        "architecture": None if own is not None else dict(built),
        "num_classes": inputs.bank.num_classes,
        "classes": list(inputs.bank.classes),
        "recipe": inputs.recipe.to_dict(),
        "source": inputs.bank.source,
    }
    return Place(Path(config.out) / (config.name or identity.folder_name), identity, fields, record)
