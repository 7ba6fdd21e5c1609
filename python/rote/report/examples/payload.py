"""The data of the page as JSON: small enough for tens of thousands of examples."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from rote.report.examples import sheets
from rote.report.examples.pictures import sheets_of
from rote.report.examples.table import ExampleTable, Trajectory

#: Trajectories are kept on a grid of so many steps between their smallest and largest value; one value means none.
STEPS = 65534
NONE = 65535
#: Bands of all examples behind a trajectory.
QUANTILES = (0.1, 0.5, 0.9)


def payload(table: ExampleTable) -> str:
    """The page's data as JSON that may stand in a script element."""
    named = table.labels
    data: dict[str, Any] = {
        "n": len(table),
        "classes": [str(name) for name in table.classes],
        "columns": [
            {
                "name": name,
                "kind": "label" if name in named else _kind(column),
                "values": _values(column),
                "about": sheets.ABOUT.get(name, ""),
            }
            for name, column in table.columns.items()
        ],
        "trajectories": {name: _trajectory(path) for name, path in table.trajectories.items()},
        "neighbours": None if table.neighbours is None else np.asarray(table.neighbours).tolist(),
        "pictures": None,
    }
    if table.images is not None:
        laid = sheets_of(table.images)
        data["pictures"] = {
            "uris": laid.uris,
            "perSheet": laid.per_sheet,
            "columns": laid.columns,
            "height": laid.size[0],
            "width": laid.size[1],
        }
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Inside a script element nothing may look like markup.
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _kind(column: np.ndarray) -> str:
    return {"b": "flag", "i": "int", "u": "int", "f": "float"}.get(column.dtype.kind, "text")


def _values(column: np.ndarray) -> list[Any]:
    if column.dtype.kind == "b":
        return column.astype(np.int8).tolist()
    if column.dtype.kind == "f":
        # Six digits are more than a reader or an order needs; what is not finite has no number.
        return [float(f"{value:.6g}") if np.isfinite(value) else None for value in column.tolist()]
    return column.tolist()


def _trajectory(path: Trajectory) -> dict[str, Any]:
    values = np.asarray(path.values, dtype=np.float64)
    there = np.isfinite(values)
    low, high = (float(values[there].min()), float(values[there].max())) if there.any() else (0.0, 1.0)
    span = high - low if high > low else 1.0
    grid = np.full(values.shape, NONE, dtype="<u2")
    grid[there] = np.round((values[there] - low) / span * STEPS).astype("<u2")
    bands = []
    for quantile in QUANTILES:
        row = [np.quantile(v[t], quantile) if t.any() else None for v, t in zip(values, there, strict=True)]
        bands.append([None if value is None else float(f"{value:.6g}") for value in row])
    return {
        "epochs": np.asarray(path.epochs).tolist(),
        "low": low,
        "span": span,
        # Example by example, so that one trajectory is one stretch.
        "grid": base64.b64encode(np.ascontiguousarray(grid.T).tobytes()).decode("ascii"),
        "bands": bands,
    }
