"""The tables of `trajectories`, from what was seen after every epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rote.data import ImageBank
from rote.experiments.inputs.validation import Division
from rote.experiments.trajectories.observing import Level

# Rows of a heat map: each is a mean over an equal share of the examples.
BINS = 50
# Of the recorder's scores those that are told by example; the others stand in cells/.
SCORES = ("mean_loss", "confidence", "variability", "correctness", "forgetting_events", "aum")


def level_row(rows: Sequence[Mapping[str, Any]], level: Level) -> dict[str, Any]:
    """What one share of redrawn labels comes to, means over its networks.

    Every network has an epoch selected on its noisy validation part, the first of the best; epoch 0, before training,
    is none. The oracle selects on the clean labels of the same images.

    Args:
        rows: the rows of trajectories.csv of the level.
        level: the share.
    """
    found = []
    for network in sorted({row["network"] for row in rows}):
        own = sorted((row for row in rows if row["network"] == network), key=lambda row: row["epoch"])
        trained, last = own[1:], own[-1]
        peak = max(trained, key=lambda row: row["validation_accuracy"])
        oracle = max(trained, key=lambda row: row["validation_accuracy_oracle"])
        third = next(row for row in own if 3 * row["epoch"] == last["epoch"])
        fits = (peak["fit_clean"], peak["fit_corrupted"])
        found.append(
            {
                "selected_epoch": peak["epoch"],
                "validation_selected": peak["validation_accuracy"],
                "test_selected": peak["test_accuracy"],
                "test_final": last["test_accuracy"],
                "test_gain": peak["test_accuracy"] - last["test_accuracy"],
                "fit_clean_at_peak": fits[0],
                "fit_corrupted_at_peak": fits[1],
                "fit_gap_at_peak": None if None in fits else fits[0] - fits[1],
                "fitted_at_third": third["train_accuracy"],
                "fitted_final": last["train_accuracy"],
                "oracle_epoch": oracle["epoch"],
                "test_oracle": oracle["test_accuracy"],
            }
        )
    means = {
        name: None if any(one[name] is None for one in found) else math.fsum(one[name] for one in found) / len(found)
        for name in found[0]
    }
    return {
        "noise": level.noise,
        "redrawn": int(level.redrawn.sum()),
        "corrupted": int(level.corrupted.sum()),
        "third_epoch": max(row["epoch"] for row in rows) // 3,
        **means,
    }


def heat_map(losses: Mapping[float, np.ndarray], levels: Sequence[Level]) -> dict[str, list[Any]]:
    """Losses sorted by ease, as columns: `noise`, `bin`, `epoch`, `loss`, `share_corrupted`.

    Examples are sorted by their mean loss over all epochs in the first half of the networks, easiest first; shown are
    the losses in the other half, so that sorting does not show structure where there is none.

    Args:
        losses: per share float [networks, epochs + 1, N].
        levels: the shares.
    """
    columns: dict[str, list[Any]] = {"noise": [], "bin": [], "epoch": [], "loss": [], "share_corrupted": []}
    for level in levels:
        own = losses[level.noise]
        half = len(own) // 2
        order = np.argsort(own[:half].mean((0, 1)), kind="stable")
        shown = own[half:].mean(0)  # [epochs + 1, N]
        for number, members in enumerate(np.array_split(order, min(BINS, len(order)))):
            share = float(level.corrupted.numpy()[members].mean())
            for epoch, loss in enumerate(shown[:, members].mean(1)):
                for name, value in zip(columns, (level.noise, number, epoch, float(loss), share), strict=True):
                    columns[name].append(value)
    return columns


def example_columns(
    scores: Mapping[float, Sequence[Mapping[str, np.ndarray]]],
    levels: Sequence[Level],
    parts: Division,
    bank: ImageBank,
) -> dict[str, Any]:
    """examples.parquet: every image's labels, and by share its scores, means over either half of the networks.

    Args:
        scores: per share the recorder's scores of every network, columns [N].
        levels: the shares.
        parts: images trained on.
        bank: the data.
    """
    columns: dict[str, Any] = {"id": parts.train.numpy(), "label_true": bank.train.labels.cpu()[parts.train].numpy()}
    for level in levels:
        own, name = scores[level.noise], f"{level.noise:g}"
        half = len(own) // 2
        columns |= {
            f"label_used_{name}": level.label_used.numpy(),
            f"label_redrawn_{name}": level.redrawn.numpy(),
            f"is_corrupted_{name}": level.corrupted.numpy(),
        }
        for score in SCORES:
            for part, networks in (("first", own[:half]), ("second", own[half:])):
                columns[f"{score}_{name}_{part}"] = np.mean([one[score] for one in networks], axis=0)
    return columns
