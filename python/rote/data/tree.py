"""The files of a picture folder: which belong to which split and class, and which do not belong."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rote.data.bank import DataError
from rote.data.picture import NOT_READ, READ


@dataclass(frozen=True)
class PictureFile:
    """One picture: its path below the root with "/" between parts, its class, and what tells whether it changed."""

    path: str
    label: int
    bytes: int
    modified_ns: int


@dataclass(frozen=True)
class PictureTree:
    """What `scan` found; pictures are sorted by (class, path below the class folder)."""

    root: Path
    classes: tuple[str, ...]
    train: tuple[PictureFile, ...]
    test: tuple[PictureFile, ...]
    test_folder: str  # "test" or "val"
    ignored: int  # other files, such as read-mes and annotations


def scan(root: Path) -> PictureTree:
    """Lists root/train/<class>/... and root/test/<class>/... without opening a file.

    Where there is no test/, val/ is the test split. Class names are those of the class folders, in alphabetical order
    (by code point) over both splits. Folders below a class folder belong to it. Hidden files and folders (a leading
    dot) are skipped; files that are not pictures by name are counted and skipped.

    Args:
        root: the folder.

    Raises:
        FileNotFoundError: no root, no train/, or neither test/ nor val/.
        DataError: a picture outside a class folder, a class folder without pictures, a class in test that train
            lacks, a picture type that is not read, a link in circles or into nowhere, an unreadable folder.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"root: {root} is not a folder")
    if not (root / "train").is_dir():
        raise FileNotFoundError(
            f"root: {root} has no folder train/ (wanted train/<class>/*.jpg and test/<class>/*.jpg)"
        )
    test_folder = next((name for name in ("test", "val") if (root / name).is_dir()), None)
    if test_folder is None:
        raise FileNotFoundError(f"root: {root} has neither a folder test/ nor val/")
    walk = _Walk()
    found = {part: walk.split(root / part) for part in ("train", test_folder)}
    for part, classes in found.items():
        if not classes:
            raise DataError(f"{root / part}: holds no class folders")
    extra = sorted(found[test_folder].keys() - found["train"].keys())
    if extra:
        raise DataError(f"{root / test_folder / extra[0]}: class {extra[0]!r} is in {test_folder}/ but not in train/")
    classes = tuple(sorted(found["train"]))
    label = {name: index for index, name in enumerate(classes)}

    def files(part: str) -> tuple[PictureFile, ...]:
        return tuple(
            PictureFile(f"{part}/{name}/{path}", label[name], size, modified)
            for name, pictures in sorted(found[part].items())
            for path, size, modified in sorted(pictures)
        )

    return PictureTree(root, classes, files("train"), files(test_folder), test_folder, walk.ignored)


class _Walk:
    """Goes through folders; counts what it skips."""

    def __init__(self) -> None:
        self.ignored = 0

    def split(self, folder: Path) -> dict[str, list[tuple[str, int, int]]]:
        """{class: [(path below the class folder, bytes, modified_ns)]} of one split."""
        classes = {}
        for entry in self._entries(folder):
            if entry.is_dir():
                pictures = list(self._pictures(entry.path, "", ()))
                if not pictures:
                    raise DataError(f"{entry.path}: class folder without a JPEG or PNG picture")
                classes[entry.name] = pictures
            elif self._is_picture(entry):
                raise DataError(f"{entry.path}: picture outside a class folder (wanted {folder}/<class>/{entry.name})")
        return classes

    def _pictures(self, folder: str, below: str, above: tuple[tuple[int, int], ...]):
        status = os.stat(folder)
        here = (status.st_dev, status.st_ino)
        if here in above:
            raise DataError(f"{folder}: link to a folder that contains it")
        for entry in self._entries(folder):
            if entry.is_dir():
                yield from self._pictures(entry.path, f"{below}{entry.name}/", (*above, here))
            elif self._is_picture(entry):
                try:
                    status = entry.stat()
                except OSError as error:
                    raise DataError(f"{entry.path}: cannot be read: {error.strerror}") from error
                yield f"{below}{entry.name}", status.st_size, status.st_mtime_ns

    def _entries(self, folder: str | Path) -> list[os.DirEntry]:
        try:
            with os.scandir(folder) as entries:
                return [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            raise DataError(f"{folder}: cannot be read: {error.strerror}") from error

    def _is_picture(self, entry: os.DirEntry) -> bool:
        extension = os.path.splitext(entry.name)[1].lower()
        if extension in NOT_READ:
            raise DataError(f"{entry.path}: {extension} pictures are not read; convert to PNG or remove the file")
        if extension not in READ:
            self.ignored += 1
        return extension in READ
