"""rote/metrics/lass.py: critical samples, those close to another answer of the network, and how close.

x is critical at radius r when some x' with ||x - x'||_inf <= r is given another class than x is, whatever the label
(arXiv 1706.05394, section 4). It is looked for by Langevin adversarial sample search (LASS): of every iteration

    x' <- x' + alpha sign(gradient at x') + beta eta,    eta standard normal,    then x' is put back into the box,

the gradient is that of the cross-entropy towards the class given to x, which the step climbs. The search can miss a
critical sample, and never calls one critical that is not. Lengths are on the scale of pixels from 0 to 255.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rote.metrics.evaluation import evaluating
from rote.metrics.langevin_search import LangevinSearch
from rote.metrics.search_noise import normal_noise

#: Numbers of the paper: of the box, of the step along the sign of the gradient, of the noise.
RADIUS, ALPHA, BETA = 0.3, 0.25, 0.2
#: Of the port of the authors' code: iterations at most, and newly found samples below which it stops early.
ITERATIONS, FEWEST_NEW = 100, 20
#: Samples searched at once; a bound on memory, without influence on what is drawn.
BATCH_SIZE = 256


class CriticalSamples(NamedTuple):
    """What a search found.

    Attributes:
        critical: bool [N].
        iteration: int64 [N], the iteration from 1 on that found it, 0 where none did.
        iterations: iterations made.
    """

    critical: Tensor
    iteration: Tensor
    iterations: int

    @property
    def ratio(self) -> float:
        """The critical sample ratio, CSR: share of the samples that are critical."""
        return int(self.critical.sum()) / len(self.critical)


def critical_samples(
    model: nn.Module,
    inputs: Tensor,
    *,
    ids: Tensor | None = None,
    radius: float = RADIUS,
    alpha: float = ALPHA,
    beta: float = BETA,
    iterations: int = ITERATIONS,
    fewest_new: int | None = None,
    pixel_range: float | Tensor = 1.0,
    seed: int = 0,
    batch_size: int = BATCH_SIZE,
    on_batch: Callable[[int], None] | None = None,
) -> CriticalSamples:
    """Searches every sample's box for a point that the network gives another class.

    A sample that was found is searched no further. Pixels may leave the range of images, as in the paper. The noise is
    a function of (seed, id, iteration, pixel), so that neither batches nor other samples matter.

    Args:
        model: float [B, ...] -> logits [B, classes], in eval mode here whatever it was in; moved nowhere.
        inputs: float [N, ...], as the network takes them, on any device.
        ids: int64 [N], whose noise each sample has; 0 to N - 1 by default.
        radius: r, half the side of the box, pixels being from 0 to 255.
        alpha: of the step along the sign of the gradient, on the same scale.
        beta: of the noise, on the same scale.
        iterations: number of iterations; at most, with `fewest_new`.
        fewest_new: None for a fixed number of iterations. A number stops the search of all samples after an iteration
            that adds fewer of them (the authors' rule, with 20): the ratio then depends on the size of the set.
        pixel_range: what the range of pixels from 0 to 255 is in the inputs: 1 where they are in [0, 1], 1 / std where
            they are standardized; a number, or a tensor that broadcasts against [N, ...], e.g. [C, 1, 1].
        seed: of the noise.
        batch_size: samples searched at once.
        on_batch: called with the number of samples searched, after each batch (with `fewest_new`, of each iteration).

    Raises:
        ValueError: an argument that does not fit.
    """
    ids = checked_search(inputs, ids, radius, alpha, beta, iterations, batch_size, pixel_range)
    if fewest_new is not None and fewest_new < 1:
        raise ValueError(f"fewest_new must be at least 1, or None; got {fewest_new}")
    with evaluating(model) as device:
        span = range_on(pixel_range, inputs, device)
        parts = (
            search_of(model, inputs[rows].to(device), ids[rows], radius, alpha, beta, span, seed)
            for rows in torch.arange(len(inputs)).split(batch_size)
        )
        done = iterations
        if fewest_new is None:
            found = []
            for part in parts:
                found.append(part.run(iterations).found_at)
                if on_batch is not None:
                    on_batch(sum(map(len, found)))
        else:
            searches = list(parts)
            for iteration in range(1, iterations + 1):
                new = sum(part.iterate(iteration, last=iteration == iterations) for part in searches)
                if on_batch is not None:
                    on_batch(len(inputs))
                if new < fewest_new:
                    done = iteration
                    break
            found = [part.found_at for part in searches]
    found_at = torch.cat(found)
    return CriticalSamples(found_at > 0, found_at, done)


def search_of(
    model: nn.Module,
    inputs: Tensor,
    ids: Tensor,
    radius: float | Tensor,
    alpha: float | Tensor,
    beta: float | Tensor,
    pixel_range: Tensor,
    seed: int,
) -> LangevinSearch:
    """The search of one batch, on the network's device; arguments as of `critical_samples`."""
    unit = pixel_range / 255
    lengths = (torch.as_tensor(length).to(inputs) * unit for length in (radius, alpha, beta))
    return LangevinSearch(
        model, inputs, *lengths, noise=lambda rows, iteration, like: normal_noise(seed, ids[rows], iteration, like)
    )


def checked_search(
    inputs: Tensor,
    ids: Tensor | None,
    radius: float,
    alpha: float,
    beta: float,
    iterations: int,
    batch_size: int,
    pixel_range: float | Tensor,
) -> Tensor:
    """The ids that noise is addressed by, int64 [N]; 0 to N - 1 by default.

    Raises:
        ValueError: an argument of a search that is not as `critical_samples` wants it.
    """
    if inputs.dim() < 2 or not inputs.is_floating_point() or len(inputs) == 0:
        raise ValueError(f"inputs must be float [N, ...], N > 0; got {inputs.dtype} {tuple(inputs.shape)}")
    for name, value in (("radius", radius), ("alpha", alpha)):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be positive and finite; got {value}")
    if not (math.isfinite(beta) and beta >= 0):
        raise ValueError(f"beta must be finite and not negative; got {beta}")
    if iterations < 1 or batch_size < 1:
        raise ValueError(f"iterations and batch_size must be at least 1; got {iterations} and {batch_size}")
    if iterations >= 1 << 16:
        raise ValueError(f"iterations must be below 65536, the views that noise is addressed by; got {iterations}")
    span = torch.as_tensor(pixel_range)
    if not bool((span > 0).all()) or not bool(torch.isfinite(span).all()):
        raise ValueError(f"pixel_range must be positive and finite; got {pixel_range}")
    if ids is None:
        return torch.arange(len(inputs))
    if ids.shape != (len(inputs),) or ids.dtype != torch.int64:
        raise ValueError(f"ids must be int64 [{len(inputs)}]; got {ids.dtype} {tuple(ids.shape)}")
    return ids.cpu()


def range_on(pixel_range: float | Tensor, inputs: Tensor, device: torch.device) -> Tensor:
    """The range of pixels in the type of the inputs."""
    return torch.as_tensor(pixel_range, dtype=inputs.dtype).to(device)
