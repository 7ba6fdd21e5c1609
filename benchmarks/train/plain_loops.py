"""The training loops one writes first, with augmentations of others: what the trainer is measured against."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.augment.chain import Chain
from benchmarks.augment.peers import kornia_batches, torchvision_images

Batches = Iterator[tuple[Tensor, Tensor]]
_WORKERS = 2


def plain_loop(model: nn.Module, batches: Batches, classes: int, steps: int) -> Callable[[], float]:
    """`steps` updates by Adam on the squared error, in the default layout, a loss read at every step."""
    device = next(model.parameters()).device
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def run() -> float:
        total = 0.0
        for _ in range(steps):
            x, y = next(batches)
            x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
            loss = (model(x) - nn.functional.one_hot(y, classes)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total

    return run


def kornia(chain: Chain, images: Tensor, labels: Tensor, batch_size: int) -> Batches | None:
    """kornia on batches, where the images lie; None without kornia."""
    pipeline = kornia_batches.pipeline_of(chain, images)
    return pipeline and _batches_of(pipeline, images, labels, batch_size)


def torchvision(chain: Chain, images: Tensor, labels: Tensor, batch_size: int) -> Batches | None:
    """torchvision v2 on image after image in the workers of a DataLoader; None without torchvision."""
    pipeline = torchvision_images.pipeline_of(chain, images.cpu())
    return pipeline and _loaded(pipeline, images.cpu(), labels.cpu(), batch_size)


def _batches_of(pipeline: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, batch_size: int) -> Batches:
    while True:
        for ids in torch.randperm(len(images), device=images.device).split(batch_size):
            if len(ids) == batch_size:
                yield pipeline(images[ids].float() / 255), labels[ids]


class _Pictures(Dataset):
    def __init__(self, pipeline: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> None:
        self.pipeline, self.images, self.labels = pipeline, images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.pipeline(self.images[index]), self.labels[index]


def _loaded(pipeline: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor, batch_size: int) -> Batches:
    loader = DataLoader(
        _Pictures(pipeline, images, labels),
        batch_size=batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=_WORKERS,
        persistent_workers=True,
    )
    while True:
        yield from loader
