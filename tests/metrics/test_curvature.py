"""Input curvature on quadratics, where it is known, and against Hessians by autograd."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from rote.metrics.curvature import CurvatureScores, input_curvature, random_signs


class Quadratic(nn.Module):
    """x -> 1/2 x' A x, whose Hessian is A everywhere."""

    def __init__(self, matrix):
        super().__init__()
        self.matrix = nn.Parameter(matrix)

    def forward(self, x):
        flat = x.flatten(1)
        return 0.5 * ((flat @ self.matrix) * flat).sum(1, keepdim=True)


def value(scores, _labels):
    return scores[:, 0]


@pytest.fixture
def bank():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (6, 1, 2, 3), dtype=torch.uint8, generator=generator)


@pytest.fixture
def matrix():
    a = torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return (a + a.T) / 2


def test_along_each_direction_it_is_the_hessians(bank, matrix):
    labels = torch.zeros(6, dtype=torch.int64)
    options = {"dtype": torch.float64, "loss": value, "seed": 3}
    for h in (1e-3, 0.5):  # a quadratic's gradient is linear: every step gives the same
        found = input_curvature(Quadratic(matrix), bank, labels, h=h, directions=4, **options)
        signs = [random_signs(torch.arange(6), bank.shape[1:], seed=3, epoch=0, number=n) for n in range(4)]
        expected = torch.stack([(v.flatten(1).double() @ matrix).square().sum(1) for v in signs]).mean(0)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_its_mean_is_the_trace_of_the_squared_hessian(bank, matrix):
    labels = torch.zeros(6, dtype=torch.int64)
    found = input_curvature(Quadratic(matrix), bank, labels, directions=400, dtype=torch.float64, loss=value)
    trace = matrix.square().sum()
    assert found.mean().item() == pytest.approx(trace.item(), rel=0.05)
    diagonal = Quadratic(torch.diag(torch.arange(1.0, 7.0, dtype=torch.float64)))
    # A diagonal Hessian: every direction of signs gives exactly sum a_i^2.
    exact = input_curvature(diagonal, bank, labels, directions=1, dtype=torch.float64, loss=value)
    torch.testing.assert_close(exact, torch.full((6,), 91.0, dtype=torch.float64), rtol=1e-9, atol=0)


def test_of_a_network_it_is_the_hessians_of_the_cross_entropy(bank):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    found = input_curvature(model, bank, labels, h=1e-5, directions=3, seed=1, batch_size=4)
    for i in range(6):
        x = bank[i].double() / 255
        hessian = torch.func.hessian(lambda flat, i=i: F.cross_entropy(model(flat[None]), labels[i, None]))(x.flatten())
        along = [
            (hessian @ random_signs(torch.tensor([i]), x.shape, seed=1, epoch=0, number=n).double().flatten())
            for n in range(3)
        ]
        expected = torch.stack([v.square().sum() for v in along]).mean()
        assert found[i].item() == pytest.approx(expected.item(), rel=1e-3)
    single = input_curvature(model.float(), bank, labels, h=1e-2, directions=3, seed=1)
    torch.testing.assert_close(single, found, rtol=0.1, atol=1e-6)


def test_signs_are_a_function_of_their_address():
    ids = torch.tensor([5, 0, 9])
    signs = random_signs(ids, torch.Size([3, 5, 5]), seed=7, epoch=2, number=1)
    assert set(signs.unique().tolist()) == {-1.0, 1.0}
    torch.testing.assert_close(signs[1:2], random_signs(ids[1:2], torch.Size([3, 5, 5]), seed=7, epoch=2, number=1))
    for other in ({"seed": 8}, {"epoch": 3}, {"number": 2}):
        assert (
            random_signs(ids, torch.Size([3, 5, 5]), **{"seed": 7, "epoch": 2, "number": 1, **other}) != signs
        ).any()
    many = random_signs(torch.arange(200), torch.Size([3, 8, 8]), seed=0, epoch=0, number=0).flatten(1)
    assert many.mean().abs() < 0.02
    assert (many.T @ many / 200).fill_diagonal_(0).abs().max() < 0.4


def test_the_score_is_the_average_over_looks_and_goes_on_after_a_stop(bank, convnet, images):
    labels = torch.arange(10) % 5
    options = {"directions": 2, "h": 1e-2}
    whole = CurvatureScores(images, labels, image_ids=torch.arange(10), **options)
    looks = [whole.look(convnet), whole.look(convnet)]
    assert (looks[0] != looks[1]).any()  # other directions at every look
    torch.testing.assert_close(whole.scores(), (looks[0] + looks[1]) / 2)
    first = CurvatureScores(images, labels, image_ids=torch.arange(10), **options)
    first.look(convnet)
    second = CurvatureScores(images, labels, image_ids=torch.arange(10), **options)
    second.load_state_dict(first.state_dict())
    second.look(convnet)
    assert torch.equal(second.scores(), whole.scores())
    assert convnet.training
    assert all(p.requires_grad and p.grad is None for p in convnet.parameters())


def test_bad_arguments_are_named(bank, matrix, images):
    labels = torch.zeros(6, dtype=torch.int64)
    with pytest.raises(ValueError, match="h must be positive and directions at least 1; got 0 and 10"):
        input_curvature(Quadratic(matrix), bank, labels, h=0)
    with pytest.raises(ValueError, match=r"labels must be int64 \[6\]"):
        input_curvature(Quadratic(matrix), bank, labels[1:])
    with pytest.raises(ValueError, match="at least one look"):
        CurvatureScores(bank, labels).scores()
    with pytest.raises(ValueError, match=r"sum must be float64 \[6\]"):
        CurvatureScores(bank, labels).load_state_dict(CurvatureScores(bank[:5], labels[:5]).state_dict())
