"""rote/metrics/langevin_search.py: Langevin adversarial sample search (LASS) of one batch, an iteration at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from rote.metrics.evaluation import convolutional

Noise = Callable[[Tensor, int, Tensor], Tensor]
"""(rows of the batch int64 [b], iteration from 1 on, like [b, ...]) -> standard normal numbers of that shape."""


class LangevinSearch:
    """Searches the box around every sample for a point that the network gives another class (arXiv 1706.05394).

    A forward pass says which points are found and gives the others their gradient for the next iteration, so that
    n iterations take n + 1 passes. Samples that are found leave the batch. The network is to be in eval mode, and
    gradients off, as in `rote.metrics.evaluation.evaluating`.

    Args:
        model: float [B, ...] -> logits [B, classes].
        inputs: float [B, ...], on the network's device.
        radius: half the side of the box, in units of the inputs; a number, or a tensor that broadcasts against them,
            as the two that follow.
        alpha: of the step along the sign of the gradient.
        beta: of the noise.
        noise: where the noise comes from.

    Attributes:
        found_at: int64 [B] on the CPU, the iteration from 1 on that found a sample, 0 where none did.
        points: [B, ...], what was found; the sample itself where nothing was.
    """

    def __init__(
        self,
        model: nn.Module,
        inputs: Tensor,
        radius: float | Tensor,
        alpha: float | Tensor,
        beta: float | Tensor,
        noise: Noise,
    ) -> None:
        self._model = model
        self._noise = noise
        layout = torch.channels_last if convolutional(model) and inputs.dim() == 4 else torch.contiguous_format
        inputs = inputs.contiguous(memory_format=layout)
        self.found_at = torch.zeros(len(inputs), dtype=torch.int64)
        self.points = inputs.clone()
        # Of samples not found yet: their rows, positions, boxes, and the gradient at the positions.
        self._rows = torch.arange(len(inputs))
        self._at = inputs
        # In the type of the inputs at once: by way of float32 a float64 box would be wider than it was asked to be.
        self._alpha, self._beta, reach = (
            torch.as_tensor(length, dtype=inputs.dtype, device=inputs.device) for length in (alpha, beta, radius)
        )
        self._low, self._high = inputs - reach, inputs + reach
        self._answers: Tensor | None = None
        self._gradient = torch.empty(0)
        self._look(0, gradient=True)

    def run(self, iterations: int) -> LangevinSearch:
        """Makes so many iterations, the only ones, and returns itself."""
        for iteration in range(1, iterations + 1):
            self.iterate(iteration, last=iteration == iterations)
        return self

    def iterate(self, iteration: int, *, last: bool = False) -> int:
        """Makes one iteration; returns how many samples it found. After a last one no other can be made."""
        if len(self._rows) == 0:
            return 0
        step = self._alpha * self._gradient.sign()
        step += self._beta * self._noise(self._rows, iteration, self._at)
        self._at = (self._at + step).clamp(self._low, self._high)
        return self._look(iteration, gradient=not last)

    def _look(self, iteration: int, *, gradient: bool) -> int:
        """What the network answers at the positions; those with another answer are found, and leave."""
        at = self._at.detach().requires_grad_(gradient)
        with torch.set_grad_enabled(gradient):
            logits = self._model(at)
        answers = logits.detach().argmax(1)
        if self._answers is None:
            self._answers = answers
        if gradient:
            with torch.enable_grad():
                # Of the sum, so that the size of a batch does not scale a sample's gradient.
                loss = nn.functional.cross_entropy(logits.float(), self._answers, reduction="sum")
            (self._gradient,) = torch.autograd.grad(loss, at)
        flipped = (answers != self._answers).cpu()
        count = int(flipped.sum())
        if count:
            self.found_at[self._rows[flipped]] = iteration
            # By numbers: every choice by truth values on a device would wait for it once more.
            there = flipped.nonzero().flatten().to(self._at.device)
            self.points[self._rows[flipped].to(self._at.device)] = self._at[there]
            self._keep((~flipped).nonzero().flatten())
        return count

    def _keep(self, kept: Tensor) -> None:
        """Goes on with some of the samples, by their places among those left."""
        before, self._rows = len(self._rows), self._rows[kept]
        kept = kept.to(self._at.device)
        # With a radius for every sample, so are the lengths of the steps.
        self._alpha, self._beta = (
            length[kept] if length.dim() == self._at.dim() and len(length) == before else length
            for length in (self._alpha, self._beta)
        )
        if len(self._gradient):
            self._gradient = self._gradient[kept]
        self._at, self._low, self._high, self._answers = (
            tensor[kept] for tensor in (self._at, self._low, self._high, self._answers)
        )
