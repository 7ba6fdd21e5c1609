"""Pooling of a layer's output, on its own and through `activations`."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote import models
from rote.experiments.inputs.own_model import TappedModel
from rote.models import POOLINGS, pooled


def by_hand(x: torch.Tensor, pooling: str) -> np.ndarray:
    a = x.double().numpy()
    height, width = a.shape[2:]
    if pooling == "average":
        return a.mean((2, 3))
    if pooling == "max":
        return a.max((2, 3))
    if pooling == "flatten":
        return a.reshape(len(a), -1)
    rows = (slice(0, -(-height // 2)), slice(height // 2, height))
    columns = (slice(0, -(-width // 2)), slice(width // 2, width))
    cells = [a[:, :, row, column].mean((2, 3)) for row in rows for column in columns]
    return np.stack(cells, axis=2).reshape(len(a), -1)


@pytest.mark.parametrize("size", [(4, 6), (5, 3), (1, 1)])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooled(pooling, size):
    x = torch.rand(3, 2, *size)
    np.testing.assert_allclose(pooled(x, pooling).numpy(), by_hand(x, pooling), rtol=1e-6)
    flat = torch.rand(3, 5)
    assert torch.equal(pooled(flat, pooling), flat)


def test_other_shapes():
    x = torch.rand(2, 3, 4)
    assert torch.equal(pooled(x), x.mean(2))
    assert torch.equal(pooled(x, "max"), x.amax(2))
    with pytest.raises(ValueError, match=r"grid2 needs an output \[B, C, H, W\]; got \(2, 3, 4\)"):
        pooled(x, "grid2")
    with pytest.raises(ValueError, match=r"pooling must be one of .*got 'mean'"):
        pooled(x, "mean")


@pytest.mark.parametrize("name", models.names())
@pytest.mark.parametrize("pooling", POOLINGS)
def test_activations_pool_every_stage(name, pooling):
    model = models.build(name, in_channels=3, image_size=16, num_classes=7, width=8, projector_width=24, seed=3).eval()
    x = torch.rand(4, 3, 16, 16)
    with torch.no_grad():
        found = model.activations(x, pooling=pooling)
        value = x
        for layer, stage in zip(model.layers, model.encoder, strict=False):
            value = stage(value)
            assert torch.equal(found[layer], pooled(value, pooling)), layer
        # What the projector reads does not depend on how layers are shown.
        torch.testing.assert_close(found["logits"], model(x))
        assert list(model.activations(x, ["encoder"], pooling=pooling)) == ["encoder"]
        alone = model.activations(x, ["logits"], pooling=pooling)["logits"]
    assert torch.equal(alone, found["logits"])
    with pytest.raises(ValueError, match="pooling must be one of"):
        model.activations(x, pooling="mean")


def test_a_module_of_ones_own_is_pooled_alike():
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4 * 14 * 14, 5))
    model = TappedModel(module, ["0"]).eval()
    x = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        for pooling in POOLINGS:
            found = model.activations(x, pooling=pooling)
            assert torch.equal(found["0"], pooled(module[0](x), pooling))
            assert torch.equal(found["logits"], module(x))
        assert torch.equal(model.encode(x), pooled(module[0](x)))
    with pytest.raises(ValueError, match="pooling must be one of"):
        model.activations(x, [], pooling="mean")
