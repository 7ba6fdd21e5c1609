"""Dropout and noise by address: their distributions, where they act, and what they refuse."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import scipy.stats
import torch
from torch import nn

from rote import augment, models, train
from rote.models.replicas import NotBatchable
from rote.train.current_samples import normals
from rote.train.regularization import RegularizedReLU, disturbed_pixels, dropped, noised

IDS = torch.arange(64) * 3 + 5
SIZES = {"in_channels": 3, "image_size": 8, "num_classes": 4, "width": 12}
LABELS = train.LabelSource.fixed(torch.arange(40) % 4, num_classes=4)


def trainer(images, regularizers, *, norm="none", loss=None, weight=0.0, search=None, **fields):
    model = models.build("mlp", **SIZES, norm=norm, seed=1)
    current = train.CurrentSamples(7)
    train.regularize_layers(model, regularizers, current, (3, 8, 8))
    stream = train.RegularizedStream(
        *(images, torch.arange(24), LABELS, augment.recipes["none"], 8, train.Seeds.from_seed(2)),
        regularizers=regularizers,
        current=current,
    )
    config = train.TrainConfig(epochs=4, batch_size=8, device="cpu", loss="ce", lr=1e-2, schedule="constant", **fields)
    if search is not None:
        loss = train.AdversarialLoss(model, train.losses.make_loss(config), current, search, weight)
    return train.Trainer(model, stream, config, loss=loss)


def test_draws_belong_to_image_visit_place_and_seed():
    like = torch.zeros(64, 100)
    drawn = normals(0, IDS, 3, 5, like)
    few = torch.tensor([9, 2, 40])
    assert torch.equal(normals(0, IDS[few], 3, 5, like[:3]), drawn[few])
    for other in (normals(1, IDS, 3, 5, like), normals(0, IDS, 4, 5, like), normals(0, IDS, 3, 6, like)):
        assert abs(np.corrcoef(drawn.flatten(), other.flatten())[0, 1]) < 0.05
    assert abs(np.corrcoef(drawn[0], drawn[1])[0, 1]) < 0.4
    assert scipy.stats.kstest(drawn.flatten().double().numpy(), "norm").pvalue > 1e-3


@pytest.mark.parametrize("shape", [(40_000,), (5, 7, 9)])
def test_draws_have_any_shape(shape):
    drawn = normals(0, IDS[:4], 0, 1, torch.zeros(4, *shape, dtype=torch.float64))
    assert drawn.shape == (4, *shape)
    assert drawn.dtype == torch.float64
    assert scipy.stats.kstest(drawn.flatten().numpy(), "norm").pvalue > 1e-3
    assert len(drawn.unique()) > 0.99 * drawn.numel()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_its_share_and_the_mean(p):
    drawn = normals(0, IDS, 0, 3, torch.zeros(64, 500))
    out = dropped(torch.ones(64, 500), drawn, p)
    kept = (out != 0).float()
    assert torch.equal(kept.bool(), drawn < scipy.stats.norm.ppf(1 - p))
    assert kept.mean().item() == pytest.approx(1 - p, abs=4 * (p * (1 - p) / 32_000) ** 0.5)
    assert out.max().item() == pytest.approx(1 / (1 - p))
    assert torch.equal(dropped(drawn, drawn, 0.0), drawn)


def test_noise_has_the_unit_of_the_pixels(images):
    current = train.CurrentSamples(0)
    current.show(IDS, 0)
    x = torch.zeros(64, 3, 8, 8)
    std = torch.tensor([0.1, 0.2, 0.3])
    out = disturbed_pixels(x, current, train.Regularizers(input_noise=2.0), std)
    assert out.std((0, 2, 3)).tolist() == pytest.approx([0.2, 0.4, 0.6], rel=0.05)
    half = disturbed_pixels(x + 1, current, train.Regularizers(input_dropout=0.5), None)
    assert set(half.unique().tolist()) == {0.0, 2.0}
    assert torch.equal(noised(x, x + 1, 0.5), x + 0.5)


def test_a_step_is_that_of_the_formula(images):
    """Forward pass in float64 with masks made here, beside the loss of the trainer's first step."""
    regularizers = train.Regularizers(dropout=0.4, hidden_noise=0.3, input_noise=0.2, input_dropout=0.25)
    own = trainer(images, regularizers, precision="float64")
    weights = {name: value.clone() for name, value in own.model.state_dict().items()}
    own.train_until(1)
    ids, _, labels = own.stream.addresses(0)
    pixels = (images[ids].float() / 255).double()
    std = (images.double() / 255).std((0, 2, 3), correction=0).view(1, 3, 1, 1)

    def draw(place, like):
        return normals(7, ids, 0, place, like)

    def keep(x, place, p):
        return x * (draw(place, x) < scipy.stats.norm.ppf(1 - p)) / (1 - p)

    x = keep(pixels + 0.2 * std * draw(1, pixels), 2, 0.25).flatten(1)
    for layer in (0, 1):
        x = torch.relu(
            x @ weights[f"encoder.layer{layer + 1}.1.weight"].T + weights[f"encoder.layer{layer + 1}.1.bias"]
        )
        x = keep(x + 0.3 * draw(3 + 2 * layer, x), 4 + 2 * layer, 0.4)
    x = torch.relu(x @ weights["projector.hidden.weight"].T) @ weights["projector.logits.weight"].T
    expected = torch.nn.functional.cross_entropy(x, labels)
    assert own.take_running().loss == pytest.approx(expected.item(), rel=1e-6)


