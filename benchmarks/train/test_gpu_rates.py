"""Images per second of a training step on a GPU, with the share of the matrix peak that its arithmetic takes.

A step in bfloat16 with flips and padded crops rendered inside: as one CUDA graph, and operator by operator; beside the
same network fed with pixels rendered before, without augmentation, and by the loader of the CIFAR-10 speed runs. The
share counts the products and convolutions alone, forward and backward (torch.utils.flop_counter).
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.augment.chain import FLIP_CROP
from benchmarks.augment.peers.airbench_loader import render_airbench
from rote import models, train
from rote.augment import Recipe

IMAGES, SIZE, CLASSES, STEPS = 8192, 32, 10, 20
BATCHES = {"resnet18": 512, "convnet": 2048}


class Given:
    """A source of views of somebody else's making: `render` gives the pixels of a batch of rows."""

    def __init__(self, render) -> None:
        self.render = render

    def __call__(self, images, ids, views, *, seed, dtype, channels_last):
        x = self.render(images, ids).to(dtype)
        return x.contiguous(memory_format=torch.channels_last) if channels_last else x


def airbench_source(images: Tensor, batch_size: int) -> Given:
    """The loader's translations and flips of a batch, drawn anew at every step."""
    rows = torch.zeros(batch_size, dtype=torch.int64, device=images.device)
    render = render_airbench(FLIP_CROP, images, rows)

    def of_batch(_: Tensor, ids: Tensor) -> Tensor:
        rows.copy_(ids)
        return render()

    return Given(of_batch)


def flops_of_an_image(network: nn.Module) -> float:
    """Of forward and backward, per image."""
    x = torch.rand(4, 3, SIZE, SIZE, device=next(network.parameters()).device)
    with FlopCounterMode(display=False) as counter:
        network(x).sum().backward()
    return counter.get_total_flops() / len(x)


@pytest.mark.parametrize("name", BATCHES, ids="training step of {}, bf16".format)
def test_images_per_second(race, device, quick, name):
    if device == "cpu" and not quick:
        pytest.skip("rates in bfloat16 are of interest on a GPU")
    batch_size = 8 if quick else BATCHES[name]
    count = 64 if quick else IMAGES
    images = torch.randint(0, 256, (count, 3, SIZE, SIZE), dtype=torch.uint8, device=device)
    labels = train.LabelSource.fixed(torch.randint(0, CLASSES, (count,)), num_classes=CLASSES)
    small = {"width": 8, "projector_width": 64} if quick else {}

    def steps_of(recipe, execution: str):
        network = models.build(name, in_channels=3, image_size=SIZE, num_classes=CLASSES, **small)
        config = train.TrainConfig(
            model=name, batch_size=batch_size, epochs=10_000, device=device, precision="bfloat16", execution=execution
        )
        stream = train.TrainingStream(images, torch.arange(count), labels, recipe, batch_size, train.Seeds())
        trainer = train.Trainer(network, stream, config)
        return lambda: trainer.train_until(trainer.step + STEPS)

    recipe, best = FLIP_CROP.recipe(), "graph" if device == "cuda" else "eager"
    ready = recipe(images, torch.arange(batch_size, device=device), torch.arange(batch_size, device=device))
    ready = ready.bfloat16().contiguous(memory_format=torch.channels_last)
    network = models.build(name, in_channels=3, image_size=SIZE, num_classes=CLASSES, **small)
    work = STEPS * batch_size
    race(
        steps_of(recipe, best),
        {
            "without augmentation": steps_of(Recipe(), best),
            "ready pixels, operator by operator": steps_of(Given(lambda *_: ready), "eager"),
            "airbench's loader, operator by operator": steps_of(airbench_source(images, batch_size), "eager"),
        },
        also={"operator by operator": steps_of(recipe, "eager")},
        work=work,
        unit="images/s",
        peaks={("matmul", "auto"): work * flops_of_an_image(network)},
    )
