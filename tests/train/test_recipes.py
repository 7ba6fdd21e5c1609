"""The trainer on the real engine: named recipes, both layouts, the thread count without influence on the pixels."""

from __future__ import annotations

import pytest
import torch

from rote import models, train
from rote.augment import recipes


def make(images, recipe, views=None, model="convnet", device="cpu"):
    config = train.TrainConfig(model=model, epochs=4, batch_size=10, device=device, width=4, projector_width=16)
    network = models.build(model, in_channels=3, image_size=8, num_classes=4, width=4, projector_width=16)
    ids = torch.arange(5, 35)
    labels = train.LabelSource.fixed(train.random_labels(ids, 4, 0), num_classes=4, image_ids=ids)
    stream = train.TrainingStream(images, ids, labels, recipes[recipe], 10, train.Seeds.from_seed(1), views)
    return train.Trainer(network, stream, config)


@pytest.mark.parametrize("recipe", ["none", "flip-crop", "benign-mild", "benign-full"])
def test_both_layouts_show_the_same_pixels(images, recipe):
    convnet, mlp = make(images, recipe), make(images, recipe, model="mlp")
    for step in (0, 4, 11):
        (x, y), (same_x, same_y) = convnet.stream.batch(step), mlp.stream.batch(step)
        assert x.is_contiguous(memory_format=torch.channels_last)
        assert same_x.is_contiguous()
        assert torch.equal(x, same_x)
        assert torch.equal(y, same_y)
        ids, views, _ = convnet.stream.addresses(step)
        assert torch.equal(x, recipes[recipe](images, ids, views, seed=1))
    if recipe == "none":
        assert torch.equal(x, images[ids].float() / 255)


def test_resuming_on_real_views_keeps_the_bits(images, tmp_path, device):
    whole, killed, resumed = (make(images, "benign-mild", views=3, device=device) for _ in range(3))
    whole.train_until(whole.total_steps)
    killed.train_until(7)
    train.save_checkpoint(tmp_path / "state", killed)
    train.load_checkpoint(tmp_path / "state", resumed)
    resumed.train_until(resumed.total_steps)
    for (name, a), b in zip(whole.model.state_dict().items(), resumed.model.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    running = whole.take_running()
    assert 0 < running.loss < 1
    assert running.samples == 12 * 10
