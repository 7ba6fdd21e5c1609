"""Sample views of a run: the few images and augmented views that the page shows, kept in `views.npz`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FILE_NAME = "views.npz"


@dataclass(frozen=True)
class ViewSamples:
    """A few training images, the views a recipe makes of them, and the labels they were trained with.

    Attributes:
        originals: uint8 [n, C, H, W], C is 1 or 3.
        views: uint8 [n, V, C, h, w].
        label_true: int64 [n], the label the image really has.
        label_used: int64 [n], the label the network was given.
        image_ids: int64 [n], position in the training split, or -1 where unknown.
        classes: class names; empty if the classes have none.
        recipe: name of the augmentation recipe.
    """

    originals: np.ndarray
    views: np.ndarray
    label_true: np.ndarray
    label_used: np.ndarray
    image_ids: np.ndarray
    classes: tuple[str, ...]
    recipe: str

    def class_name(self, label: int) -> str:
        """The name of a class, or its number where classes have no names."""
        return self.classes[label] if 0 <= label < len(self.classes) else str(label)


def save(
    run_dir: Path | str,
    *,
    originals: Any,
    views: Any,
    label_true: Any,
    label_used: Any,
    image_ids: Any = None,
    classes: Sequence[str] = (),
    recipe: str = "",
) -> Path:
    """Writes `views.npz` into a run folder, aside first and then renamed.

    Args:
        run_dir: the run folder; it must exist.
        originals: uint8 [n, C, H, W], the images as stored in the bank.
        views: [n, V, C, h, w]; uint8, or floating point in [0, 1] (clipped, then rounded to uint8). Render
            them without `Normalize`, otherwise they are not pictures.
        label_true: integers [n].
        label_used: integers [n].
        image_ids: integers [n], or None.
        classes: class names in label order.
        recipe: name of the augmentation recipe.

    Returns:
        The path of the file.

    Raises:
        ValueError: a shape, a number of channels or a value does not fit.
        TypeError: a dtype does not fit.
    """
    samples = _checked(originals, views, label_true, label_used, image_ids, classes, recipe)
    path = Path(run_dir) / FILE_NAME
    # The suffix must stay .npz, or numpy appends one; the process id keeps two writers apart.
    aside = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    np.savez_compressed(
        aside,
        originals=samples.originals,
        views=samples.views,
        label_true=samples.label_true,
        label_used=samples.label_used,
        image_ids=samples.image_ids,
        classes=np.array(samples.classes, dtype=np.str_),
        recipe=np.array(samples.recipe, dtype=np.str_),
    )
    aside.replace(path)
    return path


def load(path: Path | str) -> ViewSamples:
    """Reads a `views.npz`.

    Raises:
        ValueError: the file is not one that `save` wrote; the message names it.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            return _checked(
                file["originals"],
                file["views"],
                file["label_true"],
                file["label_used"],
                file["image_ids"],
                [str(name) for name in file["classes"]],
                str(file["recipe"]),
            )
    except FileNotFoundError:
        raise
    except Exception as error:  # zip, header, missing key, shapes: all mean "not a views file"
        raise ValueError(f"{path}: not a readable views file: {error}") from error


def _checked(
    originals: Any,
    views: Any,
    label_true: Any,
    label_used: Any,
    image_ids: Any,
    classes: Sequence[str],
    recipe: str,
) -> ViewSamples:
    originals, views = np.asarray(originals), np.asarray(views)
    if originals.dtype != np.uint8:
        raise TypeError(f"originals must be uint8, got {originals.dtype}")
    if originals.ndim != 4 or originals.shape[1] not in (1, 3):
        raise ValueError(f"originals must be [n, C, H, W] with C 1 or 3, got {list(originals.shape)}")
    n, channels = originals.shape[:2]
    if n == 0:
        raise ValueError("originals must hold at least one image, got none")
    if views.ndim != 5 or views.shape[0] != n or views.shape[1] == 0 or views.shape[2] != channels:
        raise ValueError(f"views must be [{n}, V >= 1, {channels}, h, w], got {list(views.shape)}")
    if np.issubdtype(views.dtype, np.floating):
        if not np.isfinite(views).all():
            raise ValueError("views must be finite, got NaN or inf")
        views = np.rint(np.clip(views.astype(np.float64), 0.0, 1.0) * 255.0).astype(np.uint8)
    elif views.dtype != np.uint8:
        raise TypeError(f"views must be uint8 or floating point in [0, 1], got {views.dtype}")
    labels = {}
    ids = np.full(n, -1, dtype=np.int64) if image_ids is None else image_ids
    for name, value in (("label_true", label_true), ("label_used", label_used), ("image_ids", ids)):
        array = np.asarray(value)
        if not np.issubdtype(array.dtype, np.integer):
            raise TypeError(f"{name} must be integers, got {array.dtype}")
        if array.shape != (n,):
            raise ValueError(f"{name} must have shape [{n}], got {list(array.shape)}")
        labels[name] = array.astype(np.int64)
    return ViewSamples(
        originals=originals,
        views=views,
        classes=tuple(str(name) for name in classes),
        recipe=str(recipe),
        **labels,
    )
