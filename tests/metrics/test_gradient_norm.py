"""GraNd against a loop of autograd, finite differences and a hand-worked case."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from rote import models
from rote.metrics.gradient_norm import gradient_norms, last_layer_gradient_norms


@pytest.fixture
def labels():
    return torch.arange(12) % 5


def loop(model, images, labels, loss=F.cross_entropy):
    """One example after another by plain autograd."""
    found = []
    for image, label in zip(images, labels, strict=True):
        model.zero_grad()
        loss(model(image[None].float() / 255), label[None]).backward()
        found.append(sum(p.grad.double().square().sum() for p in model.parameters() if p.grad is not None).sqrt())
    model.zero_grad(set_to_none=True)
    return torch.stack(found)


@pytest.mark.parametrize("chunk", [1, 5, 64])
def test_norms_are_those_of_a_loop_of_autograd(images, labels, convnet, chunk):
    found = gradient_norms(convnet, images[:12], labels, chunk=chunk)
    assert found.dtype == torch.float64
    assert convnet.training
    torch.testing.assert_close(found, loop(convnet.eval(), images[:12], labels), rtol=1e-5, atol=1e-7)
    assert found.std() > 1e-3


def test_rows_of_a_bank_are_taken_by_id(images, labels, convnet):
    ids = torch.tensor([7, 40, 3])
    found = gradient_norms(convnet, images, labels[:3], image_ids=ids)
    torch.testing.assert_close(found, gradient_norms(convnet, images[ids], labels[:3]))


def test_norms_are_those_of_finite_differences(images):
    model = models.build("mlp", in_channels=3, image_size=8, num_classes=3, width=3, depth=1, norm="none", seed=1)
    model = model.double().eval()
    x, y = images[:2].double() / 255, torch.tensor([2, 0])
    step, squares = 1e-6, torch.zeros(2, dtype=torch.float64)

    def losses():
        with torch.no_grad():
            return F.cross_entropy(model(x), y, reduction="none")

    for p in model.parameters():
        flat = p.data.view(-1)
        for i in range(len(flat)):
            flat[i] += step
            above = losses()
            flat[i] -= 2 * step
            squares += ((above - losses()) / (2 * step)).square()
            flat[i] += step
    found = gradient_norms(model.float(), images[:2], y)
    torch.testing.assert_close(found, squares.sqrt(), rtol=1e-4, atol=1e-6)


def test_a_hand_worked_case():
    # Two classes, one pixel of value 1, weights 0: p = (1/2, 1/2), gradient (p - y) x and p - y.
    model = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    nn.init.zeros_(model[1].weight)
    nn.init.zeros_(model[1].bias)
    white = torch.full((1, 1, 1, 1), 255, dtype=torch.uint8)
    assert gradient_norms(model, white, torch.tensor([0])).item() == pytest.approx(1.0)
    assert last_layer_gradient_norms(model, white, torch.tensor([0])).item() == pytest.approx(1.0)


def test_frozen_parameters_have_no_part(images, labels, convnet):
    for p in convnet.encoder.parameters():
        p.requires_grad_(False)
    torch.testing.assert_close(
        gradient_norms(convnet, images[:12], labels), loop(convnet.eval(), images[:12], labels), rtol=1e-5, atol=1e-7
    )


def test_another_loss(images, labels, convnet):
    def squared(scores, y):
        return (scores - torch.eye(5)[y]).square().sum()

    found = gradient_norms(convnet, images[:12], labels, loss=squared)
    expected = loop(convnet.eval(), images[:12], labels, squared)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["convnet", "mlp"])
def test_the_last_layer_in_closed_form_is_autograds(images, labels, name):
    model = models.build(name, in_channels=3, image_size=8, num_classes=5, width=8, seed=3)
    if name == "mlp":  # an own head, with a bias
        model = nn.Sequential(nn.Flatten(), nn.Linear(192, 6), nn.ReLU(), nn.Linear(6, 5))
    last = model.projector.logits if name == "convnet" else model[3]
    found = last_layer_gradient_norms(model, images[:12], labels, batch_size=5)
    for p in model.parameters():
        p.requires_grad_(False)
    last.requires_grad_(True)
    torch.testing.assert_close(found, gradient_norms(model, images[:12], labels), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(found, last_layer_gradient_norms(model, images[:12], labels, layer=last))


def test_bad_arguments_are_named(images, labels, convnet):
    with pytest.raises(ValueError, match=r"labels must be int64 \[60\]"):
        gradient_norms(convnet, images, labels)
    with pytest.raises(ValueError, match="at a time must be at least 1; got 0"):
        gradient_norms(convnet, images[:12], labels, chunk=0)
    with pytest.raises(ValueError, match="parameters that require gradients"):
        gradient_norms(convnet.requires_grad_(False), images[:12], labels)
    with pytest.raises(ValueError, match="whose output the network gives"):
        last_layer_gradient_norms(convnet, images[:12], labels, layer=convnet.projector.hidden)
    with pytest.raises(ValueError, match="has no linear layer"):
        last_layer_gradient_norms(nn.Flatten(), images[:12], labels)
