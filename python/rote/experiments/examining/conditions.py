"""Several conditions of `benign` beside each other, in one table: what `diversity` and `ideal` are made of."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from rote.experiments.base.launch import Launch
from rote.experiments.benign import BenignConfig, benign
from rote.experiments.examining.analysis import AnalysisConfig
from rote.experiments.inputs.loading import headline_layer
from rote.experiments.inputs.view_source import view_source
from rote.experiments.probing.view_distance import view_distance
from rote.runs import Run

# What a row takes over from the summary of its run.
_TAKEN = (
    "steps_to_90",
    "steps_to_99",
    "train_accuracy",
    "train_accuracy_fresh_views",
    "probe_accuracy",
    "probe_accuracy_init",
    "probe_accuracy_raw",
)
# What all runs of a table share.
_COMMON = ("data", "images", "label_classes", "labels", "norm", "loss", "epochs", "steps", "seed", "parameters")


@dataclass(frozen=True)
class Condition:
    """One run of a table.

    Attributes:
        name: the columns that say which it is.
        config: the run's options.
    """

    name: Mapping[str, Any]
    config: BenignConfig


def trained(
    conditions: Sequence[Condition],
    start: Launch[Any],
    *,
    matched: float,
    model: str | nn.Module | None = None,
    taps: list[str] | None = None,
) -> Iterator[tuple[dict[str, Any], Run]]:
    """Makes the runs that are missing, one after another, and yields the row of each with the run.

    A stopped run goes on where it stopped, and finished ones are only read, so a table needs no state of its own.

    Args:
        conditions: the runs.
        start: of the experiment: its data and its network at initialization.
        matched: clean accuracy at which conditions are compared as well.
        model: the caller's own module, of which each run trains a copy.
        taps: with an own module, the submodules to probe.

    Raises:
        Stopped: Ctrl-C; the state is saved.
    """
    own = isinstance(model, nn.Module)
    bank, order = start.inputs.bank, start.inputs.order
    ids = start.inputs.image_ids
    headline = headline_layer(start.network)
    for condition in conditions:
        config = condition.config.resolved()
        run = benign(config, model=copy.deepcopy(model) if own else None, data=bank, taps=taps)
        source = view_source(config, bank, order, len(ids))
        distance = view_distance(source, bank.train.images, ids, seed=config.seeds().view)
        row = {
            **condition.name,
            "view_distance": distance,
            **{name: run.summary[name] for name in _TAKEN},
            **at_matched(run, matched, headline),
            "run": run.dir.name,
        }
        yield row, run


def at_matched(run: Run, accuracy: float, headline: str) -> dict[str, Any]:
    """The probe at the first evaluation whose clean accuracy is at least `accuracy`, and its step; None if none is."""
    reached = (m["step"] for m in run.metrics.select(metric="accuracy_clean") if m["value"] >= accuracy)
    step = next(reached, None)
    if step is None:
        return {"probe_at_matched": None, "matched_step": None}
    probes = run.metrics.select(metric="probe_accuracy", layer=headline, references="all", step=step)
    return {"probe_at_matched": probes[-1]["value"], "matched_step": step}


def shared_facts(runs: Sequence[Run]) -> dict[str, Any]:
    """What the summary of a table says about all of its runs."""
    first = runs[0].summary
    return {**{name: first[name] for name in _COMMON}, "seconds": round(sum(r.summary["seconds"] for r in runs), 2)}


def condition(config: AnalysisConfig, name: Mapping[str, Any], augment: str, **changes: Any) -> Condition:
    """A condition of an experiment: its options under another augmentation."""
    options = {"same_class_images": config.same_class_images if augment == "same-class" else None, **changes}
    return Condition(name, config.benign(augment=augment, fresh=False, **options))
