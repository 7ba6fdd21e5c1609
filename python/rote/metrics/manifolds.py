"""rote/metrics/manifolds.py: capacity, radius and dimension of point clouds by mean-field theory.

Chung, Lee and Sompolinsky 2018 (Physical Review X 8, 031003): P manifolds in N dimensions, each with a random label,
are separable by a plane through the origin while P / N is below a capacity that every manifold alone decides, by its
anchor points. Stephenson et al. 2021 (arXiv 2105.14602) ask it of the layers of networks that memorize.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rote.extras import wanted_for

# A manifold whose centre lies so near the mean of all centres has no direction of its own.
_NO_CENTRE = 1e-12
# Directions in which the points of a manifold differ by less than this share of the largest are rounding.
_RANK = 1e-10


class ManifoldGeometry(NamedTuple):
    """What mean-field theory says of P manifolds, in units of the norms of their centres.

    Attributes:
        capacity: 1 / mean of 1 / capacity over the manifolds.
        radius: mean of the manifolds' radii, each the root mean square norm of its anchor points.
        dimension: mean of the manifolds' dimensions, each the mean of (t . s / |s|)^2, s the anchor point of t.
        centre_correlation: mean |cos| between two centres, around the mean of all centres.
        capacity_large_dimension: (1 + 1 / radius^2) / dimension, what capacity comes to for large dimensions; infinite
            for points.
        capacities, radii, dimensions: float64 [P].
    """

    capacity: float
    radius: float
    dimension: float
    centre_correlation: float
    capacity_large_dimension: float
    capacities: np.ndarray
    radii: np.ndarray
    dimensions: np.ndarray


def manifold_geometry(manifolds: Sequence[np.ndarray], *, draws: int = 200, seed: int = 0) -> ManifoldGeometry:
    """Geometry of point clouds in a common space.

    The mean of all centres is taken from every point. Correlations between centres are told, not removed.

    Args:
        manifolds: P >= 2 of float [M, N], M >= 1 points each.
        draws: Gaussian directions that each manifold is averaged over.
        seed: of the directions, which depend on (seed, manifold) alone.

    Raises:
        ValueError: fewer than two manifolds, shapes that differ, a value that is not finite, or a manifold without a
            centre of its own.
    """
    clouds = [np.asarray(points, dtype=np.float64) for points in manifolds]
    if len(clouds) < 2:
        raise ValueError(f"manifolds must be at least two; got {len(clouds)}")
    widths = {points.shape[1] if points.ndim == 2 else None for points in clouds}
    if len(widths) > 1 or None in widths or min(map(len, clouds)) < 1:
        raise ValueError(f"manifolds must be [M, N] of one N; got {[points.shape for points in clouds]}")
    if not all(np.isfinite(points).all() for points in clouds):
        raise ValueError("manifolds must be finite")
    if draws < 1:
        raise ValueError(f"draws must be at least 1; got {draws}")
    centres = np.stack([points.mean(axis=0) for points in clouds])
    origin = centres.mean(axis=0)
    centres = centres - origin
    norms = np.linalg.norm(centres, axis=1)
    if norms.min() <= _NO_CENTRE * max(1.0, float(np.abs(origin).max())):
        raise ValueError(f"manifolds must have centres apart from their common mean; got norms {norms}")
    found = np.array(
        [
            anchor_statistics(_coordinates(points - points.mean(axis=0)) / norm, draws=draws, seed=seed, number=number)
            for number, (points, norm) in enumerate(zip(clouds, norms, strict=True))
        ]
    )
    capacities, radii, dimensions = found.T
    directions = centres / norms[:, None]
    apart = ~np.eye(len(clouds), dtype=bool)
    radius, dimension = float(radii.mean()), float(dimensions.mean())
    return ManifoldGeometry(
        capacity=float(1.0 / np.mean(1.0 / capacities)),
        radius=radius,
        dimension=dimension,
        centre_correlation=float(np.abs(directions @ directions.T)[apart].mean()),
        capacity_large_dimension=large_dimension_capacity(radius, dimension),
        capacities=capacities,
        radii=radii,
        dimensions=dimensions,
    )


def large_dimension_capacity(radius: float, dimension: float) -> float:
    """(1 + 1 / radius^2) / dimension, the capacity of manifolds of large dimension; infinite where either is 0."""
    if radius == 0 or dimension == 0:
        return float("inf")
    return (1.0 + 1.0 / radius**2) / dimension


def anchor_statistics(points: np.ndarray, *, draws: int, seed: int = 0, number: int = 0) -> tuple[float, float, float]:
    """(capacity, radius, dimension) of one manifold, given by its points around its centre.

    For a Gaussian T in D + 1 dimensions let V be the nearest vector with V . (s, 1) >= 0 for all points s. The mean of
    |V - T|^2 is 1 / capacity. V - T is a combination of points with weights >= 0, which non-negative least squares
    finds exactly; their weighted mean is the anchor point of T. Where T itself will do, it is the point nearest to the
    margin.

    Args:
        points: float64 [M, D], in units of the centre's norm.
        draws: of T.
        seed: of the draws.
        number: of the manifold; other numbers have other draws.
    """
    with wanted_for("the geometry of manifolds"):
        from scipy.optimize import nnls

    count, dimension = points.shape
    generator = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, number, 0]))
    vectors = generator.standard_normal((draws, dimension + 1))
    extended = np.concatenate([points, np.ones((count, 1))], axis=1).T  # [D + 1, M]
    costs, squares, along = np.zeros(draws), np.zeros(draws), np.zeros(draws)
    for draw, vector in enumerate(vectors):
        margins = vector @ extended
        if margins.min() >= 0:
            anchor = points[margins.argmin()]
        else:
            weights, _ = nnls(extended, -vector, maxiter=100 * (count + dimension))
            moved = extended @ weights
            costs[draw] = moved @ moved
            anchor = moved[:-1] / weights.sum()
        squares[draw] = anchor @ anchor
        if squares[draw] > 0:
            along[draw] = (vector[:-1] @ anchor) ** 2 / squares[draw]
    mean = costs.mean()
    return float(1.0 / mean) if mean > 0 else float("inf"), float(np.sqrt(squares.mean())), float(along.mean())


def _coordinates(points: np.ndarray) -> np.ndarray:
    """Centred points [M, N] in an orthonormal basis of the space that they span, [M, D]."""
    left, values, _ = np.linalg.svd(points, full_matrices=False)
    rank = int((values > _RANK * values[0]).sum()) if values.size and values[0] > 0 else 0
    return left[:, :rank] * values[:rank]