def test_in_eval_mode_and_by_name_it_is_the_same_network():
    plain = models.build("mlp", **SIZES, norm="batch", seed=1)
    own = copy.deepcopy(plain)
    assert train.regularize_layers(own, train.Regularizers(dropout=0.5), train.CurrentSamples(0), (3, 8, 8)) == 2
    assert list(own.state_dict()) == list(plain.state_dict())
    x = torch.rand(5, 3, 8, 8)
    assert torch.equal(own.eval()(x), plain.eval()(x))
    with pytest.raises(RuntimeError, match="shows it no samples"):
        own.train()(x)


@pytest.mark.parametrize(
    "regularizers",
    [
        train.Regularizers(dropout=0.5),
        train.Regularizers(input_dropout=0.3, input_noise=1.0),
        train.Regularizers(hidden_noise=0.3),
    ],
    ids=["dropout", "input", "hidden noise"],
)
def test_going_on_gives_the_same_bits(images, regularizers):
    whole = trainer(images, regularizers, norm="batch")
    whole.train_until(10)
    half = trainer(images, regularizers, norm="batch")
    half.train_until(4)
    state = copy.deepcopy(half.state_dict())
    torch.rand(3)  # the global generator is of no matter
    later = trainer(images, regularizers, norm="batch")
    later.load_state_dict(state)
    later.train_until(10)
    plain = trainer(images, train.Regularizers(), norm="batch")
    plain.train_until(10)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(later.model.state_dict()[name], value)
    assert not all(torch.equal(v, plain.model.state_dict()[n]) for n, v in whole.model.state_dict().items())


def test_convolutions_only_where_all_are_asked_for():
    made = {"in_channels": 3, "image_size": 16, "num_classes": 4, "width": 4}
    current = train.CurrentSamples(0)
    with pytest.raises(ValueError, match="fully connected"):
        train.regularize_layers(models.build("convnet", **made), train.Regularizers(dropout=0.5), current, (3, 16, 16))
    model = models.build("convnet", **made)
    every = train.Regularizers(dropout=0.5, placement="all")
    assert train.regularize_layers(model, every, current, (3, 16, 16)) == 4
    current.show(torch.arange(2), 0)
    assert model.train()(torch.rand(2, 3, 16, 16)).shape == (2, 4)
    assert train.regularize_layers(model, train.Regularizers(input_noise=1.0), current, (3, 16, 16)) == 0


def test_ways_to_run_that_know_no_samples_are_refused(images):
    own = trainer(images, train.Regularizers(dropout=0.5))
    with pytest.raises(ValueError, match="graph"):
        train.Trainer(own.model, own.stream, train.TrainConfig(epochs=1, batch_size=8, device="cpu", execution="graph"))
    streams = [copy.copy(own.stream) for _ in range(2)]
    with pytest.raises(NotBatchable, match="RegularizedReLU"):
        train.ReplicaTrainer([own.model] * 2, streams, [own.config] * 2, batched=True)
    with pytest.raises(RuntimeError, match="shows it no samples"):
        copy.deepcopy(own.model).train()(torch.rand(8, 3, 8, 8))
    own.stream.batch(0)
    with pytest.raises(RuntimeError, match="8 samples shown; got 5"):
        own.model.train()(torch.rand(5, 3, 8, 8))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dropout": 1.0}, "dropout must be in"),
        ({"input_dropout": -0.1}, "input_dropout must be in"),
        ({"input_noise": float("inf")}, "input_noise must be"),
        ({"hidden_noise": -1}, "hidden_noise must be"),
        ({"placement": "some"}, "placement must be"),
    ],
)
def test_bad_regularizers(fields, message):
    with pytest.raises(ValueError, match=message):
        train.Regularizers(**fields)


def test_bad_addresses(images):
    with pytest.raises(ValueError, match="place must be"):
        normals(0, IDS, 0, 0, torch.zeros(64, 3))
    with pytest.raises(ValueError, match=r"\[B, D\]"):
        normals(0, IDS, 0, 1, torch.zeros(64, 3, 3))
    with pytest.raises(ValueError, match="seed must be"):
        train.CurrentSamples(-1)
    assert not train.Regularizers(placement="all")
    assert train.Regularizers(dropout=0.1)


def shifted(model, pixels, image_ids, visit):
    return pixels + 0.1


def test_adversarial_loss_mixes_the_two(images):
    """Against the formula on the very batch, with masks that both passes share."""
    regularizers = train.Regularizers(dropout=0.3)
    own = trainer(images, regularizers, search=shifted, weight=0.4)
    model = copy.deepcopy(own.model)
    for module in model.modules():
        if isinstance(module, RegularizedReLU):
            module.current = own.stream.current
    x, y = own.stream.batch(0)
    with torch.no_grad():
        first, second = (nn.functional.cross_entropy(model.train()(each), y) for each in (x, x + 0.1))
    own.train_until(1)
    assert own.take_running().loss == pytest.approx(0.6 * first.item() + 0.4 * second.item(), rel=1e-6)


def test_adversarial_loss_needs_samples_and_a_weight():
    model, current = models.build("mlp", **SIZES), train.CurrentSamples(0)
    with pytest.raises(ValueError, match="weight must be"):
        train.AdversarialLoss(model, nn.functional.cross_entropy, current, shifted, 1.5)
    loss = train.AdversarialLoss(model, nn.functional.cross_entropy, current, shifted, 0.5)
    with pytest.raises(RuntimeError, match="it showed none"):
        loss(torch.zeros(2, 4), torch.zeros(2, dtype=torch.int64))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: draws there are not compared with the CPU's")
def test_draws_are_alike_on_cuda():
    like = torch.zeros(64, 100)
    assert torch.equal(normals(0, IDS.cuda(), 3, 5, like.cuda()).cpu(), normals(0, IDS, 3, 5, like))
