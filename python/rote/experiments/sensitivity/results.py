"""Tables and summary of a `sensitivity` run, out of its looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from rote import models
from rote.experiments.inputs.loading import Inputs, architecture
from rote.metrics import class_matrix, diagonal_ratio, gini
from rote.runs import RunFolder

if TYPE_CHECKING:
    from rote.experiments.sensitivity import SensitivityConfig
    from rote.experiments.sensitivity.run import Condition

REAL = "real"


class Look(NamedTuple):
    """What was measured at one time.

    Attributes:
        epoch: whole epochs done.
        step: updates done.
        accuracy: on the labels used.
        loss: average cross-entropy.
        total: float64 [N], the sensitivity of that loss to every example.
        by_class: float64 [C, N], that of the terms of each class; None without classes.
        seconds: it took; the first look of a training bears that of the training.
    """

    epoch: int
    step: int
    accuracy: float
    loss: float
    total: np.ndarray
    by_class: np.ndarray | None
    seconds: float


def write_results(
    config: SensitivityConfig, inputs: Inputs, folder: RunFolder, found: list[tuple[Condition, list[Look]]]
) -> None:
    """Writes both tables, the sensitivities of every example and the summary."""
    labels = inputs.label_true
    rows: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    examples: dict[str, Any] = {"id": inputs.image_ids.numpy(), "label_true": labels.numpy()}
    facts: dict[str, Any] = {}
    for condition, looks in found:
        name = f"{condition.inputs}_{condition.labels}"
        for count in range(1, len(looks) + 1):
            rows.append(_row(condition, looks[:count], labels))
        mean = np.mean([look.total for look in looks], axis=0)
        examples[f"sensitivity_{name}"] = mean
        facts |= {f"gini_{name}": rows[-1]["gini"], f"train_accuracy_{name}": looks[-1].accuracy}
        if rows[-1]["class_ratio"] is not None:
            facts[f"class_ratio_{condition.inputs}"] = rows[-1]["class_ratio"]
            for (i, j), value in np.ndenumerate(_matrix(looks, labels).numpy()):
                cells.append(
                    {
                        "inputs": condition.inputs,
                        "loss_class": inputs.bank.classes[i],
                        "example_class": inputs.bank.classes[j],
                        "sensitivity": _number(value),
                    }
                )
    folder.write_table("sensitivity.csv", rows)
    folder.write_table("sensitivity_classes.csv", cells)
    folder.write_examples(examples)
    network = models.build(**architecture(config, inputs.bank, inputs.bank.num_classes))
    images = len(inputs.image_ids)
    folder.write_summary(
        {
            "data": inputs.bank.name,
            "images": images,
            "label_classes": inputs.bank.num_classes,
            "augment": config.augment,
            "side": config.side,
            "epochs": config.epochs,
            "steps": config.epochs * (images // config.batch_size),
            "seed": config.seed,
            "parameters": sum(p.numel() for p in network.parameters()),
            "seconds": round(sum(look.seconds for _, looks in found for look in looks), 2),
            **facts,
            **_differences(facts),
        }
    )


def _row(condition: Condition, looks: list[Look], labels: torch.Tensor) -> dict[str, Any]:
    """The last of some looks, with what the average over them says."""
    last, mean = looks[-1], np.mean([look.total for look in looks], axis=0)
    matrix = None if last.by_class is None else _matrix(looks, labels)
    return {
        "inputs": condition.inputs,
        "labels": condition.labels,
        "epoch": last.epoch,
        "step": last.step,
        "train_accuracy": last.accuracy,
        "loss": last.loss,
        "gini": _number(gini(mean)),
        "gini_now": _number(gini(last.total)),
        "sensitivity_mean": float(mean.mean()),
        "sensitivity_mean_now": float(last.total.mean()),
        "class_ratio": None if matrix is None else _number(diagonal_ratio(matrix)),
    }


def _matrix(looks: list[Look], labels: torch.Tensor) -> torch.Tensor:
    """float64 [C, C], the per-class matrix of the average over some looks."""
    return class_matrix(torch.from_numpy(np.mean([look.by_class for look in looks], axis=0)), labels)


def _differences(facts: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for labels in ("classes", "exemplar"):
        real, random = (facts.get(f"gini_{inputs}_{labels}") for inputs in ("real", "random"))
        found[f"gini_difference_{labels}"] = None if real is None or random is None else real - random
    return found


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
