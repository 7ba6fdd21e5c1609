"""rote/metrics/linear_probe.py: regularized multinomial logistic regression on features, by L-BFGS in float64.

The objective is that of scikit-learn's `LogisticRegression` (lbfgs) with three or more classes: 1/2 |W|^2 + C times the
sum of the cross-entropies, intercepts not penalized. Two classes have a row of weights each here, where scikit-learn
keeps one row for both.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# scikit-learn's stopping rule: the largest entry of the gradient of the objective divided by C times the rows.
TOLERANCE = 1e-4
MAX_ITERATIONS = 200
HISTORY = 20
# Iterations between two looks at the gradient, and at most in coordinates of even curvature.
_BETWEEN_LOOKS, _ITERATIONS_OF_CURVATURE = 5, 100
# With more features than this their D x D curvature is not worth its memory; L-BFGS then goes without.
_MOST_COLUMNS = 6144


class LinearProbe(NamedTuple):
    """A fitted linear classifier; it standardizes features by the means and deviations of those it was fitted on.

    Attributes:
        weight: float64 [C, D], on standardized features.
        bias: float64 [C].
        mean: float64 [D].
        scale: float64 [D], the standard deviation; 1 where a feature is constant.
        converged: whether the gradient came below the tolerance.
        iterations: of L-BFGS.
    """

    weight: Tensor
    bias: Tensor
    mean: Tensor
    scale: Tensor
    converged: bool
    iterations: int

    def scores(self, features: Tensor) -> Tensor:
        """float [R, D] -> float64 [R, C]."""
        return ((features.double() - self.mean) / self.scale) @ self.weight.T + self.bias

    def predict(self, features: Tensor) -> Tensor:
        """float [R, D] -> int64 [R], the class with the largest score."""
        return self.scores(features).argmax(1)


def fit_linear_probe(
    features: Tensor,
    labels: Tensor,
    num_classes: int,
    *,
    c: float = 1.0,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
) -> LinearProbe:
    """Fits the probe; the problem is convex, so that where it converges it is the one solution.

    Args:
        features: float [N, D], finite.
        labels: int64 [N] in [0, num_classes).
        num_classes: C, at least 2; a class without an example is kept and predicted by nobody.
        c: inverse strength of the penalty, scikit-learn's `C`.
        tolerance: on the largest entry of the gradient of the mean objective.
        max_iterations: of L-BFGS; a fit that ends there says `converged=False`.

    Returns:
        The probe on the features' device. The same call gives the same bits on the same number of threads.

    Raises:
        ValueError: shapes, labels or numbers that do not fit, or features that are not finite.
    """
    if features.dim() != 2 or not features.is_floating_point() or len(features) == 0:
        raise ValueError(f"features must be float [N, D], N > 0; got {features.dtype} {tuple(features.shape)}")
    if labels.dtype != torch.int64 or labels.shape != features.shape[:1]:
        raise ValueError(f"labels must be int64 [{len(features)}]; got {labels.dtype} {tuple(labels.shape)}")
    low, high = int(labels.min()), int(labels.max())
    if num_classes < 2 or low < 0 or high >= num_classes:
        raise ValueError(f"labels must be in [0, {num_classes}), num_classes at least 2; got {low} to {high}")
    if not (c > 0 and tolerance > 0 and max_iterations >= 1):
        raise ValueError(f"c, tolerance, max_iterations must be positive; got {c}, {tolerance}, {max_iterations}")
    if not bool(features.isfinite().all()):
        raise ValueError("features must be finite")
    x, mean, scale = _standardized(features)
    labels = labels.to(x.device)
    penalty = 1.0 / (2.0 * c * len(x))
    start = x.new_zeros(num_classes, x.shape[1]), x.new_zeros(num_classes)
    iterations, gradient = 0, float("inf")
    # In even curvature most of the way is short; what is left of it where classes are nearly separable is not.
    phases = ((True, min(_ITERATIONS_OF_CURVATURE, max_iterations)), (False, max_iterations))
    for even, until in phases if x.shape[1] <= _MOST_COLUMNS else phases[1:]:
        if gradient > tolerance:
            problem = _Problem(x, labels, *start, penalty, even=even)
            done, gradient = problem.minimize(until - iterations, tolerance)
            start = problem.solution()
            iterations += done
    return LinearProbe(*start, mean, scale, gradient <= tolerance, iterations)


class _Problem:
    """The objective, as it is or in coordinates in which its curvature is about the same in all directions.

    Neighbouring pixels and units are so correlated that L-BFGS takes thousands of iterations on standardized features.
    With L L' = p (1 - p) X'X / N + penalty, p = 1 / C, the curvature where all classes are equally likely, the weights
    are V L^-1 and the features X L^-T: the same problem and solution, in tens of iterations.

    Args:
        x: float64 [N, D], standardized.
        labels: int64 [N].
        weight, bias: where to start, float64 [C, D] and [C].
        penalty: 1 / (2 C N), the factor of |W|^2.
        even: in coordinates of even curvature.
    """

    def __init__(self, x: Tensor, labels: Tensor, weight: Tensor, bias: Tensor, penalty: float, *, even: bool) -> None:
        self.labels = labels
        self.penalty = penalty
        self.factor: Tensor | None = None
        if even:
            share = (1.0 - 1.0 / len(bias)) / len(bias)
            curvature = (x.T @ x).mul_(share / len(x))
            curvature.diagonal().add_(2.0 * penalty)
            self.factor = torch.linalg.cholesky(curvature)
            x = torch.linalg.solve_triangular(self.factor.T, x, upper=True, left=False)
            weight = weight @ self.factor
        self.x = x
        self.rows = torch.arange(len(x), device=x.device)
        # The last column holds the intercepts.
        self.parameters = torch.cat([weight, bias[:, None]], dim=1).requires_grad_()

    def minimize(self, iterations: int, tolerance: float) -> tuple[int, float]:
        """At most so many iterations; returns their number and the largest entry of the gradient."""
        optimizer = torch.optim.LBFGS(
            [self.parameters],
            lr=1.0,
            tolerance_grad=0.0,
            tolerance_change=0.0,
            history_size=HISTORY,
            line_search_fn="strong_wolfe",
        )
        options = optimizer.param_groups[0]
        done, gradient = 0, float("inf")
        while done < iterations and gradient > tolerance:
            options["max_iter"] = min(_BETWEEN_LOOKS, iterations - done)
            options["max_eval"] = 4 * options["max_iter"]
            optimizer.step(self.objective)
            self.objective()  # the gradient where the search ended, not at the last trial of its line search
            gradient = self.largest_gradient()
            before, done = done, int(optimizer.state[self.parameters]["n_iter"])
            if done == before:
                break
        return done, gradient

    @torch.no_grad()
    def objective(self) -> Tensor:
        """Mean cross-entropy and penalty; leaves the gradient, in closed form, with the parameters."""
        weight, bias = self.parameters[:, :-1], self.parameters[:, -1]
        log_p = torch.log_softmax(torch.addmm(bias, self.x, weight.T), dim=1)
        own = self._original(weight)
        loss = -log_p.gather(1, self.labels[:, None]).mean() + self.penalty * own.square().sum()
        residual = log_p.exp_()
        residual[self.rows, self.labels] -= 1.0
        residual /= len(self.x)
        shrink = 2.0 * self.penalty * own
        if self.factor is not None:
            shrink = torch.linalg.solve_triangular(self.factor.T, shrink, upper=True, left=False)
        self.parameters.grad = torch.cat([residual.T @ self.x + shrink, residual.sum(0)[:, None]], dim=1)
        return loss

    def largest_gradient(self) -> float:
        """The largest entry of the gradient with respect to the weights themselves."""
        gradient = self.parameters.grad
        weight = gradient[:, :-1] if self.factor is None else gradient[:, :-1] @ self.factor.T
        return max(float(weight.abs().max()), float(gradient[:, -1].abs().max()))

    def solution(self) -> tuple[Tensor, Tensor]:
        """(weight [C, D], bias [C]) on standardized features."""
        fitted = self.parameters.detach()
        return self._original(fitted[:, :-1]), fitted[:, -1]

    def _original(self, weight: Tensor) -> Tensor:
        if self.factor is None:
            return weight
        return torch.linalg.solve_triangular(self.factor, weight, upper=False, left=False)


def _standardized(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    x = features.double()
    mean = x.mean(0)
    x = x - mean
    scale = x.square().mean(0).sqrt()
    # A constant feature keeps rounding noise behind the subtraction, which must not be blown up to size 1.
    constant = scale <= 1e-7 * mean.abs().clamp(min=torch.finfo(torch.float32).tiny)
    scale = torch.where(constant | (scale == 0), 1.0, scale)
    return x.div_(scale), mean, scale
