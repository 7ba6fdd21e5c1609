"""Presets: the options that a whole protocol consists of, for every experiment. Options that are given win over them.

A file a preset: `paper`, `quick`, `laptop`. Experiments of other papers (transfer, size, easy, ...) keep their own
protocol under all three, on CIFAR-10 under the first two and where the claims speak of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from rote.experiments.base.config import ExperimentConfig
from rote.experiments.benign import BenignConfig
from rote.experiments.capacity import CapacityConfig
from rote.experiments.presets import laptop, paper, quick

_OPTIONS = {"paper": paper, "quick": quick, "laptop": laptop}
PRESETS = tuple(_OPTIONS)


def preset(name: str, experiment: str) -> ExperimentConfig:
    """The options of an experiment under a preset.

    Args:
        name: "paper", "quick" or "laptop".
        experiment: one of `rote.experiments.CONFIGS`.

    Returns:
        The config; change it by `dataclasses.replace`. Data sets that lie on disk still want their `root`.

    Raises:
        ValueError: no such preset or experiment.

    Example:
        >>> rote.experiments.preset("laptop", "benign").images
        512
    """
    from rote.experiments import CONFIGS

    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}; got {name!r}")
    if experiment not in CONFIGS:
        raise ValueError(f"experiment must be one of {', '.join(CONFIGS)}; got {experiment!r}")
    kind = CONFIGS[experiment]
    # Experiments of other papers keep their own protocol, which is of laptop size.
    of_this_paper = issubclass(kind, BenignConfig | CapacityConfig)
    options = _OPTIONS[name]
    shared = options.SHARED if of_this_paper else {"data": options.DATA_ELSEWHERE}
    return kind(**{**_fitting(kind, shared), **options.OWN.get(experiment, {})})


def _fitting(kind: type[ExperimentConfig], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Those shared options that an experiment has, a single rate as a list of one where it takes several."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    found = {key: value for key, value in shared.items() if key in fields}
    if "lr" in found and isinstance(fields["lr"].default, tuple):
        found["lr"] = (found["lr"],)
    return found
