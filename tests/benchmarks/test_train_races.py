"""What the trainer's benchmarks race does what they say."""

from __future__ import annotations

import pytest
import torch
from benchmarks.train.digit_sized import BATCH, train_settings
from benchmarks.train.test_gpu_rates import Given, airbench_source, flops_of_an_image

from benchmarks import peaks
from rote import models, train


def test_flops_are_those_of_products_and_convolutions():
    """Counted by hand: two per multiply-add; backward twice the forward, but not towards the pixels."""
    network = models.build("mlp", in_channels=3, image_size=32, num_classes=10, width=8, projector_width=16)
    first, rest = 3 * 32 * 32 * 8, 8 * 8 + 8 * 16 + 16 * 10
    assert flops_of_an_image(network) == 2 * (2 * first + 3 * rest)


def test_airbenchs_loader_feeds_the_trainer():
    images = torch.randint(0, 256, (24, 3, 32, 32), dtype=torch.uint8)
    source = airbench_source(images, 8)
    how = {"seed": 0, "dtype": torch.float32, "channels_last": False}
    ids = torch.arange(8)
    x = source(images, ids, ids, **how)
    assert x.shape == (8, 3, 32, 32)
    assert not torch.equal(source(images, ids, ids, **how), x)
    # A view of image i: normalized pixels of that image, moved by up to four.
    one = torch.zeros_like(images)
    one[5] = 255
    shown = airbench_source(one, 8)(one, ids, ids, **how).flatten(1).mean(1)
    assert shown.argmax() == 5
    assert (shown[:5] < 0).all()


def test_given_pixels_come_in_the_layout_asked_for():
    pixels = torch.rand(2, 3, 4, 4)
    source = Given(lambda images, ids: pixels)
    x = source(None, None, None, seed=0, dtype=torch.bfloat16, channels_last=True)
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(x, pixels.bfloat16())


def test_matrix_peak_is_plausible():
    assert 1e7 < peaks.measure("matmul") < 1e16


@pytest.mark.parametrize("model", ["mlp", "convnet"])
def test_both_sides_of_a_race_train_the_same_networks(model):
    settings = [train_settings(model, 4, "cpu", seed) for seed in range(2)]
    together = train.ReplicaTrainer(*zip(*settings, strict=True), batched=True)
    together.train_until(3)
    for seed in range(2):
        alone = train.Trainer(*train_settings(model, 4, "cpu", seed))
        assert alone.stream.batch_size == BATCH
        alone.train_until(3)
        for ours, theirs in zip(together.model(seed).parameters(), alone.model.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)
