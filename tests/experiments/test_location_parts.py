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
