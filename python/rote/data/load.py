"""`load`: data sets by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rote.data.bank import ImageBank

#: (root, size, cache_dir, progress) -> bank; `size` is (H, W) or None. One that decodes takes `decoder=` as well.
Loader = Callable[..., ImageBank]

_loaders: dict[str, Loader] = {}
_decoding: set[str] = set()


def load(
    name: str,
    root: str | Path | None = None,
    *,
    size: int | tuple[int, int] | None = None,
    cache_dir: str | Path | None = None,
    progress: bool = True,
    decoder: str = "auto",
) -> ImageBank:
    """Loads a data set into memory.

    Args:
        name: "digits" (comes with scikit-learn), "cifar10" (the official binary or python archive), "folder"
            (train/<class>/*.jpg and test/<class>/*.jpg, png as well), or a name given to `register`.
        root: where the data lies; wanted for cifar10 and folder, refused for digits.
        size: folder only: resize every picture to this many pixels, an int or (H, W). None: all must share one size.
        cache_dir: folder only: where decoded pictures are kept; the user's cache directory by default.
        progress: show how decoding goes on.
        decoder: folder only: "pillow", "dali", or "auto": NVIDIA DALI where it is installed, Pillow otherwise. What
            decoded stands in the bank's `source` (docs/decoding.md).

    Returns:
        ImageBank with uint8 [N, C, H, W] images and int64 [N] labels in both splits.

    Raises:
        ValueError: unknown name, or an argument that this data set does not take.
        FileNotFoundError: `root` is wanted and missing, or not there.
        DataError: a file is damaged, truncated, empty or not what its name says; the message names it.
        ModuleNotFoundError: an optional package is wanted; the message names the extra (`pip install 'rote[lab]'`).

    Example:
        >>> rote.data.load("digits").train.images.shape
        torch.Size([1437, 3, 16, 16])
    """
    if name not in _loaders:
        raise ValueError(f"data set name: wanted one of {', '.join(available())}, got {name!r}")
    root = None if root is None else Path(root).expanduser()
    if root is not None and not root.exists():
        raise FileNotFoundError(f"root: {root} does not exist (data set {name!r})")
    cache_dir = None if cache_dir is None else Path(cache_dir).expanduser()
    options = {"decoder": decoder} if name in _decoding else {}
    if not options and decoder != "auto":
        _refuse(name, decoder=decoder)
    return _loaders[name](root, height_width(size), cache_dir, progress, **options)


def available() -> tuple[str, ...]:
    """The names `load` knows, in alphabetical order."""
    return tuple(sorted(_loaders))


def register(name: str, loader: Loader, *, decodes: bool = False) -> None:
    """Makes `load(name, ...)` call `loader(root, size, cache_dir, progress)`.

    Args:
        name: the data set.
        loader: returns an ImageBank.
        decodes: the loader takes `decoder=` as well, a name that `load` was given.

    Raises:
        ValueError: the name is taken; a data set is never replaced under its name.
    """
    if name in _loaders:
        raise ValueError(f"name: {name!r} is taken by another data set")
    _loaders[name] = loader
    if decodes:
        _decoding.add(name)


def _digits(root, size, cache_dir, progress) -> ImageBank:
    _refuse("digits", root=root, size=size)
    from rote.data.digits import load_digits

    return load_digits()


def _cifar10(root, size, cache_dir, progress) -> ImageBank:
    _refuse("cifar10", size=size)
    from rote.data.cifar10 import load_cifar10

    return load_cifar10(_wanted("cifar10", root, "the archive or the folder it unpacks to"))


def _folder(root, size, cache_dir, progress, decoder) -> ImageBank:
    from rote.data.folder import load_folder

    root = _wanted("folder", root, "the folder that holds train/ and test/")
    return load_folder(root, size=size, cache_dir=cache_dir, progress=progress, decoder=decoder)


register("digits", _digits)
register("cifar10", _cifar10)
register("folder", _folder, decodes=True)


def _wanted(name: str, root: Path | None, what: str) -> Path:
    if root is None:
        raise FileNotFoundError(f"root: data set {name!r} wants root=, {what}")
    return root


def _refuse(name: str, **given: object) -> None:
    for argument, value in given.items():
        if value is not None:
            raise ValueError(f"{argument}: data set {name!r} does not take {argument}=, got {value}")


def height_width(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """(H, W) of a size given as an int or a pair. Raises ValueError unless all sides are positive ints."""
    if size is None:
        return None
    pair = tuple(size) if isinstance(size, tuple | list) else (size, size)
    if len(pair) != 2 or not all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in pair):
        raise ValueError(f"size: wanted a positive int or (H, W), got {size!r}")
    return pair
