"""rote/metrics/critical_radius.py: how close every sample is to another answer of the network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from rote.metrics.evaluation import evaluating
from rote.metrics.lass import ALPHA, BATCH_SIZE, BETA, RADIUS, checked_search, range_on, search_of


def critical_radius(
    model: nn.Module,
    inputs: Tensor,
    *,
    ids: Tensor | None = None,
    largest: float = 32 * RADIUS,
    halvings: int = 10,
    iterations: int = 10,
    pixel_range: float | Tensor = 1.0,
    seed: int = 0,
    batch_size: int = BATCH_SIZE,
    on_batch: Callable[[int], None] | None = None,
) -> Tensor:
    """The smallest radius at which each sample was found critical: an upper bound of its distance to another class.

    A bisection: the box of `largest` is searched, then the middle of the interval between the largest radius at which
    nothing was found and the smallest at which something was, `halvings` times. Alpha and beta keep their proportion
    to the radius. As the search can miss, so can the radius be too large, and never too small.

    Args:
        model: as `critical_samples`.
        inputs: float [N, ...].
        ids: int64 [N].
        largest: the first radius, pixels being from 0 to 255.
        halvings: halvings of the interval, which ends as wide as largest / 2^halvings.
        iterations: iterations of each search.
        pixel_range: as `critical_samples`.
        seed: of the noise.
        batch_size: samples searched at once.
        on_batch: called with the number of samples searched, after each batch.

    Returns:
        float64 [N] on the CPU; inf where nothing was found at the largest radius.

    Raises:
        ValueError: an argument that does not fit.
    """
    ids = checked_search(inputs, ids, largest, ALPHA, BETA, iterations, batch_size, pixel_range)
    if halvings < 0:
        raise ValueError(f"halvings must not be negative; got {halvings}")
    radii = []
    with evaluating(model) as device:
        span = range_on(pixel_range, inputs, device)
        for rows in torch.arange(len(inputs)).split(batch_size):
            own, own_ids = inputs[rows].to(device), ids[rows]

            def found(radius: Tensor, own: Tensor = own, own_ids: Tensor = own_ids) -> Tensor:
                each = radius.to(own).view(-1, *(1,) * (own.dim() - 1))
                lengths = (each, each * (ALPHA / RADIUS), each * (BETA / RADIUS))
                return search_of(model, own, own_ids, *lengths, span, seed).run(iterations).found_at > 0

            above = torch.full((len(own),), float(largest), dtype=torch.float64)
            below = torch.zeros_like(above)
            reached = found(above)
            for _ in range(halvings):
                if not bool(reached.any()):
                    break
                middle = (above + below) / 2
                flipped = found(middle)
                above = torch.where(flipped, middle, above)
                below = torch.where(flipped, below, middle)
            radii.append(torch.where(reached, above, torch.inf))
            if on_batch is not None:
                on_batch(sum(map(len, radii)))
    return torch.cat(radii)
