"""What the page of examples shows: columns, trajectories and pictures of N examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: Columns that say which example it is, not how it fares.
IDENTITY = ("id", "example_id", "row", "rank")
#: Columns of labels, numbers of classes, beside those whose name begins with "label_".
LABELS = ("label", "prediction", "predicted", "predicted_label", "suggested_label")


@dataclass(frozen=True)
class Trajectory:
    """A value of every example along training.

    Attributes:
        epochs: [E], ascending.
        values: float [E, N]; NaN where an example has none.
    """

    epochs: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class ExampleTable:
    """Examples to show.

    Args:
        columns: arrays [N] by name: numbers, truth values, or text. `id` (int, each once) names the examples, the place
            in the table where there is none; columns named as in `LABELS` are shown by the classes' names.
        trajectories: by name ("loss", "margin", "p_true", ...).
        images: uint8 [N, H, W, 3] or [N, C, H, W] with C 1 or 3; None for none.
        neighbours: int [N, K], the places in the table of each example's nearest others, -1 for none; None for none.
        classes: names of the classes; empty where they have none.
        title: of the page.
        about: what the examples come from, a sentence or two.

    Raises:
        ValueError: columns, trajectories or images of other lengths, an id that comes twice, or no example.
    """

    columns: Mapping[str, Any]
    trajectories: Mapping[str, Trajectory] = field(default_factory=dict)
    images: np.ndarray | None = None
    neighbours: np.ndarray | None = None
    classes: Sequence[str] = ()
    title: str = "Examples"
    about: str = ""

    def __post_init__(self) -> None:
        columns = {str(name): _column(name, value) for name, value in self.columns.items()}
        lengths = {name: len(column) for name, column in columns.items()}
        if not lengths or len(set(lengths.values())) > 1 or not min(lengths.values()):
            raise ValueError(f"columns must be arrays of one length, at least 1; got {lengths or 'none'}")
        count = next(iter(lengths.values()))
        if "id" not in columns:
            other = next((columns[name] for name in ("example_id", "row") if name in columns), np.arange(count))
            columns = {"id": other, **columns}
        if columns["id"].dtype.kind not in "iu" or len(np.unique(columns["id"])) < count:
            raise ValueError("columns: id must be integers, each once")
        for name in ("example_id", "row"):
            if name in columns and np.array_equal(columns[name], columns["id"]):
                del columns[name]
        for name, path in self.trajectories.items():
            if path.values.ndim != 2 or path.values.shape != (len(path.epochs), count):
                raise ValueError(
                    f"trajectories: {name} must be float [{len(path.epochs)}, {count}]; got {list(path.values.shape)}"
                )
        object.__setattr__(self, "columns", columns)
        if self.neighbours is not None:
            near = np.asarray(self.neighbours)
            if near.ndim != 2 or near.dtype.kind not in "iu" or len(near) != count:
                raise ValueError(f"neighbours must be int [{count}, K]; got {_of(near)}")
            if near.size and not -1 <= near.min() <= near.max() < count:
                raise ValueError(f"neighbours must lie in [-1, {count}); got {near.min()} to {near.max()}")
        if self.images is not None:
            object.__setattr__(self, "images", _pictures(np.asarray(self.images), count))

    def __len__(self) -> int:
        return len(self.columns["id"])

    @property
    def scores(self) -> list[str]:
        """Names of the columns that are numbers and neither ids nor labels."""
        numbers = [name for name, value in self.columns.items() if value.dtype.kind in "iuf"]
        return [name for name in numbers if name not in IDENTITY and name not in self.labels]

    @property
    def labels(self) -> list[str]:
        """Names of the columns that are numbers of classes."""
        whole = [name for name, value in self.columns.items() if value.dtype.kind in "iu"]
        return [name for name in whole if name in LABELS or name.startswith("label_")]

    @property
    def flags(self) -> list[str]:
        """Names of the columns that are truth values."""
        return [name for name, value in self.columns.items() if value.dtype.kind == "b"]

    def class_name(self, label: int) -> str:
        """The name of a class, or its number where it has none."""
        return str(self.classes[label]) if 0 <= label < len(self.classes) else str(label)


def _column(name: str, value: Any) -> np.ndarray:
    column = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    if column.ndim != 1:
        raise ValueError(f"columns: {name} must be [N]; got shape {list(column.shape)}")
    if column.dtype.kind not in "biufUO":
        raise ValueError(f"columns: {name} must be numbers, truth values or text; got {column.dtype}")
    if column.dtype.kind == "O":
        if all(value is None or isinstance(value, (int, float)) for value in column):
            return np.array([np.nan if value is None else value for value in column], dtype=np.float64)
        return np.array(["" if value is None else str(value) for value in column])
    return column


def _pictures(images: np.ndarray, count: int) -> np.ndarray:
    """uint8 [N, H, W, 3]."""
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or len(images) != count:
        raise ValueError(f"images must be uint8 [{count}, H, W, 3] or [{count}, C, H, W]; got {_of(images)}")
    if images.ndim == 3:
        images = images[..., None]
    elif images.shape[3] not in (1, 3):
        images = images.transpose(0, 2, 3, 1)
    if images.shape[3] not in (1, 3):
        raise ValueError(f"images must have 1 or 3 channels; got {_of(images)}")
    return np.broadcast_to(images, (*images.shape[:3], 3)) if images.shape[3] == 1 else images


def _of(images: np.ndarray) -> str:
    return f"{images.dtype} {list(images.shape)}"
