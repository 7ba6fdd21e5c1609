"""The parts of `location` on networks where the answer is known."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from rote import models
from rote.data import ImageBank
from rote.data.bank import Split
from rote.experiments.inputs.own_model import TappedModel
from rote.experiments.location import neurons
from rote.experiments.location.answers import Examples
from rote.experiments.location.blocks import BLOCK, LAYER, blocks_of, of_kind, put_back, with_later
from rote.experiments.location.geometry import chosen
from rote.experiments.location.gradients import accounting, summed_gradients
from rote.experiments.location.retraining import OnePartTraining, retrained_epochs
from rote.experiments.location.rewinding import falls, last_minus_best_other
from rote.train.losses import cross_entropy, mse


def small(**more):
    return models.build("convnet", in_channels=3, image_size=16, num_classes=4, width=4, projector_width=8, **more)


# Blocks ---------------------------------------------------------------------------------------------------------------


def test_every_entry_belongs_to_one_block():
    network = small()
    for kind in (BLOCK, LAYER):
        parts = of_kind(blocks_of(network), kind)
        for name in network.state_dict():
            assert sum(part.holds(name) for part in parts) == 1, name
    assert [part.name for part in of_kind(blocks_of(network), BLOCK)] == [
        *(f"stage{n}" for n in range(1, 5)),
        "projector",
    ]
    assert [part.name for part in of_kind(blocks_of(network), LAYER)][-2:] == ["projector.hidden", "projector.logits"]


def test_stage_1_is_not_stage_10():
    (first, *_) = blocks_of(small())
    assert first.holds("encoder.stage1.0.weight")
    assert not first.holds("encoder.stage10.0.weight")


def test_put_back_changes_one_block_alone():
    final, earlier = small(seed=1).state_dict(), small(seed=2).state_dict()
    blocks = of_kind(blocks_of(small()), BLOCK)
    mixed = put_back(final, earlier, blocks[1])
    for name, value in mixed.items():
        assert value is (earlier if name.startswith("encoder.stage2.") else final)[name]
    later = put_back(final, earlier, with_later(blocks[3], blocks))
    assert {name for name in final if later[name] is not final[name]} == {
        name for name in final if name.startswith(("encoder.stage4.", "projector."))
    }


def test_blocks_of_a_module_with_taps():
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 3), nn.Linear(3, 2))
    parts = of_kind(blocks_of(TappedModel(module, ["1", "3"])), BLOCK)
    assert [part.name for part in parts] == ["1", "3", "rest"]
    assert parts[2].prefixes == ("module.4.weight", "module.4.bias")
    with pytest.raises(ValueError, match=r"rote\.models or have taps"):
        blocks_of(module)
    nested = nn.Sequential(nn.Sequential(nn.Flatten(), nn.Linear(12, 5)), nn.Linear(5, 2))
    with pytest.raises(ValueError, match="inside each other"):
        blocks_of(TappedModel(nested, ["0.1", "0"]))


# Rewinding ------------------------------------------------------------------------------------------------------------


def rewinding_rows(**halves):
    """Rows of a network that fits everything, and of parts that leave the given accuracies on either half."""
    end = {"kind": "none", "name": "none", "replaced": "none", "epoch": 9, "bn": "recalibrated"}
    rows = [{**end, "permuted": 1.0, "permuted_first": 1.0, "permuted_second": 1.0}]
    about = {"kind": BLOCK, "replaced": "alone", "epoch": 2, "bn": "recalibrated"}
    for name, (first, second) in halves.items():
        both = {"permuted_first": first, "permuted_second": second, "permuted": (first + second) / 2}
        rows.append({**about, "name": name, **both})
        rows.append({**about, "name": name, **dict.fromkeys(both, 0.0), "replaced": "and later"})
    return rows


def test_falls_are_of_parts_put_back_alone():
    rows = rewinding_rows(stage1=(0.9, 0.7), stage2=(0.5, 0.5), projector=(0.2, 0.4))
    assert falls(rows, BLOCK, 2, "recalibrated") == pytest.approx({"stage1": 0.2, "stage2": 0.5, "projector": 0.7})


def test_one_half_chooses_the_best_other_and_the_other_half_counts():
    rows = rewinding_rows(stage1=(0.2, 0.8), stage2=(0.7, 0.3), projector=(0.5, 0.5))
    # First half: stage1 falls most (.8), by .2 on the second: .5 - .2. Second half: stage2 (.7), by .3: .5 - .3.
    assert last_minus_best_other(rows, BLOCK, 2, "recalibrated") == pytest.approx((0.3 + 0.2) / 2)


def test_no_best_other_without_halves_or_others():
    rows = rewinding_rows(stage1=(0.2, 0.8), projector=(0.5, 0.5))
    assert last_minus_best_other([{**row, "permuted_second": None} for row in rows], BLOCK, 2, "recalibrated") is None
    alone = rewinding_rows(projector=(0.5, 0.5))
    assert last_minus_best_other(alone, BLOCK, 2, "recalibrated") is None


# Gradients ------------------------------------------------------------------------------------------------------------


def batches(x, y, size):
    return zip(x.split(size), y.split(size), strict=True)


@pytest.mark.parametrize("loss", [mse, cross_entropy])
def test_gradients_of_the_sides_against_autograd(loss):
    network = small().double().eval()
    x, y = torch.rand(11, 3, 16, 16, dtype=torch.float64), torch.randint(4, (11,))
    wrong = torch.arange(11) % 3 == 0
    sides = [summed_gradients(network, loss, batches(x[s], y[s], 3), 11) for s in (~wrong, wrong)]
    network.zero_grad()
    # By hand: every example alone.
    own = []
    for n in range(11):
        network.zero_grad()
        (loss(network(x[n : n + 1]), y[n : n + 1]) / 11).backward()
        own.append({name: p.grad.clone() for name, p in network.named_parameters()})
    for side, rows in zip(sides, (~wrong, wrong), strict=True):
        for name, gradient in side.items():
            expected = sum(own[n][name] for n in rows.nonzero().flatten().tolist())
            torch.testing.assert_close(gradient, expected, rtol=1e-9, atol=1e-12)
    network.zero_grad()
    loss(network(x), y).backward()
    for block in blocks_of(network):
        found = accounting(*sides, block)
        flat = [
            torch.cat([g[name].flatten() for name, _ in network.named_parameters() if block.holds(name)]) for g in sides
        ]
        whole = torch.cat([p.grad.flatten() for name, p in network.named_parameters() if block.holds(name)])
        torch.testing.assert_close(flat[0] + flat[1], whole, rtol=1e-9, atol=1e-12)
        assert found["entries"] == len(whole)
        assert found["norm_permuted"] == pytest.approx(float(flat[1].norm()) / math.sqrt(len(whole)))
        assert found["norm_unpermuted"] == pytest.approx(float(flat[0].norm()) / math.sqrt(len(whole)))
        assert found["cosine"] == pytest.approx(float(nn.functional.cosine_similarity(flat[0], flat[1], dim=0)))


def test_a_side_without_examples_has_no_gradient():
    network = small()
    nothing = summed_gradients(network, mse, [], 4)
    assert all(not gradient.any() for gradient in nothing.values())
    assert accounting(nothing, nothing, blocks_of(network)[0])["cosine"] is None


# Retraining -----------------------------------------------------------------------------------------------------------


def test_one_part_is_trained_and_the_others_keep_weights_and_statistics():
    network = small()
    block = of_kind(blocks_of(network), BLOCK)[1]
    training = OnePartTraining(network, block)
    before = copy.deepcopy(network.state_dict())
    training.train()
    optimizer = torch.optim.SGD([p for p in training.parameters() if p.requires_grad], lr=0.1)
    mse(training(torch.rand(8, 3, 16, 16)), torch.arange(8) % 4).backward()
    optimizer.step()
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(block.holds(name) for name in changed)
    assert "encoder.stage2.0.weight" in changed
    assert "encoder.stage2.1.running_mean" in changed


def test_when_retraining_is_looked_at():
    assert retrained_epochs(20) == [0, 5, 10, 15, 20]
    assert retrained_epochs(1) == [0, 1]


# Neurons --------------------------------------------------------------------------------------------------------------


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
    network = small().double().eval()
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
    network = small().double().eval()
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


# Examples -------------------------------------------------------------------------------------------------------------


def bank_of(labels, test_labels=(0, 1) * 4):
    def split(values):
        values = torch.tensor(values)
        pixels = torch.arange(len(values)).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 2).to(torch.uint8).contiguous()
        return Split(pixels, values)

    return ImageBank(name="made", train=split(labels), test=split(test_labels), classes=("a", "b"), source={})


def made_examples():
    true = torch.tensor([0, 1] * 8)
    used = true.clone()
    used[:6] = 1 - used[:6]
    return Examples.of(bank_of(true.tolist()), torch.arange(16), used, true, 6)


class ByBrightness(nn.Module):
    """Answers 1 for images with an odd pixel value, which is the true label."""

    def forward(self, x):
        odd = (x[:, 0, 0, 0] * 255).round() % 2
        return torch.stack([1 - odd, odd], dim=1)


def test_accuracies_by_kind():
    found = made_examples().accuracies(ByBrightness())
    assert found == {"unpermuted": 1.0, "permuted": 0.0, "restored": 1.0, "test": 1.0}
    assert made_examples().counts() == {"unpermuted": 10, "permuted": 6, "restored": 6, "test": 6}


def test_targets_are_fitted_examples_in_equal_number():
    examples = made_examples()
    correct = torch.ones(16, dtype=torch.bool)
    correct[:4] = False
    rows = neurons.targets(examples, correct, 5, seed=0)
    assert len(rows) == 4  # two permuted ones are fitted
    assert sorted(rows[:2]) == [4, 5]
    assert all(row >= 6 for row in rows[2:])
    assert rows == neurons.targets(examples, correct, 5, seed=0)
    assert neurons.targets(examples, torch.zeros(16, dtype=torch.bool), 5, seed=0) == []


def test_manifolds_have_equally_many_points():
    examples = made_examples()
    found = chosen(examples, 30)
    assert set(found) == {"unpermuted", "permuted", "restored", "test"}
    assert {len(own) for manifolds in found.values() for own in manifolds} == {3}
    for label, own in enumerate(found["permuted"]):
        assert (examples.label_used[own] == label).all()
        assert examples.permuted[own].all()
    for label, own in enumerate(found["restored"]):
        assert (examples.label_true[own] == label).all()
        assert examples.permuted[own].all()
