"""What the presets share of arXiv 1706.05394."""

from __future__ import annotations

from typing import Any

# Its network and its optimizer; it halves the rate every 15 epochs.
CLOSER_LOOK_CNN: dict[str, Any] = {
    "model": "closer-look-cnn",
    "optimizer": "sgd",
    "momentum": 0.9,
    "lr": 1e-2,
    "batch_size": 64,
}
