"""What a finished `noise` run says in a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rote.experiments.noise.cells import Cell
from rote.experiments.noise.run import words


def headline(summary: Mapping[str, Any]) -> list[str]:
    """A line for each training: how fast it was fitted, and its accuracy on both sides."""
    lines = [
        f"{summary['model']}, {summary['parameters']:,} parameters, {summary['images']:,} images of {summary['data']}, "
        f"{summary['steps']:,} steps; chance {summary['chance']:.3f}"
    ]
    for row in summary["rows"]:
        name = words(Cell(row["condition"], row["corruption"], row["crop"], row["weight_decay"]))
        if row["diverged"]:
            lines.append(f"  {name}: diverged")
            continue
        epochs = "never" if row["epochs_to_99"] is None else f"in {row['epochs_to_99']} epochs"
        loss = "never" if row["steps_to_loss"] is None else f"after {row['steps_to_loss']:,.0f} steps"
        lines.append(
            f"  {name}: loss {summary['threshold']:g} {loss}, 99 % {epochs}, accuracy {row['train_accuracy']:.3f} in "
            f"training and {row['test_accuracy']:.3f} on test images"
        )
    return lines
