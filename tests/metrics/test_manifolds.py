"""Mean-field geometry: points, circles and balls with known answers, and the quadratic problem behind it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from rote.metrics.manifolds import anchor_statistics, large_dimension_capacity, manifold_geometry


def circle(radius: float, points: int = 200) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def sphere_in_theory(radius: float, dimension: int) -> tuple[float, float]:
    """(capacity, root mean square anchor) of a sphere, by quadrature over |t| (chi) and t0 (Gaussian).

    V is the projection of (t, t0) on the cone V0 >= R |V|: nothing to do inside, its apex behind it, else its face.
    """

    t0, t = np.meshgrid(np.linspace(-8, 8, 1601), np.linspace(0, 20, 1001)[1:])
    weights = stats.norm.pdf(t0) * stats.chi(dimension).pdf(t)
    behind = t0 <= -t / radius
    face = np.where(t0 >= radius * t, 0.0, (radius * t - t0) ** 2 / (1 + radius**2))
    cost = np.where(behind, t**2 + t0**2, face)
    square = np.where(behind, (t / np.minimum(t0, -1e-9)) ** 2, radius**2)
    return float(weights.sum() / (cost * weights).sum()), math.sqrt(float((square * weights).sum() / weights.sum()))


def test_a_point_has_the_capacity_of_the_perceptron():
    capacity, radius, dimension = anchor_statistics(np.zeros((4, 0)), draws=20_000)
    assert capacity == pytest.approx(2.0, rel=0.04)
    assert (radius, dimension) == (0.0, 0.0)


@pytest.mark.parametrize("radius", [0.5, 2.0])
def test_circles_of_known_radius(radius):
    capacity, anchor = sphere_in_theory(radius, 2)
    found = anchor_statistics(circle(radius), draws=1500, seed=1)
    assert found[0] == pytest.approx(capacity, rel=0.07)
    assert found[1] == pytest.approx(anchor, rel=0.02)
    assert found[2] == pytest.approx(2.0, rel=0.08)  # the mean of |t|^2


def test_the_approximation_is_one_of_large_dimensions():
    gaps = []
    for dimension in (2, 60):
        capacity, anchor = sphere_in_theory(1.0, dimension)
        gaps.append(abs(large_dimension_capacity(anchor, dimension) / capacity - 1))
    assert gaps[1] < 0.05 < gaps[0]
    assert large_dimension_capacity(0.0, 3.0) == math.inf
    assert large_dimension_capacity(2.0, 5.0) == (1 + 0.25) / 5


def test_the_nearest_vector_is_that_of_a_general_solver():
    """One draw alone: its cost is the minimum of |V - T|^2 under all constraints."""
    points = np.random.default_rng(0).normal(size=(7, 3))
    generator = np.random.Generator(np.random.Philox(key=5, counter=[0, 0, 2, 0]))
    vector = generator.standard_normal((3, 4))[2]
    # Means over two and over three draws give the third one's cost.
    costs = [draws / anchor_statistics(points, draws=draws, seed=5, number=2)[0] for draws in (2, 3)]
    extended = np.concatenate([points, np.ones((7, 1))], axis=1)
    solved = optimize.minimize(
        lambda v: ((v - vector) ** 2).sum(),
        vector,
        jac=lambda v: 2 * (v - vector),
        constraints={"type": "ineq", "fun": lambda v: extended @ v, "jac": lambda v: extended},
        method="SLSQP",
        options={"ftol": 1e-12},
    )
    assert solved.success
    assert costs[1] - costs[0] == pytest.approx(solved.fun, abs=1e-6)


def clouds(scale: float, *, count: int = 6, points: int = 12, width: int = 40, spread: int = 5) -> list[np.ndarray]:
    """Gaussian manifolds of `spread` dimensions around orthogonal centres."""
    rng = np.random.default_rng(3)
    basis = np.linalg.qr(rng.normal(size=(width, width)))[0]
    return [
        10 * basis[n] + 10 * scale * rng.normal(size=(points, spread)) @ basis[count : count + spread]
        for n in range(count)
    ]


def test_wider_manifolds_have_less_room():
    small, large = (manifold_geometry(clouds(scale), draws=100) for scale in (0.02, 0.5))
    assert small.capacity > 1.5 > large.capacity
    assert small.radius < 0.1 < large.radius
    assert 1 < large.dimension <= 5.5
    assert large.capacities.shape == large.radii.shape == (6,)
    assert large.capacity == pytest.approx(1 / np.mean(1 / large.capacities))


def test_units_place_and_order_of_points_do_not_matter():
    given = clouds(0.3)
    same = [3.0 * points[::-1] + 100.0 for points in given]
    one, other = manifold_geometry(given, draws=400), manifold_geometry(same, draws=400)
    assert other.capacity == pytest.approx(one.capacity, rel=0.1)  # other bases, so other draws
    assert other.radius == pytest.approx(one.radius, rel=0.05)
    assert other.centre_correlation == pytest.approx(one.centre_correlation)


def test_centres_on_a_line():
    line = [np.array([[x, 0.0], [x, 0.2]]) for x in (-3.0, -1.0, 1.0, 3.0)]
    assert manifold_geometry(line, draws=5).centre_correlation == pytest.approx(1.0)
    square = [np.array([[x, y]]) for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1))]
    assert manifold_geometry(square, draws=5).centre_correlation == pytest.approx(1 / 3)  # one of three is opposite


def test_the_same_call_gives_the_same_bits():
    one, other = manifold_geometry(clouds(0.3), draws=20, seed=7), manifold_geometry(clouds(0.3), draws=20, seed=7)
    assert np.array_equal(one.capacities, other.capacities)
    assert not np.array_equal(one.capacities, manifold_geometry(clouds(0.3), draws=20, seed=8).capacities)


@pytest.mark.parametrize(
    ("manifolds", "draws", "message"),
    [
        ([np.ones((2, 3))], 5, "at least two"),
        ([np.ones((2, 3)), np.ones((2, 4))], 5, "one N"),
        ([np.ones(3), np.ones(3)], 5, "one N"),
        ([np.ones((2, 3)), np.full((2, 3), np.nan)], 5, "finite"),
        ([np.ones((2, 3)), np.ones((2, 3))], 5, "centres apart"),
        ([np.ones((2, 3)), np.zeros((2, 3))], 0, "draws"),
    ],
)
def test_bad_input(manifolds, draws, message):
    with pytest.raises(ValueError, match=message):
        manifold_geometry(manifolds, draws=draws)
