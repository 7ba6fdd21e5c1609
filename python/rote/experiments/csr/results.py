"""Tables and summary of a `csr` run, out of the looks of its trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from rote import models
from rote.experiments.csr.conditions import NOISE_INPUTS, RAND_X, REAL, REAL_INPUTS, Condition
from rote.experiments.inputs.loading import Inputs, architecture
from rote.runs import RunFolder
from rote.runs.folder import measurement

if TYPE_CHECKING:
    from rote.experiments.csr import CSRConfig

#: Training accuracies at which conditions are compared, beside the one of the headline.
THRESHOLDS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
Looks = Sequence[Mapping[str, Any]]


def at_accuracy(looks: Looks, accuracy: float, value: str) -> tuple[float, float] | None:
    """(epoch, value) where a training first has an accuracy, interpolated between two looks.

    At the first look whose training accuracy is at least `accuracy`, linear in accuracy between that look and the one
    before it; at that look itself where it is the first of all. None where no look reaches it.
    """
    for position, look in enumerate(looks):
        if look["train_accuracy"] < accuracy:
            continue
        if position == 0:
            return float(look["epoch"]), float(look[value])
        before = looks[position - 1]
        part = (accuracy - before["train_accuracy"]) / (look["train_accuracy"] - before["train_accuracy"])
        epoch, found = (float(before[key] + part * (look[key] - before[key])) for key in ("epoch", value))
        return epoch, found
    return None


def write_results(
    config: CSRConfig,
    inputs: Inputs,
    folder: RunFolder,
    queries: Tensor,
    found: Sequence[tuple[Condition, Looks]],
    radii: Mapping[str, np.ndarray],
) -> None:
    """Writes both tables, the lines of metrics, the critical radii and the summary."""
    count = len(queries)
    rows = [row for condition, looks in found for row in _rows(condition, looks, count)]
    matched = _matched(found, count, sorted({*THRESHOLDS, config.matched}))
    folder.write_table("csr.csv", rows)
    folder.write_table("csr_matched.csv", matched)
    folder.metrics.keep(lambda line: False)
    folder.metrics.append(line for condition, looks in found for line in _lines(condition, looks, count))
    if radii:
        asked = queries[: config.radius_queries]
        columns = {"id": asked.numpy(), "label_true": inputs.bank.test.labels.cpu()[asked].numpy()}
        folder.write_columns("queries.parquet", columns | {f"radius_{name}": radius for name, radius in radii.items()})
    network = models.build(**architecture(config, inputs.bank, inputs.bank.num_classes))
    steps = found[0][1][-1]["step"]
    folder.write_summary(
        {
            "data": inputs.bank.name,
            "images": len(inputs.image_ids),
            "label_classes": inputs.bank.num_classes,
            "augment": config.augment,
            "epochs": config.epochs,
            "steps": steps,
            "seed": config.seed,
            "parameters": sum(p.numel() for p in network.parameters()),
            "queries": count,
            "seconds": round(sum(looks[-1]["seconds"] for _, looks in found), 2),
            **{f"train_accuracy_{condition.name}": looks[-1]["train_accuracy"] for condition, looks in found},
            **{f"test_accuracy_{condition.name}": looks[-1]["test_accuracy"] for condition, looks in found},
            **{f"csr_{condition.name}": _csr(looks[-1], condition, count) for condition, looks in found},
            **{f"radius_median_{name}": _median(radius) for name, radius in radii.items()},
            **_headline(matched, config.matched),
        }
    )


def _csr(look: Mapping[str, Any], condition: Condition, count: int) -> float:
    return look[f"critical_{condition.headline_inputs}"] / count


def _kinds(condition: Condition) -> tuple[str, ...]:
    return (REAL_INPUTS, NOISE_INPUTS) if condition.kind == RAND_X else (REAL_INPUTS,)


def _rows(condition: Condition, looks: Looks, count: int) -> list[dict[str, Any]]:
    """A row for each look and each kind of test inputs."""
    return [
        {
            "condition": condition.kind,
            "share": condition.share,
            "epoch": look["epoch"],
            "step": look["step"],
            "train_accuracy": look["train_accuracy"],
            "test_accuracy": look["test_accuracy"],
            "inputs": kind,
            "headline": kind == condition.headline_inputs,
            "critical": look[f"critical_{kind}"],
            "queries": count,
            "csr": look[f"critical_{kind}"] / count,
            "iterations": look[f"iterations_{kind}"],
        }
        for look in looks
        for kind in _kinds(condition)
    ]


def _matched(found: Sequence[tuple[Condition, Looks]], count: int, accuracies: Sequence[float]) -> list[dict[str, Any]]:
    """A row for each training accuracy, condition and kind of inputs, with the ratio to real data."""
    rows = []
    for accuracy in accuracies:
        real = next((at_accuracy(looks, accuracy, "critical_real") for c, looks in found if c.kind == REAL), None)
        for condition, looks in found:
            for kind in _kinds(condition):
                here = at_accuracy(looks, accuracy, f"critical_{kind}")
                comparable = here is not None and real is not None and real[1] > 0
                rows.append(
                    {
                        "train_accuracy": accuracy,
                        "condition": condition.kind,
                        "share": condition.share,
                        "inputs": kind,
                        "headline": kind == condition.headline_inputs,
                        "epoch": None if here is None else here[0],
                        "csr": None if here is None else here[1] / count,
                        "ratio_to_real": here[1] / real[1] if comparable else None,
                    }
                )
    return rows


def _headline(matched: Sequence[Mapping[str, Any]], accuracy: float) -> dict[str, Any]:
    """Of all noise (share 1) and of real data, at the training accuracy of the headline."""
    facts: dict[str, Any] = {"matched_accuracy": accuracy}
    for row in matched:
        if row["train_accuracy"] == accuracy and row["share"] in (0.0, 1.0):
            if row["headline"]:
                facts[f"csr_matched_{row['condition']}"] = row["csr"]
                if row["condition"] != REAL:
                    facts[f"csr_ratio_{row['condition']}"] = row["ratio_to_real"]
            else:
                facts[f"csr_ratio_{row['condition']}_on_{row['inputs']}_inputs"] = row["ratio_to_real"]
    return facts


def _lines(condition: Condition, looks: Looks, count: int) -> list[dict[str, Any]]:
    """Measurements for metrics.jsonl."""
    lines = []
    for look in looks:
        about = {"condition": condition.kind, "share": condition.share}
        at = (look["step"], look["epoch"])
        lines.append(measurement(*at, "train", "accuracy_clean", None, look["train_accuracy"], **about))
        lines.append(measurement(*at, "test", "accuracy_clean", None, look["test_accuracy"], **about))
        for kind in _kinds(condition):
            value = look[f"critical_{kind}"] / count
            lines.append(measurement(*at, "test", "critical_sample_ratio", None, value, inputs=kind, **about))
    return lines


def _median(radius: np.ndarray) -> float | None:
    value = float(np.median(radius))
    return value if np.isfinite(value) else None
