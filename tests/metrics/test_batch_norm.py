"""Recalibration: statistics of clean images inside the block, the trained ones after it."""

from __future__ import annotations

import copy

import pytest
import torch

from rote import metrics, models


def buffers(model):
    return {name: value.clone() for name, value in model.named_buffers()}


def test_first_layer_statistics_are_those_of_the_clean_images(images, convnet):
    """The whole set in one batch: mean and unbiased variance, computed here in float64."""
    with metrics.recalibrated(convnet, images, batch_size=64) as model:
        found = model.encoder.stage1[1]
        conv = model.encoder.stage1[0]
        z = torch.nn.functional.conv2d(images.double() / 255, conv.weight.double(), stride=conv.stride, padding=1)
        torch.testing.assert_close(found.running_mean.double(), z.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found.running_var.double(), z.var((0, 2, 3)), rtol=1e-4, atol=1e-5)


def test_eval_mode_then_equals_train_mode_on_the_same_images(images, convnet):
    twin = copy.deepcopy(convnet).train()
    with torch.no_grad():
        expected = twin(images.float() / 255)
    with metrics.recalibrated(convnet, images, batch_size=64), torch.no_grad():
        found = convnet.eval()(images.float() / 255)
    # Biased against unbiased variance: 1 part in 60 x 2 x 2 at the deepest layer.
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0.01)


def test_statistics_modes_and_momentum_come_back(images, convnet):
    before = buffers(convnet)
    convnet.encoder.stage2.eval()
    modes = [module.training for module in convnet.modules()]
    momenta = [m.momentum for m in convnet.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    inside = {}

    def fail_inside():
        with metrics.recalibrated(convnet, images):
            inside.update(buffers(convnet))
            assert [module.training for module in convnet.modules()] == modes
            raise KeyError("while measuring")

    with pytest.raises(KeyError, match="while measuring"):
        fail_inside()
    after = buffers(convnet)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert any(not torch.equal(before[name], inside[name]) for name in before)
    assert [module.training for module in convnet.modules()] == modes
    assert [m.momentum for m in convnet.modules() if isinstance(m, torch.nn.BatchNorm2d)] == momenta


def test_a_sorted_bank_is_shuffled_first(images, convnet):
    """Batches of neighbours in a sorted bank vary too little; the variance must be that of the whole set."""
    conv = convnet.encoder.stage1[0]
    z = torch.nn.functional.conv2d(images.float() / 255, conv.weight.detach(), stride=conv.stride, padding=1)
    with metrics.recalibrated(convnet, images, batch_size=20):
        shuffled = convnet.encoder.stage1[1].running_var.clone()
    in_order = torch.stack([part.var((0, 2, 3)) for part in z.split(20)]).mean(0)
    whole = z.var((0, 2, 3))
    assert ((shuffled - whole).abs() < 0.3 * (in_order - whole).abs()).all()


def test_a_subset_and_a_limit(images, convnet):
    with metrics.recalibrated(convnet, images, image_ids=torch.arange(10)):
        few = buffers(convnet)
    with metrics.recalibrated(convnet, images[:10]):
        same = buffers(convnet)
    assert all(torch.equal(few[name], same[name]) for name in few)
    with metrics.recalibrated(convnet, images, num_images=32, batch_size=8):
        assert int(convnet.encoder.stage1[1].num_batches_tracked) == 4


def test_networks_without_batch_norm_pass_through(images):
    model = models.build("convnet", in_channels=3, image_size=8, num_classes=5, width=4, norm="group")
    before = buffers(model)
    with metrics.recalibrated(model, images) as same:
        assert same is model
    assert buffers(model).keys() == before.keys()
