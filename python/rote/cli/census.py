"""`rote augment census`: renders every view of a pool, hashes its pixels and counts the different ones."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import tyro
from torch import Tensor

from rote.augment import Recipe
from rote.data import ImageBank, load
from rote.experiments.base.saving import Saving
from rote.experiments.base.stopping import Stopped, StopRequest, stop_requests
from rote.ops.row_hash import row_hash
from rote.runs.folder import read_json
from rote.runs.hash_partitions import HashPartitions
from rote.runs.lock import FolderLock
from rote.runs.whole_files import clear_partial, write_json
from rote.train import Progress

_RESULT, _STATE = "census.json", "state.json"


@dataclass(frozen=True, kw_only=True)
class Census:
    """Render N x B views, and say what they are: a hash of all pixels that no order of rendering changes (the sum of
    the views' own hashes, modulo 2^64), and how many of the views differ. Memory does not grow with their number; 8
    bytes a view are needed on the disk while it runs. Goes on where it was stopped."""

    recipe: tyro.conf.Positional[str]
    """A name of `rote augment list`, or a JSON file (Recipe.to_json)."""
    data: str = "digits"
    """digits, cifar10 or folder."""
    root: Path | None = None
    """Where the data lies (cifar10, folder)."""
    data_size: int | tuple[int, int] | None = None
    """Resize pictures to S, or H W (folder)."""
    images: int | None = None
    """Number of images N, the first of a seeded class-balanced order of the training images; all by default."""
    views: int = 1000
    """Views B of each image."""
    batch_size: int = 2048
    """Views rendered at a time; without influence on the result."""
    order: Literal["images", "views"] = "images"
    """All views of an image after another, or a view of every image after another; without influence on the result."""
    seed: int = 0
    """Seed of the views; the training with this seed sees the same ones."""
    out: Path = Path("runs")
    """Folder that the census is kept in, as census-<hash of these options>."""

    def run(self) -> int:
        from rote.cli.augment import find

        for field in ("views", "batch_size"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field}: wanted at least 1, got {getattr(self, field)}")
        name, recipe = find(self.recipe)
        if not isinstance(recipe, Recipe):
            raise ValueError(f"recipe: wanted one recipe, got the pair {self.recipe!r}; name its parts")
        bank = load(self.data, self.root, size=self.data_size)
        images = len(bank.train) if self.images is None else self.images
        if not 1 <= images <= len(bank.train):
            raise ValueError(f"images: wanted 1 to {len(bank.train)} ({bank.name} train), got {images}")
        about = {
            "recipe": name,
            "recipe_hash": recipe.hash(),
            "data": bank.name,
            "data_fingerprint": bank.fingerprint(),
            "images": images,
            "views": self.views,
            "seed": self.seed,
            "batch_size": self.batch_size,
            "order": self.order,
        }
        folder = self.out / f"census-{hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]}"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(folder)
        try:
            result = read_json(folder / _RESULT) if (folder / _RESULT).exists() else None
            if result is None:
                clear_partial(folder)
                with stop_requests() as stop:
                    result = self._count(recipe, bank, about, folder, stop)
        except Stopped as stopped:
            print(f"rote: {stopped}", file=sys.stderr)
            return 130
        finally:
            lock.release()
        print("\n".join(lines_of(result)))
        print(f"kept in {folder / _RESULT}")
        return 0

    def _count(
        self, recipe: Recipe, bank: ImageBank, about: dict[str, Any], folder: Path, stop: StopRequest
    ) -> dict[str, Any]:
        ids = bank.balanced_order(self.seed)[: about["images"]]
        samples = len(ids) * self.views
        partitions = HashPartitions(folder, samples)
        state = {"next": 0, "hash": 0, "seconds": 0.0, "lengths": [0] * len(partitions.files)}
        if (folder / _STATE).exists():
            state = read_json(folder / _STATE)
        partitions.restore(state["lengths"])
        total, first = state["hash"], state["next"]

        rendered = first

        def save(seconds: float) -> None:
            state = {"next": rendered, "hash": total, "seconds": seconds, "lengths": partitions.sync()}
            write_json(folder / _STATE, state)

        def stopped() -> Stopped:
            return Stopped(folder, rendered, samples, "view")

        saving = Saving(save, state["seconds"])
        batches = -(-samples // self.batch_size)
        with Progress(batches, self.batch_size, f"census of {samples:,} views", start=first // self.batch_size) as bar:
            for rendered, hashes in self._hashes(recipe, bank.train.images, ids, first):
                total = (total + int(hashes.sum())) % 2**64
                partitions.add(hashes)
                bar.update(-(-rendered // self.batch_size))
                saving.after_step(stop.made, stopped)
        rendering = saving.seconds
        distinct = partitions.distinct()
        result = {
            **about,
            "samples": samples,
            "hash": f"{total:016x}",
            "distinct": distinct,
            "duplicates": samples - distinct,
            # Pairs of different views whose hashes agree by chance: n^2 / 2 pairs, 2^-64 each.
            "expected_false_duplicates": samples * (samples - 1) / 2 * 2.0**-64,
            "seconds": round(saving.seconds, 3),
            "views_per_second": round(samples / rendering),
        }
        write_json(folder / _RESULT, result)
        partitions.remove()
        (folder / _STATE).unlink(missing_ok=True)
        return result

    def _hashes(self, recipe: Recipe, images: Tensor, ids: Tensor, first: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yields (views done, uint64 hashes of a batch), from view number `first` on."""
        samples, outer = len(ids) * self.views, self.views if self.order == "images" else len(ids)
        size = recipe.output_size(tuple(images.shape[2:]))
        pixels = torch.empty((self.batch_size, images.shape[1], *size), dtype=torch.float32)
        for start in range(first, samples, self.batch_size):
            end = min(start + self.batch_size, samples)
            slow, fast = torch.arange(start, end), torch.arange(start, end) % outer
            slow //= outer
            image, view = (slow, fast) if self.order == "images" else (fast, slow)
            batch = recipe(images, ids[image], view, seed=self.seed, out=pixels[: end - start])
            yield end, row_hash(batch).numpy().view(np.uint64)


def lines_of(result: dict[str, Any]) -> list[str]:
    """A census in words."""
    return [
        f"{result['samples']:,} views: {result['images']:,} images of {result['data']} x {result['views']:,} views "
        f"under {result['recipe']}, seed {result['seed']}",
        f"hash of all pixels {result['hash']}",
        f"{result['distinct']:,} different views, {result['duplicates']:,} that repeat another "
        f"(expected by chance of the hash alone: {result['expected_false_duplicates']:.1e})",
        f"{result['views_per_second']:,} views a second rendered and hashed, {result['seconds']:.1f} s in all",
    ]
