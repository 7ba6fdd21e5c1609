"""Writes a bank in forms other programs read: one .npz file, or a folder of PNG files."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from rote.data.bank import ImageBank
from rote.data.progress import Progress


def write_npz(bank: ImageBank, path: Path) -> None:
    """One uncompressed .npz: train_images, train_labels, test_images, test_labels and classes.

    Raises:
        FileExistsError: `path` is there already.
    """
    _require_new(path)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.stem, suffix=".part", delete=False) as file:
        try:
            np.savez(
                file,
                train_images=bank.train.images.cpu().numpy(),
                train_labels=bank.train.labels.cpu().numpy(),
                test_images=bank.test.images.cpu().numpy(),
                test_labels=bank.test.labels.cpu().numpy(),
                classes=np.array(bank.classes),
            )
            file.close()
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def write_folder(bank: ImageBank, folder: Path, progress: bool = True) -> None:
    """train/<class>/NNNNNN.png and test/<class>/NNNNNN.png, numbered by position in the split; lossless.

    `load("folder", root=folder)` gives the same pixels back, ordered by class and then by number.

    Raises:
        FileExistsError: `folder` is there already.
        ValueError: a class name that cannot name a folder, or would be hidden.
    """
    from PIL import Image

    _require_new(folder)
    for name in bank.classes:
        if not name or name.startswith(".") or "/" in name or "\\" in name or "\0" in name:
            raise ValueError(f"classes: {name!r} cannot name a folder")
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        with Progress(len(bank.train) + len(bank.test), "pictures written", progress) as bar:
            for part, split in (("train", bank.train), ("test", bank.test)):
                (aside / part).mkdir()
                for label in split.labels.unique().tolist():
                    (aside / part / bank.classes[label]).mkdir()
                pixels = split.images.cpu().numpy().transpose(0, 2, 3, 1)
                for index, label in enumerate(split.labels.tolist()):
                    picture = pixels[index] if bank.channels == 3 else pixels[index, :, :, 0]
                    Image.fromarray(np.ascontiguousarray(picture)).save(
                        aside / part / bank.classes[label] / f"{index:06d}.png"
                    )
                    bar.advance(1)
        aside.chmod(0o755)
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _require_new(path: Path) -> None:
    if path.exists():
        raise FileExistsError(f"out: {path} exists; nothing is overwritten")
    path.parent.mkdir(parents=True, exist_ok=True)
