"""Prints the table of differences."""

from __future__ import annotations

import argparse
import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.augment.differences import by_albumentations, by_dali, by_kornia, by_torchvision
from benchmarks.augment.differences.operations import OPERATIONS
from rote import data

LIBRARIES: dict[str, tuple[str, Callable]] = {
    "torchvision v2, floats": ("torchvision", by_torchvision.render_floats),
    "torchvision v2, bytes": ("torchvision", by_torchvision.render_bytes),
    "kornia": ("kornia", by_kornia.render),
    "DALI, CPU": ("nvidia-dali-cuda130", by_dali.render),
    "albumentations": ("albumentations", by_albumentations.render),
}


def rows_of(recipe, ids: torch.Tensor, views: torch.Tensor, image_size: tuple[int, int]) -> list[dict]:
    """The drawn parameters, one dict of plain numbers per view, fields without the operation's name."""
    params = recipe.params(ids, views, seed=1, image_size=image_size)
    return [{key.split(".")[-1]: column[i].tolist() for key, column in params.items()} for i in range(len(ids))]


def differences(images: torch.Tensor) -> dict[str, dict[str, tuple[float, float] | None]]:
    """{operation: {library: (largest, mean) absolute difference in grey levels, or None}}."""
    ids = torch.arange(len(images))
    views = torch.zeros_like(ids)
    found: dict[str, dict[str, tuple[float, float] | None]] = {}
    for name, recipe in OPERATIONS.items():
        ours = recipe(images, ids, views, seed=1)
        rows = rows_of(recipe, ids, views, tuple(images.shape[2:]))
        found[name] = {}
        for library, (_, render) in LIBRARIES.items():
            theirs = render(name, images, rows, tuple(ours.shape[2:]))
            if theirs is not None:
                apart = (ours.double() - theirs.double()).abs() * 255
                found[name][library] = (float(apart.max()), float(apart.mean()))
            else:
                found[name][library] = None
    return found


def markdown(found: dict[str, dict[str, tuple[float, float] | None]]) -> str:
    """One line per operation: largest / mean difference in grey levels."""
    lines = ["| operation | " + " | ".join(LIBRARIES) + " |", "|" + "---|" * (len(LIBRARIES) + 1)]
    for name, row in found.items():
        cells = ["-" if pair is None else f"{_number(pair[0])} / {_number(pair[1])}" for pair in row.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}" if value < 0.01 else f"{value:.2g}" if value < 1 else f"{value:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, help="folder of CIFAR-10 (train/<class>/*.jpg); else the embedded digits")
    parser.add_argument("--images", type=int, default=256)
    arguments = parser.parse_args()
    bank = data.load("folder", arguments.root, progress=False) if arguments.root else data.load("digits")
    images = bank.train.images[bank.balanced_order(0)[: arguments.images]].contiguous()
    print(markdown(differences(images)))
    versions = {name: importlib.metadata.version(distribution) for name, (distribution, _) in LIBRARIES.items()}
    height, width = images.shape[2:]
    print(
        f"\nLargest / mean absolute difference in grey levels (1/255) over {len(images)} images of {height} x {width} "
        f"({bank.name}); {', '.join(f'{name} {version}' for name, version in versions.items())}."
    )


if __name__ == "__main__":
    main()
