"""Pictures of examples, by row: of an array, a folder, or a data set by its name; read when they are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

# Pictures of a folder are shown at this size, in pixels.
FOLDER_SIZE = 64


class Pictures:
    """Pictures by row.

    Attributes:
        classes: names of the classes, where the data set has them.
        labels: int64 [M], true labels of a data set by its name, else None.
    """

    def __init__(self, source: np.ndarray | list[Path], classes: tuple[str, ...] = (), labels=None) -> None:
        self._source = source
        self.classes = classes
        self.labels = labels

    def __len__(self) -> int:
        return len(self._source)

    def at(self, rows: np.ndarray) -> np.ndarray:
        """uint8 [R, H, W, 3]."""
        if isinstance(self._source, np.ndarray):
            return np.stack([_shown(self._source[int(row)]) for row in rows])
        from rote.data.picture import read_picture

        return np.stack([read_picture(self._source[int(row)], (FOLDER_SIZE, FOLDER_SIZE)) for row in rows])


def open_pictures(name: str, root: Path | None, count: int, ids: np.ndarray | None) -> Pictures:
    """Pictures of `count` examples.

    Args:
        name: a .npy file, uint8 [M, H, W(, 3)] or [M, C, H, W]; a folder of pictures, in the order of their paths; or
            a data set (digits, cifar10, folder), of which the training images are taken.
        root: where a data set lies.
        count: examples N; without ids there must be as many pictures.
        ids: int [N], the picture of each example.

    Raises:
        FileNotFoundError: nothing of the name.
        ValueError: another number of pictures, ids beyond them, or no pictures.
    """
    from rote import data

    path = Path(name).expanduser()
    if name in data.available():
        bank = data.load(name, root)
        found = Pictures(bank.train.images.numpy(), bank.classes, bank.train.labels.numpy())
    elif path.is_dir():
        from rote.data.picture import READ

        found = Pictures(sorted(file for file in path.rglob("*") if file.suffix.lower() in READ))
    elif path.exists():
        found = Pictures(_array_of(path))
    else:
        raise FileNotFoundError(
            f"--images: {name} is no file, no folder and none of the data sets {', '.join(data.available())}"
        )
    if ids is None and len(found) != count:
        raise ValueError(
            f"--images: wanted {count} pictures, one an example, got {len(found)}; --ids names the pictures"
        )
    if ids is None:
        return found
    if ids.min(initial=0) < 0 or ids.max(initial=-1) >= len(found):
        raise ValueError(f"--ids: wanted ids in [0, {len(found)}), the pictures; got {ids.min()} to {ids.max()}")
    labels = None if found.labels is None else found.labels[ids]
    source = found._source[ids] if isinstance(found._source, np.ndarray) else [found._source[i] for i in ids.tolist()]
    return Pictures(source, found.classes, labels)


def _array_of(path: Path) -> np.ndarray:
    wanted = "uint8 [N, H, W], [N, H, W, C] or [N, C, H, W] of 1 or 3 channels, as .npy"
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError):
        raise ValueError(f"--images: {path}: wanted {wanted}; it cannot be read as that") from None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"--images: {path}: wanted {wanted}; got several arrays, {', '.join(array.files)}")
    channels = {1, 3} & {array.shape[-1], array.shape[1]} if array.ndim == 4 else array.ndim == 3
    if array.dtype != np.uint8 or not channels:
        raise ValueError(f"--images: {path}: wanted {wanted}; got {array.dtype} {list(array.shape)}")
    return array


def _shown(picture: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] of [H, W], [H, W, C] or [C, H, W]."""
    if picture.ndim == 2:
        picture = picture[..., None]
    elif picture.shape[2] not in (1, 3):
        picture = picture.transpose(1, 2, 0)
    return np.repeat(picture, 3, 2) if picture.shape[2] == 1 else picture
