"""Optimizers against their update rules written out in float64, and Muon against torch's on what both can do."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from rote import models, train
from rote.train.adam import Adam
from rote.train.lars import LARS
from rote.train.muon import Muon, hidden_matrices, orthogonalized
from rote.train.optimizers import make_optimizer


def gradients_of(shape, count=5):
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator) for _ in range(count)]


@pytest.mark.parametrize("options", [{"optimizer": "adam"}, {"optimizer": "sgd", "momentum": 0.8, "weight_decay": 0.1}])
def test_adam_and_sgd_follow_their_formulas(options):
    parameter = torch.nn.Linear(3, 2, bias=False)
    config = train.TrainConfig(lr=0.01, **options)
    optimizer = make_optimizer(parameter, config)
    w = parameter.weight.detach().double().clone()
    m, v = torch.zeros_like(w), torch.zeros_like(w)
    for t, gradient in enumerate(gradients_of((2, 3)), start=1):
        parameter.weight.grad = gradient.clone()
        optimizer.step()
        g = gradient.double() + config.weight_decay * w
        if config.optimizer == "adam":
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            w = w - 0.01 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
        else:
            m = g if t == 1 else 0.8 * m + g
            w = w - 0.01 * m
    torch.testing.assert_close(parameter.weight.detach().double(), w, rtol=1e-5, atol=1e-6)


# LARS ---------------------------------------------------------------------------------------------------------------


def test_one_lars_step_by_hand():
    weight, bias = nn.Parameter(torch.tensor([[3.0, 4.0]])), nn.Parameter(torch.tensor([1.0]))
    optimizer = LARS([weight, bias], lr=2.0, momentum=0.9, weight_decay=0.1)
    weight.grad, bias.grad = torch.tensor([[0.0, 2.0]]), torch.tensor([0.5])
    optimizer.step()
    # |w| = 5, |g| = 2: s = .001 * 5 / (2 + .1 * 5) = .002; step 2 * .002 * (g + .1 w).
    assert weight.tolist()[0] == pytest.approx([3 - 0.004 * 0.3, 4 - 0.004 * 2.4])
    assert bias.item() == pytest.approx(1 - 2 * 0.5), "one dimension: neither adapted nor decayed"


@pytest.mark.parametrize("weight_decay", [0.0, 0.05])
def test_lars_follows_its_formula_while_the_rate_changes(weight_decay):
    layer = nn.Conv2d(3, 4, 3)
    optimizer = make_optimizer(
        layer, train.TrainConfig(optimizer="lars", lr=1.0, momentum=0.8, weight_decay=weight_decay)
    )
    w, b = (p.detach().double().clone() for p in (layer.weight, layer.bias))
    v, u = torch.zeros_like(w), torch.zeros_like(b)
    for t, (g, h) in enumerate(zip(gradients_of(w.shape), gradients_of(b.shape), strict=True)):
        lr = 1.0 / (t + 1)
        for group in optimizer.param_groups:
            group["lr"] = lr
        layer.weight.grad, layer.bias.grad = g.clone(), h.clone()
        optimizer.step()
        g, h = g.double(), h.double()
        trust = 1e-3 * w.norm() / (g.norm() + weight_decay * w.norm())
        v = 0.8 * v + lr * trust * (g + weight_decay * w)
        u = 0.8 * u + lr * h
        w, b = w - v, b - u
    torch.testing.assert_close(layer.weight.detach().double(), w, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(layer.bias.detach().double(), b, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("w", "g"), [([[0.0, 0.0]], [[1.0, 2.0]]), ([[1.0, 2.0]], [[0.0, 0.0]])])
def test_lars_where_a_norm_is_zero(w, g):
    weight = nn.Parameter(torch.tensor(w))
    optimizer = LARS([weight], lr=0.5, momentum=0.0)
    weight.grad = torch.tensor(g)
    optimizer.step()
    assert torch.equal(weight.detach(), torch.tensor(w) - 0.5 * torch.tensor(g))


# Muon ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (3, 5, 8)])
def test_orthogonalized_keeps_singular_vectors_and_sends_values_near_one(shape):
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    u, s, vh = torch.linalg.svd(matrices, full_matrices=False)
    values = s / s.norm(dim=-1, keepdim=True)
    for _ in range(5):  # the quintic acts on each singular value alone
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    torch.testing.assert_close(orthogonalized(matrices), u @ torch.diag_embed(values) @ vh, rtol=1e-9, atol=1e-9)
    large = values[s / s.norm(dim=-1, keepdim=True) > 0.02]
    assert large.min() > 0.6
    assert large.max() < 1.3


def test_orthogonalized_zero_is_zero():
    assert torch.equal(orthogonalized(torch.zeros(2, 3)), torch.zeros(2, 3))


@pytest.mark.parametrize("shape", [(8, 8), (5, 12), (12, 5)])
def test_muon_is_torchs_up_to_bfloat16(shape):
    ours, theirs = (nn.Parameter(torch.ones(shape)) for _ in range(2))
    optimizer = Muon([ours], [], lr=0.01, momentum=0.9, weight_decay=0.1)
    reference = torch.optim.Muon([theirs], lr=0.01, momentum=0.9, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for gradient in gradients_of(shape):
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        optimizer.step()
        reference.step()
    # Five steps of size .01 * .2 * sqrt(12) each; torch iterates in bfloat16, of 8 bits.
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0.02 * 5 * 0.01 * 0.2 * math.sqrt(12))
    assert (ours - 1).abs().max() > 0.005


def test_a_convolution_is_the_matrix_of_its_filters():
    filters, matrix = nn.Parameter(torch.zeros(4, 3, 3, 3)), nn.Parameter(torch.zeros(4, 27))
    filters.data = filters.data.to(memory_format=torch.channels_last)
    one, other = Muon([filters], [], 0.1), Muon([matrix], [], 0.1)
    for gradient in gradients_of((4, 3, 3, 3)):
        filters.grad, matrix.grad = gradient.to(memory_format=torch.channels_last), gradient.flatten(1).clone()
        one.step()
        other.step()
    torch.testing.assert_close(filters.flatten(1), matrix, rtol=1e-5, atol=1e-6)


def test_matrices_of_equal_shape_are_updated_as_if_alone():
    together, alone = ([nn.Parameter(torch.zeros(4, 6)) for _ in range(3)] for _ in range(2))
    one, others = Muon(together, [], 0.1), [Muon([p], [], 0.1) for p in alone]
    for p, q, g in zip(together, alone, gradients_of((4, 6), 3), strict=True):
        p.grad, q.grad = g.clone(), g.clone()
    one.step()
    for p, q, other in zip(together, alone, others, strict=True):
        other.step()
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-6)


def test_muon_leaves_biases_norms_and_the_output_to_adam():
    network = models.build("convnet", in_channels=3, image_size=8, num_classes=4, width=4, projector_width=16)
    chosen = {id(m) for m in hidden_matrices(network)}
    names = [name for name, p in network.named_parameters() if id(p) in chosen]
    output = [name for name, p in network.named_parameters() if p.dim() >= 2][-1]
    assert names == [name for name, p in network.named_parameters() if p.dim() >= 2 and name != output]
    optimizer = make_optimizer(network, train.TrainConfig(optimizer="muon", lr=0.01, momentum=0.95))
    twin = {name: p.detach().clone().requires_grad_() for name, p in network.named_parameters() if name not in names}
    adam = torch.optim.AdamW(twin.values(), lr=0.01, weight_decay=0.0)
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        for name, p in network.named_parameters():
            p.grad = torch.randn(p.shape, generator=generator)
            if name in twin:
                twin[name].grad = p.grad.clone()
        optimizer.step()
        adam.step()
    for name, p in network.named_parameters():
        if name in twin:
            torch.testing.assert_close(p, twin[name], rtol=1e-5, atol=1e-7)


def test_a_vector_is_no_matrix():
    with pytest.raises(ValueError, match=r"matrices must have at least two dimensions; got shape \[3\]"):
        Muon([nn.Parameter(torch.zeros(3))], [], 0.1)


# Both ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["adam", "sgd", "lars", "muon"])
def test_the_rate_may_be_a_tensor(name):
    """So a captured step can read a rate that changes."""
    results = []
    for lr in (0.05, torch.tensor(0.05)):
        layer = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3))
        for p in layer.parameters():
            p.data.fill_(0.5)
        optimizer = make_optimizer(layer, train.TrainConfig(optimizer=name, weight_decay=0.01))
        for group in optimizer.param_groups:
            group["lr"] = lr
        for p, g in zip(layer.parameters(), [(5, 4), (5,), (3, 5), (3,)], strict=True):
            p.grad = gradients_of(g, 1)[0]
        optimizer.step()
        results.append([p.detach().clone() for p in layer.parameters()])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["lars", "muon"])
def test_parameters_without_a_gradient_stay(name):
    layer = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3))
    before = [p.detach().clone() for p in layer.parameters()]
    make_optimizer(layer, train.TrainConfig(optimizer=name)).step()
    assert all(torch.equal(a, b) for a, b in zip(before, layer.parameters(), strict=True))


# Adam without what torch does around its kernel ---------------------------------------------------------------------


def two_networks(dtypes=(torch.float32, torch.float32)):
    torch.manual_seed(3)
    ours = nn.Sequential(nn.Conv2d(3, 5, 3).to(memory_format=torch.channels_last, dtype=dtypes[0]), nn.Linear(4, 2))
    ours[1].to(dtypes[1])
    theirs = copy.deepcopy(ours)
    return ours, theirs


def set_gradients(networks, seed, missing=()):
    for network in networks:
        generator = torch.Generator().manual_seed(seed)
        for name, p in network.named_parameters():
            gradient = torch.randn(p.shape, generator=generator).to(p.dtype)
            p.grad = None if name in missing else torch.empty_like(p).copy_(gradient)


@pytest.mark.parametrize("dtypes", [(torch.float32, torch.float32), (torch.float64, torch.float32)])
@pytest.mark.parametrize("missing_at", [None, 0, 3])
def test_adam_is_torchs_to_the_bit(dtypes, missing_at):
    ours, theirs = two_networks(dtypes)
    optimizer = Adam(ours.parameters(), 0.01, weight_decay=0.1)
    reference = torch.optim.Adam(theirs.parameters(), lr=0.01, weight_decay=0.1, fused=True)
    for step in range(8):
        for group in (*optimizer.param_groups, *reference.param_groups):
            group["lr"] = 0.01 / (step + 1)
        set_gradients((ours, theirs), step, ("1.weight",) if step == missing_at else ())
        optimizer.step()
        reference.step()
        if step == 5:  # through a state on disk and back
            for one in (optimizer, reference):
                one.load_state_dict(copy.deepcopy(one.state_dict()))
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)
    for a, b in zip(optimizer.state_dict()["state"].values(), reference.state_dict()["state"].values(), strict=True):
        assert all(torch.equal(a[name], b[name]) for name in ("step", "exp_avg", "exp_avg_sq"))


def test_adam_takes_a_closure():
    ours, theirs = two_networks()
    optimizer, reference = Adam(ours.parameters(), 0.01), torch.optim.Adam(theirs.parameters(), lr=0.01, fused=True)
    for step in range(4):
        results = []
        for one, network in ((optimizer, ours), (reference, theirs)):

            def closure(network=network, step=step):
                set_gradients([network], step)
                return torch.tensor(float(step))

            results.append(one.step(closure))
        assert results[0] == results[1] == step
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)
