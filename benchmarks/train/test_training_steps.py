"""The trainer's step with augmentation, beside the same step on ready pixels and beside a plain PyTorch loop."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rote import models, train
from rote.augment import recipes

IMAGES, CLASSES, STEPS = 512, 10, 10


class ReadyPixels:
    """Hands out pixels that were rendered before: what a step costs when data costs nothing."""

    def __init__(self, pixels: torch.Tensor) -> None:
        self.pixels = pixels

    def __call__(self, images, ids, views, *, seed, dtype, channels_last):
        return self.pixels


def make_trainer(name: str, batch_size: int, device: str, recipe, epochs: int = 10_000) -> train.Trainer:
    config = train.TrainConfig(model=name, batch_size=batch_size, epochs=epochs, device=device)
    model = models.build(name, in_channels=3, image_size=32, num_classes=CLASSES)
    images = torch.randint(0, 256, (IMAGES, 3, 32, 32), dtype=torch.uint8)
    labels = train.LabelSource.fixed(train.random_labels(torch.arange(IMAGES), CLASSES, 0), num_classes=CLASSES)
    stream = train.TrainingStream(images, torch.arange(IMAGES), labels, recipe, batch_size, train.Seeds())
    return train.Trainer(model, stream, config)


def plain_loop(name: str, batch_size: int, device: str):
    """The loop one writes first: kornia's transforms on the batch, contiguous layout, a loss read every step."""
    kornia = pytest.importorskip("kornia.augmentation")
    transform = nn.Sequential(
        kornia.RandomResizedCrop((32, 32), scale=(0.5, 1.0)),
        kornia.RandomHorizontalFlip(),
        kornia.ColorJitter(0.4, 0.4, 0.4, 0.1, p=0.8),
        kornia.RandomGrayscale(p=0.2),
    )
    model = models.build(name, in_channels=3, image_size=32, num_classes=CLASSES).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    images = torch.randint(0, 256, (IMAGES, 3, 32, 32), dtype=torch.uint8, device=device)
    labels = torch.randint(0, CLASSES, (IMAGES,), device=device)

    def run() -> float:
        total = 0.0
        for _ in range(STEPS):
            ids = torch.randint(0, IMAGES, (batch_size,), device=device)
            logits = model(transform(images[ids].float() / 255))
            loss = (logits - nn.functional.one_hot(labels[ids], CLASSES)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total

    return run


@pytest.mark.parametrize("name", ["convnet", "resnet18"], ids="training step of {}".format)
def test_training_step(race, device, quick, name):
    if name == "resnet18" and device == "cpu" and not quick:
        pytest.skip("a step of resnet18 takes seconds on a CPU")
    batch_size = {"cpu": {"convnet": 128, "resnet18": 8}, "cuda": {"convnet": 512, "resnet18": 256}}[device][name]
    ours = make_trainer(name, batch_size, device, recipes["benign-mild"])
    ready = make_trainer(name, batch_size, device, None)
    ready.stream.recipe = ReadyPixels(ours.stream.batch(0)[0])
    race(
        lambda: ours.train_until(ours.step + STEPS),
        {
            "ready pixels": lambda: ready.train_until(ready.step + STEPS),
            "plain loop, kornia": plain_loop(name, batch_size, device),
        },
        work=STEPS * batch_size,
        unit="images/s",
    )
