"""Networks: shapes, published parameter counts, taps, and initialization by seed alone."""

from __future__ import annotations

import pytest
import torch

from rote import models

NAMES = models.names()


def small(name: str, **options):
    arguments = {"in_channels": 3, "image_size": 16, "num_classes": 7, "width": 8, "projector_width": 24, "seed": 3}
    return models.build(name, **(arguments | options))


def test_resnet18_has_the_papers_parameter_counts():
    model = models.build("resnet18", in_channels=3, image_size=32, num_classes=10)
    assert model.parameter_counts() == {"encoder": 11_168_832, "projector": 34_209_792, "total": 45_378_624}
    assert model.projector_width == 65_536
    assert all(module.bias is None for module in model.modules() if isinstance(module, torch.nn.Linear))


def test_resnet18_keeps_the_resolution_in_the_stem():
    model = small("resnet18").eval()
    with torch.no_grad():
        x = torch.rand(2, 3, 16, 16)
        sizes = []
        for stage in model.encoder:
            x = stage(x)
            sizes.append(tuple(x.shape[1:]))
    assert sizes == [(8, 16, 16), (8, 16, 16), (16, 8, 8), (32, 4, 4), (64, 2, 2)]


def test_resnet18_computes_what_torchvision_layout_computes():
    """The same weights in a second, independent statement of the network give the same features."""
    model = small("resnet18").eval()
    weights = model.state_dict()
    f = torch.nn.functional

    def norm(x, key):
        mean, var = weights[f"{key}.running_mean"], weights[f"{key}.running_var"]
        return f.batch_norm(x, mean, var, weights[f"{key}.weight"], weights[f"{key}.bias"])

    x = torch.rand(2, 3, 16, 16)
    out = f.relu(norm(f.conv2d(x, weights["encoder.stem.0.weight"], padding=1), "encoder.stem.1"))
    for layer in range(1, 5):
        for block in range(2):
            key = f"encoder.layer{layer}.{block}"
            stride = 2 if layer > 1 and block == 0 else 1
            y = f.relu(norm(f.conv2d(out, weights[f"{key}.conv1.weight"], stride=stride, padding=1), f"{key}.norm1"))
            y = norm(f.conv2d(y, weights[f"{key}.conv2.weight"], padding=1), f"{key}.norm2")
            if stride == 2:
                projected = f.conv2d(out, weights[f"{key}.shortcut.0.weight"], stride=2)
                out = norm(projected, f"{key}.shortcut.1")
            out = f.relu(y + out)
    with torch.no_grad():
        torch.testing.assert_close(model.encode(x), out.mean((2, 3)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("norm", ["batch", "group", "layer", "none"])
@pytest.mark.parametrize("name", NAMES)
def test_two_steps_of_training_reach_every_weight(name, norm):
    model = small(name, norm=norm, in_channels=1, image_size=(16, 12))
    generator = torch.Generator().manual_seed(0)
    x, target = torch.rand(5, 1, 16, 12, generator=generator), torch.rand(5, 7, generator=generator)
    assert model(x).shape == (5, 7)
    assert model.encode(x).shape == (5, model.features)
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(3):
        loss = (model(x) - target).square().mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[2] < losses[0]
    for old, (key, p) in zip(before, model.named_parameters(), strict=True):
        assert torch.isfinite(p).all(), key
        assert not torch.equal(old, p), key


@pytest.mark.parametrize("name", NAMES)
def test_activations_are_those_of_the_forward_pass(name):
    model = small(name).eval()
    x = torch.rand(4, 3, 16, 16)
    with torch.no_grad():
        found = model.activations(x)
        assert tuple(found) == model.layers
        assert model.layers[-3:] == ("encoder", "projector.hidden", "logits")
        torch.testing.assert_close(found["logits"], model(x))
        torch.testing.assert_close(found["encoder"], model.encode(x))
        hidden = torch.relu(model.encode(x) @ model.projector.hidden.weight.T)
        torch.testing.assert_close(found["projector.hidden"], hidden)
        first = next(iter(model.encoder))(x)
        pooled = first.mean((2, 3)) if first.dim() == 4 else first
        torch.testing.assert_close(found[model.layers[0]], pooled)
    assert all(value.dim() == 2 and value.dtype == torch.float32 for value in found.values())


def test_activations_compute_no_deeper_than_asked(monkeypatch):
    model = small("convnet").eval()
    monkeypatch.setattr(model.projector.hidden, "forward", lambda _: pytest.fail("the projector was run"))
    assert tuple(model.activations(torch.rand(1, 3, 16, 16), ["encoder", "stage1"])) == ("stage1", "encoder")
    assert model.activations(torch.rand(1, 3, 16, 16), []) == {}
    with pytest.raises(ValueError, match=r"layers must be out of .*got \['stage9'\]"):
        model.activations(torch.rand(1, 3, 16, 16), ["stage9"])


@pytest.mark.parametrize("name", NAMES)
def test_initialization_depends_on_the_seed_alone(name):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = small(name)
    assert torch.equal(torch.get_rng_state(), before), "the global generator moved"
    torch.manual_seed(2)
    two, other = small(name), small(name, seed=4)
    for (key, a), b in zip(one.state_dict().items(), two.state_dict().values(), strict=True):
        assert torch.equal(a, b), key
    assert not torch.equal(next(one.parameters()), next(other.parameters()))


def test_encoder_does_not_depend_on_the_projector():
    narrow, wide = small("convnet", projector_width=8), small("convnet", projector_width=64)
    for a, b in zip(narrow.encoder.parameters(), wide.encoder.parameters(), strict=True):
        assert torch.equal(a, b)


def test_initial_scale_is_kaiming_fan_out():
    weight = models.build("resnet18", in_channels=3, image_size=32, num_classes=10).encoder.layer3[0].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)


def test_layer_norm_is_over_channels_and_space():
    norms = [m for m in small("convnet", norm="layer").modules() if isinstance(m, torch.nn.GroupNorm)]
    assert len(norms) == 4
    x = torch.rand(3, norms[1].num_channels, 5, 4, dtype=torch.float64)
    wanted = (x - x.mean((1, 2, 3), keepdim=True)) / (x.var((1, 2, 3), keepdim=True, correction=0) + 1e-5).sqrt()
    torch.testing.assert_close(norms[1].double()(x), wanted)


def test_group_norm_groups_eight_channels():
    norms = [m for m in small("convnet", norm="group", width=16).modules() if isinstance(m, torch.nn.GroupNorm)]
    assert norms
    assert all(m.num_channels // m.num_groups == 8 for m in norms)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "vgg"}, "name must be one of"),
        ({"norm": "instance"}, "norm must be one of"),
        ({"depth": 0}, "depth must be at least 1; got 0"),
        ({"name": "resnet50", "image_size": (32, 7)}, "at least 8 x 8 for resnet50"),
        ({"name": "vgg16", "image_size": 7}, "at least 8 x 8 for vgg16"),
        ({"name": "vit-tiny", "image_size": 7}, "at least 8 x 8 for vit-tiny"),
        ({"name": "vit-tiny", "width": 10}, "width must be a multiple of 4 for vit-tiny; got 10"),
        ({"width": 0}, "width must be at least 1; got 0"),
        ({"num_classes": 0}, "num_classes must be at least 1"),
        ({"projector_width": -1}, "projector_width must be at least 1"),
        ({"image_size": 4}, "image_size must be at least 8 x 8"),
        ({"image_size": (16, 16, 3)}, "image_size must be one number or"),
        ({"seed": 2**64}, r"seed must be in \[0, 2\*\*64\)"),
    ],
)
def test_bad_arguments_are_named(options, message):
    options = {"name": "convnet"} | options
    with pytest.raises(ValueError, match=message):
        small(**options)
