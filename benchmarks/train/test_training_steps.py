"""The trainer's step with augmentation, beside the same step on ready pixels and beside plain PyTorch loops.

Ready pixels are what a step costs when data costs nothing; the plain loops do the same work with the augmentations of
kornia, and of torchvision in a DataLoader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch

from benchmarks.augment.chain import SIMCLR
from benchmarks.train import plain_loops
from rote import models, train

IMAGES, CLASSES = 512, 10


@dataclass(frozen=True)
class Case:
    """A network and what it is trained on.

    Attributes:
        model: name for `rote.models.build`, `dials` its further arguments.
        size: side of the images in pixels.
        batch_size: on the CPU and on CUDA.
        steps: in one timed call.
    """

    model: str
    size: int
    batch_size: dict[str, int]
    steps: int
    dials: dict[str, Any]

    def build(self, device: str) -> torch.nn.Module:
        model = models.build(self.model, in_channels=3, image_size=self.size, num_classes=CLASSES, **self.dials)
        return model.to(device)


CASES = {
    "mlp, 28k parameters, 16 px": Case("mlp", 16, {"cpu": 128, "cuda": 128}, 40, {"width": 32, "projector_width": 64}),
    "convnet, 31k parameters, 16 px": Case(
        "convnet", 16, {"cpu": 128, "cuda": 128}, 20, {"width": 16, "projector_width": 64}
    ),
    "convnet": Case("convnet", 32, {"cpu": 128, "cuda": 512}, 10, {}),
    "resnet18": Case("resnet18", 32, {"cpu": 8, "cuda": 256}, 10, {}),
}


class ReadyPixels:
    """Hands out pixels that were rendered before."""

    def __init__(self, pixels: torch.Tensor) -> None:
        self.pixels = pixels

    def __call__(self, images, ids, views, *, seed, dtype, channels_last):
        return self.pixels


def make_trainer(case: Case, device: str, recipe, images, labels) -> train.Trainer:
    # Named, since `auto` takes a graph for recipes of Rote's own alone, and both trainers have to run the same way.
    execution = "graph" if device == "cuda" else "eager"
    config = train.TrainConfig(
        model=case.model, batch_size=case.batch_size[device], epochs=10_000, device=device, execution=execution
    )
    source = train.LabelSource.fixed(labels.cpu(), num_classes=CLASSES)
    stream = train.TrainingStream(images, torch.arange(IMAGES), source, recipe, config.batch_size, train.Seeds())
    return train.Trainer(case.build(device), stream, config)


@pytest.mark.parametrize("name", CASES, ids="training step of {}".format)
def test_training_step(race, device, quick, name):
    case = CASES[name]
    if name == "resnet18" and device == "cpu" and not quick:
        pytest.skip("a step of resnet18 takes seconds on a CPU")
    batch_size = case.batch_size[device]
    images = torch.randint(0, 256, (IMAGES, 3, case.size, case.size), dtype=torch.uint8, device=device)
    labels = torch.randint(0, CLASSES, (IMAGES,), device=device)
    ours = make_trainer(case, device, SIMCLR.recipe(), images, labels)
    ready = make_trainer(case, device, ReadyPixels(ours.stream.batch(0)[0]), images, labels)
    peers = {"ready pixels": lambda: ready.train_until(ready.step + case.steps)}
    for peer, make in {"kornia": plain_loops.kornia, "torchvision": plain_loops.torchvision}.items():
        batches = make(SIMCLR, images, labels, batch_size)
        if batches is not None:
            peers[f"plain loop, {peer}"] = plain_loops.plain_loop(case.build(device), batches, CLASSES, case.steps)
    race(lambda: ours.train_until(ours.step + case.steps), peers, work=case.steps * batch_size, unit="images/s")
