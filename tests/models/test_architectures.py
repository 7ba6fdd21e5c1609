"""Each architecture: its published size, its depth dial, and the same network stated a second time."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as f

from rote import models
from rote.models.vit_tiny import patch_size, positions


def build(name: str, **options):
    return models.build(name, **({"in_channels": 3, "image_size": 32, "num_classes": 10} | options))


def convolutions(model) -> list[nn.Conv2d]:
    return [module for module in model.modules() if isinstance(module, nn.Conv2d)]


def encoder_parameters(name: str, **options) -> int:
    return build(name, projector_width=1, **options).parameter_counts()["encoder"]


def test_resnet50_has_the_parameters_of_torchvision_with_another_stem():
    # torchvision's resnet50 has 25,557,032; its stem is 7 x 7, its head 2048 x 1000 + 1000.
    assert encoder_parameters("resnet50") == 25_557_032 - 2_049_000 - 64 * 3 * 49 + 64 * 3 * 9 == 23_500_352


def test_vgg16_has_the_parameters_of_torchvisions_features():
    # torchvision's vgg16 and vgg16_bn have 138,357,544 and 138,365,992, of which 123,642,856 are fully connected.
    assert encoder_parameters("vgg16", norm="none") == 138_357_544 - 123_642_856 == 14_714_688
    biases = 2 * 64 + 2 * 128 + 3 * 256 + 6 * 512
    assert encoder_parameters("vgg16") == 138_365_992 - 123_642_856 - biases == 14_718_912


def test_vit_tiny_has_the_parameters_of_deit_tiny():
    # DeiT-Ti has 5,717,416: 1,000 classes, a class token, 197 trained positions, 16-pixel patches.
    head, tokens, patches = 192 * 1000 + 1000, 192 + 197 * 192, 192 * 3 * (16**2 - 4**2)
    assert encoder_parameters("vit-tiny", norm="layer") == 5_717_416 - head - tokens - patches == 5_348_160
    assert encoder_parameters("vit-tiny", norm="batch") == 5_348_160


@pytest.mark.parametrize(("name", "features"), [("resnet18", 512), ("resnet50", 2048), ("vgg16", 512)])
def test_projectors_are_as_wide_as_the_papers(name, features):
    model = build(name)
    assert model.features == features
    assert model.parameter_counts()["projector"] == 65_536 * (features + 10)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_the_stem_halves_images_of_64_pixels_and_more(name):
    sizes = {}
    for size in (32, 63, 64, 96):
        model = build(name, image_size=(size, 100), width=8, projector_width=8)
        sizes[size] = convolutions(model)[0].stride[0]
    assert sizes == {32: 1, 63: 1, 64: 2, 96: 2}
    assert encoder_parameters(name, image_size=64, width=8) == encoder_parameters(name, image_size=32, width=8)


def test_resnet50_computes_what_torchvision_layout_computes():
    """The same weights in a second, independent statement of the network give the same features."""
    model = build("resnet50", width=8, projector_width=8, image_size=16).eval()
    weights = model.state_dict()

    def norm(x, key):
        mean, var = weights[f"{key}.running_mean"], weights[f"{key}.running_var"]
        return f.batch_norm(x, mean, var, weights[f"{key}.weight"], weights[f"{key}.bias"])

    x = torch.rand(2, 3, 16, 16)
    out = f.relu(norm(f.conv2d(x, weights["encoder.stem.0.weight"], padding=1), "encoder.stem.1"))
    for layer, blocks in enumerate((3, 4, 6, 3), start=1):
        for block in range(blocks):
            key = f"encoder.layer{layer}.{block}"
            stride = 2 if layer > 1 and block == 0 else 1
            y = f.relu(norm(f.conv2d(out, weights[f"{key}.conv1.weight"]), f"{key}.norm1"))
            y = f.relu(norm(f.conv2d(y, weights[f"{key}.conv2.weight"], stride=stride, padding=1), f"{key}.norm2"))
            y = norm(f.conv2d(y, weights[f"{key}.conv3.weight"]), f"{key}.norm3")
            if block == 0:
                out = norm(f.conv2d(out, weights[f"{key}.shortcut.0.weight"], stride=stride), f"{key}.shortcut.1")
            out = f.relu(y + out)
    with torch.no_grad():
        assert model.encode(x).shape == (2, 256)
        torch.testing.assert_close(model.encode(x), out.mean((2, 3)), rtol=1e-5, atol=1e-6)


def test_vgg16_has_its_five_stages():
    model = build("vgg16", width=8, projector_width=8).eval()
    assert [conv.out_channels // 8 for conv in convolutions(model)] == [1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8]
    x = torch.rand(1, 3, 32, 32)
    sizes = []
    with torch.no_grad():
        for stage in model.encoder:
            x = stage(x)
            sizes.append(tuple(x.shape[1:]))
    assert sizes == [(8, 16, 16), (16, 8, 8), (32, 4, 4), (64, 2, 2), (64, 1, 1)]


@pytest.mark.parametrize("size", [(8, 8), (16, 12), (33, 70)])
def test_vgg16_takes_small_and_odd_images(size):
    model = build("vgg16", width=4, projector_width=8, image_size=size).eval()
    assert model(torch.rand(2, 3, *size)).shape == (2, 10)


def test_vit_tiny_computes_what_torchs_transformer_computes():
    """torch.nn.TransformerEncoderLayer with the same weights, pre-norm, gives the same features."""
    model = build("vit-tiny", width=128, depth=2, projector_width=8, norm="layer").eval()
    weights = model.state_dict()
    x = torch.rand(3, 3, 32, 32)
    patches = f.unfold(4 * x - 2, 4, stride=4).transpose(1, 2)  # [B, 64, 3 x 16], in the order of pixel_unshuffle
    out = patches @ weights["encoder.patches.linear.weight"].T + weights["encoder.patches.linear.bias"]
    out = out + positions(8, 8, 128)
    for index in (1, 2):
        key = f"encoder.block{index}" + (".0" if index == 2 else "")
        layer = nn.TransformerEncoderLayer(
            128, 2, 512, dropout=0.0, activation="gelu", norm_first=True, batch_first=True, layer_norm_eps=1e-5
        )
        renamed = {
            "self_attn.in_proj_weight": "qkv.weight",
            "self_attn.in_proj_bias": "qkv.bias",
            "self_attn.out_proj.weight": "out.weight",
            "self_attn.out_proj.bias": "out.bias",
            "linear1.weight": "mlp.0.weight",
            "linear1.bias": "mlp.0.bias",
            "linear2.weight": "mlp.2.weight",
            "linear2.bias": "mlp.2.bias",
            "norm1.weight": "norm1.norm.weight",
            "norm1.bias": "norm1.norm.bias",
            "norm2.weight": "norm2.norm.weight",
            "norm2.bias": "norm2.norm.bias",
        }
        layer.load_state_dict({theirs: weights[f"{key}.{ours}"] for theirs, ours in renamed.items()})
        out = layer.eval()(out)
    out = f.layer_norm(out, (128,)).mean(1)
    with torch.no_grad():
        torch.testing.assert_close(model.encode(x), out, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "patch"),
    [((32, 32), 4), ((16, 16), 2), ((64, 64), 8), ((28, 28), 2), ((32, 48), 4), ((17, 17), 1), ((224, 224), 28)],
)
def test_patches_divide_the_image(size, patch):
    assert patch_size(size) == patch


def test_positions_are_distinct_and_bounded():
    table = positions(8, 8, 192)
    assert table.shape == (64, 192)
    assert table.abs().max() <= 1
    assert torch.cdist(table, table).add(torch.eye(64) * 9).min() > 0.5
    # Row 3, column 5: sines and cosines of 5 at frequency 1 and 1/10,000, then those of 3.
    row = table[3 * 8 + 5]
    wanted = torch.tensor([5.0, 5e-4, 3.0, 3e-4])
    torch.testing.assert_close(row[[0, 47, 96, 143]], wanted.sin())
    torch.testing.assert_close(row[[48, 95, 144, 191]], wanted.cos())


@pytest.mark.parametrize(("width", "heads"), [(8, 1), (64, 1), (128, 2), (192, 3), (200, 2), (768, 12)])
def test_heads_have_64_channels_where_the_width_allows(width, heads):
    model = build("vit-tiny", width=width, depth=1, projector_width=8)
    assert model.encoder.block1[0].heads == heads


@pytest.mark.parametrize(
    ("name", "depth", "layers"),
    [
        ("convnet", 1, 1),
        ("convnet", 2, 2),
        ("convnet", 3, 3),
        ("convnet", 8, 8),
        ("mlp", 1, 1),
        ("mlp", 5, 5),
        ("resnet18", 1, 1 + 8),
        ("resnet18", 3, 1 + 24),
        ("resnet50", 1, 1 + 12),
        ("vgg16", 1, 5),
        ("vit-tiny", 1, 1 + 4),
        ("vit-tiny", 3, 1 + 12),
    ],
)
def test_depth_dial(name, depth, layers):
    model = build(name, width=8, depth=depth, projector_width=8)
    named = model.encoder.named_modules()
    main = [m for key, m in named if isinstance(m, nn.Conv2d | nn.Linear) and not key.endswith("shortcut.0")]
    assert len(main) == layers
    assert model(torch.rand(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize(
    ("size", "depth", "multiples", "strides"),
    [
        (32, None, [1, 2, 4], [2, 2, 2]),
        (16, None, [1, 1, 2, 4], [2, 1, 2, 2]),
        (32, 1, [1], [2]),
        (32, 2, [1, 2], [2, 2]),
        (16, 3, [1, 2, 4], [2, 2, 2]),
        (32, 4, [1, 1, 2, 4], [2, 1, 2, 2]),
        (32, 8, [1, 1, 1, 2, 2, 2, 4, 4], [2, 1, 1, 2, 1, 1, 2, 1]),
    ],
)
def test_convnet_adds_convolutions_to_each_resolution_in_turn(size, depth, multiples, strides):
    model = build("convnet", image_size=size, width=8, depth=depth, projector_width=8)
    assert [conv.out_channels // 8 for conv in convolutions(model)] == multiples
    assert [conv.stride[0] for conv in convolutions(model)] == strides
    assert model.features == 8 * multiples[-1]
    assert model.layers == (*(f"stage{i + 1}" for i in range(len(multiples) - 1)), *model.layers[-3:])
    assert model.encode(torch.rand(2, 3, size, size)).shape == (2, model.features)
