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
MAX_ITERATIONS = 500
HISTORY = 20


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
    # The last column holds the intercepts.
    parameters = x.new_zeros(num_classes, x.shape[1] + 1, requires_grad=True)
    gradients: list[float] = []

    def objective() -> Tensor:
        # The gradient of softmax regression in closed form, without a graph over [N, C].
        with torch.no_grad():
            weight, bias = parameters[:, :-1], parameters[:, -1]
            scores = torch.addmm(bias, x, weight.T)
            log_p = torch.log_softmax(scores, dim=1)
            loss = -log_p.gather(1, labels[:, None]).mean() + penalty * weight.square().sum()
            residual = log_p.exp_()
            residual[torch.arange(len(x), device=x.device), labels] -= 1.0
            residual /= len(x)
            gradient = torch.cat([residual.T @ x + 2.0 * penalty * weight, residual.sum(0)[:, None]], dim=1)
        parameters.grad = gradient
        gradients.append(float(gradient.abs().max()))
        return loss

    optimizer = torch.optim.LBFGS(
        [parameters],
        lr=1.0,
        max_iter=max_iterations,
        max_eval=2 * max_iterations,
        tolerance_grad=tolerance,
        tolerance_change=0.0,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
    )
    optimizer.step(objective)
    objective()  # the gradient where the search ended, not at the last trial of its line search
    fitted = parameters.detach()
    iterations = int(optimizer.state[parameters]["n_iter"])
    return LinearProbe(fitted[:, :-1], fitted[:, -1], mean, scale, gradients[-1] <= tolerance, iterations)


def _standardized(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    x = features.double()
    mean = x.mean(0)
    x = x - mean
    scale = x.square().mean(0).sqrt()
    # A constant feature keeps rounding noise behind the subtraction, which must not be blown up to size 1.
    constant = scale <= 1e-7 * mean.abs().clamp(min=torch.finfo(torch.float32).tiny)
    scale = torch.where(constant | (scale == 0), 1.0, scale)
    return x.div_(scale), mean, scale
