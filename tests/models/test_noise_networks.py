"""The networks of arXiv 1611.03530 and 1706.05394: their published sizes, and what they compute, stated again."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as f

from rote import models

NAMES = ("small-inception", "small-alexnet", "closer-look-cnn", "zhang-mlp", "wrn-28-1")


def build(name: str, **options):
    return models.build(name, **({"in_channels": 3, "image_size": 28, "num_classes": 10} | options))


def total(model) -> int:
    return model.parameter_counts()["total"]


def norm_parameters(model) -> int:
    return sum(
        p.numel() for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) for p in m.parameters()
    )


def test_published_parameter_counts():
    assert total(build("small-inception", norm="none")) == 1_649_402
    with_norm = build("small-inception")
    assert total(with_norm) - norm_parameters(with_norm) == 1_649_402
    assert total(build("small-alexnet", norm="none")) == 1_387_786
    assert total(build("zhang-mlp", norm="none")) == 1_209_866
    assert total(build("zhang-mlp", depth=3, norm="none")) == 1_735_178
    assert total(build("wrn-28-1", image_size=32)) == 369_498


def test_closer_look_cnn_has_the_layers_of_the_paper():
    model = build("closer-look-cnn")
    convolutions = 200 * (3 * 25 + 1) + 200 * (200 * 25 + 1)
    dense = 384 * (200 * 49 + 1) + 192 * 385 + 10 * 193
    assert total(model) == convolutions + dense + 2 * (200 + 200 + 384 + 192)
    kinds = [type(m).__name__ for m in model.encoder.modules() if not isinstance(m, (nn.Sequential, nn.Flatten))]
    conv, layer = ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"], ["Linear", "BatchNorm1d", "ReLU"]
    assert kinds == [*conv, *conv, *layer, *layer]


def test_a_linear_head_has_no_hidden_layer():
    model = build("zhang-mlp", width=8).eval()
    assert model.layers == ("encoder", "logits")
    x = torch.rand(2, 3, 28, 28)
    with torch.no_grad():
        found = model.activations(x)
        assert tuple(found) == model.layers
        torch.testing.assert_close(found["logits"], model(x))
        head = model.projector.logits
        torch.testing.assert_close(found["logits"], found["encoder"] @ head.weight.T + head.bias)
    assert build("zhang-mlp", width=8, projector_width=4).layers == ("encoder", "projector.hidden", "logits")


def test_widths_are_in_proportion():
    sizes = [m.out_channels for m in build("small-inception", width=24).modules() if isinstance(m, nn.Conv2d)]
    assert sizes == [24, 8, 8, 8, 12, 20, 28, 12, 24, 16, 20, 20, 12, 24, 24, 44, 40, 44, 40]
    assert build("small-inception", width=1, norm="none").features >= 2
    assert [m.out_channels for m in build("small-alexnet", width=5).modules() if isinstance(m, nn.Conv2d)] == [5, 5]


def test_small_inception_computes_what_the_paper_draws():
    model = build("small-inception", width=12).eval()
    weights = model.state_dict()

    def conv(x, key, stride=1):
        kernel = weights[f"{key}.0.weight"]
        x = f.conv2d(x, kernel, weights[f"{key}.0.bias"], stride=stride, padding=kernel.shape[-1] // 2)
        mean, var = weights[f"{key}.1.running_mean"], weights[f"{key}.1.running_var"]
        return f.relu(f.batch_norm(x, mean, var, weights[f"{key}.1.weight"], weights[f"{key}.1.bias"]))

    x = torch.rand(2, 3, 28, 28)
    out, sides = conv(x, "encoder.conv"), []
    for name in (
        "inception1",
        "inception2",
        "down1",
        *(f"inception{i}" for i in range(3, 7)),
        "down2",
        "inception7",
        "inception8",
    ):
        key = f"encoder.{name}.branches"
        if name.startswith("down"):
            out = torch.cat([conv(out, f"{key}.0", 2), f.max_pool2d(out, 3, 2, 1)], 1)
        else:
            out = torch.cat([conv(out, f"{key}.0"), conv(out, f"{key}.1")], 1)
        sides.append(out.shape[-1])
    assert sides == [28, 28, 14, 14, 14, 14, 14, 7, 7, 7]
    with torch.no_grad():
        torch.testing.assert_close(model.encode(x), out.mean((2, 3)), rtol=1e-5, atol=1e-6)


def test_response_normalization_is_tensorflows():
    """tf.nn.lrn(x, 4, bias=1, alpha=.001 / 9, beta=.75), from its definition."""
    layer = next(m for m in build("small-alexnet").modules() if isinstance(m, nn.LocalResponseNorm))
    x = 30 * torch.rand(1, 20, 2, 2, dtype=torch.float64)
    for channel in (0, 3, 11, 19):
        near = x[:, max(0, channel - 4) : channel + 5].square().sum(1)
        expected = x[:, channel] / (1.0 + 0.001 / 9 * near) ** 0.75
        torch.testing.assert_close(layer(x)[:, channel], expected)


def test_whitening_is_the_papers_formula():
    x = torch.rand(4, 3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x[1] = 0.25  # of one colour
    x[2] = 0.5 + 1e-3 * x[2]  # of less contrast than the bound
    white = models.PerImageWhitening()(x)
    values = x.numpy()
    for row in range(4):
        deviation = max(values[row].std(), 90**-0.5)
        torch.testing.assert_close(white[row], torch.tensor((values[row] - values[row].mean()) / deviation))
    assert white[0].std(correction=0).item() == pytest.approx(1.0)
    assert not white[1].any()
    # Half precision rounds the pixels and the result, and nothing in between.
    half = (0.5 + 0.25 * x[:1]).bfloat16()
    torch.testing.assert_close(
        models.PerImageWhitening()(half), models.PerImageWhitening()(half.float()).bfloat16(), rtol=0, atol=0
    )
    plain, whitened = build("small-inception", width=12), build("small-inception", width=12, whiten=True)
    assert plain.state_dict().keys() == whitened.state_dict().keys()
    assert whitened.layers == plain.layers
    images = torch.rand(2, 3, 28, 28)
    with torch.no_grad():
        white = models.PerImageWhitening()(images)
        torch.testing.assert_close(whitened.eval()(images), plain.eval()(white))
        torch.testing.assert_close(whitened.activations(images)["conv"], plain.activations(white)["conv"])


@pytest.mark.parametrize("name", NAMES)
def test_images_of_odd_sizes(name):
    model = build(name, width=4, image_size=(13, 10)).eval()
    assert model(torch.rand(2, 3, 13, 10)).shape == (2, 10)


@pytest.mark.parametrize("name", ["small-inception", "small-alexnet", "closer-look-cnn"])
def test_fixed_depths_and_small_images_are_refused(name):
    with pytest.raises(ValueError, match=f"depth must be None for {name}"):
        build(name, depth=2)
    with pytest.raises(ValueError, match=f"at least 8 x 8 for {name}"):
        build(name, image_size=7)
    with pytest.raises(ValueError, match="at least 8 x 8 for wrn-28-1"):
        build("wrn-28-1", image_size=7)
