"""What a `layers` run says in the end: its table and the headline numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rote.experiments.examining.examined import FINAL, INIT, MOMENTS, Tap
from rote.experiments.layers.probes import FINETUNED, KNN, LINEAR, TRUE, USED
from rote.metrics.features import PIXELS

COLUMNS = (
    *("layer", "depth", "part", "moment", "labels", "method", "queries", "accuracy", "n_references", "n_queries"),
    *("k", "metric", "pooling", "bn", "dim", "chance", "views", "converged"),
)


def table(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the columns of layers.csv."""
    return [{column: row.get(column) for column in COLUMNS} for row in rows]


def headline(rows: Sequence[Mapping[str, Any]], taps: Sequence[Tap]) -> dict[str, Any]:
    """The summary's own numbers, out of all rows and the layers in order."""

    def value(layer: str, labels: str, method: str, moment: str = FINAL) -> float | None:
        wanted = {"layer": layer, "labels": labels, "method": method, "moment": moment}
        return next((row["accuracy"] for row in rows if all(row[key] == v for key, v in wanted.items())), None)

    encoder = [tap.name for tap in taps if tap.part == "encoder"]
    logits = taps[-1].name
    best = max(encoder, key=lambda layer: value(layer, TRUE, KNN))
    last = encoder[-1]
    tuned = {moment: value(last, TRUE, FINETUNED, moment) for moment in MOMENTS}
    return {
        "best_encoder_layer": best,
        "best_encoder_probe": value(best, TRUE, KNN),
        "encoder_probe": value(last, TRUE, KNN),
        "encoder_probe_init": value(last, TRUE, KNN, INIT),
        "raw_probe": value(PIXELS, TRUE, KNN),
        "logits_probe": value(logits, TRUE, KNN),
        "used_loo_encoder": value(last, USED, KNN),
        "used_loo_logits": value(logits, USED, KNN),
        "used_chance": next(row["chance"] for row in rows if row["labels"] == USED),
        "used_linear_encoder": value(last, USED, LINEAR),
        "used_linear_encoder_init": value(last, USED, LINEAR, INIT),
        "used_linear_logits": value(logits, USED, LINEAR),
        "finetuned": tuned[FINAL],
        "finetuned_from_scratch": tuned[INIT],
    }
