"""The neurons that hold an example: found where they were planted, by the stated scores and with the stated noise."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from rote import models
from rote.data import ImageBank
from rote.data.bank import Split
from rote.experiments.location import neurons
from rote.experiments.location.answers import Examples
from rote.train.losses import cross_entropy


class Planted(nn.Module):
    """A classifier by the first two pixels, and one neuron of many that fires for a single image and turns its answer.

    Image: 2 x 2 in one channel. The pixels 0 and 1 vote for classes 0 and 1; the planted neuron answers to pixel 3.
    """

    def __init__(self, planted: int, neurons: int = 8) -> None:
        super().__init__()
        self.hidden = nn.Linear(4, neurons)
        self.last = nn.Linear(neurons, 2)
        with torch.no_grad():
            self.hidden.weight.zero_(), self.hidden.bias.zero_()
            self.last.weight.zero_(), self.last.bias.zero_()
            free = [n for n in range(neurons) if n != planted]
            for neuron in free:  # every other neuron sees either of the two pixels, so that one alone is not missed
                pixel = neuron % 2
                self.hidden.weight[neuron, pixel] = 1.0
                self.last.weight[pixel, neuron] = 1.0
            self.hidden.weight[planted, 3], self.hidden.bias[planted] = 1.0, -0.5
            self.last.weight[1, planted] = 20.0

    def forward(self, x):
        return self.last(torch.relu(self.hidden(x.flatten(1))))


def planted_batch():
    """The memorized image (pixel 0, but labelled 1) and seven that are as they look."""
    x = torch.zeros(8, 1, 2, 2)
    y = torch.zeros(8, dtype=torch.int64)
    for n in range(8):
        pixel = 0 if n == 0 else n % 2
        x[n].view(-1)[pixel] = 1.0
        y[n] = pixel
    x[0].view(-1)[3], y[0] = 1.0, 1
    return x, y


SEARCH = neurons.Search(most=5, batch_size=8, noise=0.0, draws=5, seed=0)


@pytest.mark.parametrize("planted", [0, 5, 7])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_the_planted_neuron_is_found_at_once(planted, noise):
    network = Planted(planted).eval()
    x, y = planted_batch()
    assert network(x).argmax(1).tolist() == y.tolist()
    search = neurons.Search(5, 8, noise, 5, 0)
    zeroed, flipped, answer = neurons.flip(network, cross_entropy, x, y, search, 3)
    assert [(n.layer, n.channel) for n in zeroed] == [("hidden", planted)]
    assert flipped
    assert answer == 0
    assert not network.hidden.weight[planted].any()
    assert network.hidden.bias[planted] == 0
    assert network(x[1:]).argmax(1).tolist() == y[1:].tolist()  # nobody else has lost anything


def test_an_example_of_a_pattern_takes_all_of_its_neurons():
    network = Planted(7).eval()
    x, y = planted_batch()
    order = [2, 0, 1, 3, 4, 5, 6, 7]  # an image with pixel 0, which four neurons see
    zeroed, flipped, _ = neurons.flip(network, cross_entropy, x[order], y[order], SEARCH, 3)
    assert len(zeroed) >= 4 or not flipped


def test_scores_are_weight_times_gradient_of_the_stated_objective():
    network = models.build("convnet", in_channels=3, image_size=16, num_classes=4, width=4, projector_width=8)
    network = network.double().eval()
    x, y = torch.rand(6, 3, 16, 16, dtype=torch.float64), torch.randint(4, (6,))
    weights = neurons.neurons_of(network)
    assert list(weights) == [*(f"encoder.stage{n}.0" for n in range(1, 5)), "projector.hidden"]
    found = neurons.channel_scores(network, cross_entropy, x, y, weights, SEARCH, (0, 0))
    losses = nn.functional.cross_entropy(network(x), y, reduction="none")
    factors = torch.ones(6, dtype=torch.float64)
    factors[0] = -6.0
    gradients = torch.autograd.grad((factors * losses).mean(), list(weights.values()))
    for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
        expected = torch.stack([(weight[c] * gradient[c]).sum() for c in range(len(weight))])
        torch.testing.assert_close(found[name], expected.detach(), rtol=1e-9, atol=1e-12)


def test_scores_under_noise_are_means_over_draws():
    network = (
        models.build("convnet", in_channels=3, image_size=16, num_classes=4, width=4, projector_width=8).double().eval()
    )
    x, y = torch.rand(6, 3, 16, 16, dtype=torch.float64), torch.randint(4, (6,))
    weights = neurons.neurons_of(network)
    search, place = neurons.Search(most=5, batch_size=6, noise=0.3, draws=3, seed=4), (9, 2)
    found = neurons.channel_scores(network, cross_entropy, x, y, weights, search, place)
    own = [
        neurons.channel_scores(network, cross_entropy, shown, y, weights, SEARCH, place)
        for shown in (neurons.noisy(x, 0.3, 4, place, draw) for draw in range(3))
    ]
    for name, scores in found.items():
        torch.testing.assert_close(scores, sum(one[name] for one in own) / 3, rtol=1e-9, atol=1e-12)


def test_a_search_tells_what_is_left_of_the_others_and_gives_the_weights_back():
    x, used = planted_batch()
    true = used.clone()
    true[0] = 0
    split = Split((255 * x).to(torch.uint8), true)
    bank = ImageBank(name="made", train=split, test=split, classes=("a", "b"), source={})
    examples = Examples.of(bank, torch.arange(8), used, true, 4)
    network = Planted(5).eval()
    before = copy.deepcopy(network.state_dict())
    search = neurons.Search(most=5, batch_size=4, noise=0.0, draws=5, seed=0)
    (row,) = neurons.neuron_rows(network, cross_entropy, examples, 0, search, "running")
    (zeroed,) = row.pop("zeroed")
    assert (zeroed["layer"], zeroed["channel"]) == ("hidden", 5)
    assert row == {
        "id": 0,
        "kind": "permuted",
        "label_used": 1,
        "label_true": 0,
        "neurons": 1,
        "flipped": True,
        "answer": 0,
        "unpermuted_before": 1.0,
        "permuted_before": 1.0,
        "unpermuted": 1.0,
        "permuted": 0.0,
        "noise": 0.0,
        "draws": 1,
        "batch_size": 4,
        "bn": "running",
    }
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    (other,) = neurons.neuron_rows(network, cross_entropy, examples, 1, search, "running")
    assert (other["kind"], other["label_used"], other["label_true"]) == ("unpermuted", 1, 1)


def test_noise_has_the_stated_norm_and_an_address():
    x = torch.rand(3, 1, 4, 4)
    one = neurons.noisy(x, 0.01, 0, (7, 2), 0)
    ratio = (one - x).flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1)
    assert ratio == pytest.approx([0.01] * 3, rel=1e-3)
    assert torch.equal(one, neurons.noisy(x, 0.01, 0, (7, 2), 0))
    for other in (((7, 3), 0), ((8, 2), 0), ((7, 2), 1)):
        assert not torch.equal(one, neurons.noisy(x, 0.01, 0, *other))


def test_it_gives_up_after_the_most_neurons():
    network = Planted(7).eval()
    with torch.no_grad():
        network.last.bias[0] = 100.0  # always answers 0
    x, y = planted_batch()
    zeroed, flipped, answer = neurons.flip(network, cross_entropy, x, y, SEARCH, 0)
    assert (len(zeroed), flipped, answer) == (5, False, 0)
    assert len({(n.layer, n.channel) for n in zeroed}) == 5  # no neuron twice
