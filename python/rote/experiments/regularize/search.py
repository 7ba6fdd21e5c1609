"""Adversarial points for training: the critical samples that a Langevin search finds (arXiv 1706.05394, section 4)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rote.metrics.lass import ALPHA, BETA, RADIUS
from rote.train.regularization import normals

# The place of the search's noise among those of `rote.train.regularization`; hidden layers end before it.
_PLACE = 127
# The iterations of a visit have addresses of their own.
_MOST_ITERATIONS = 1 << 12


class CriticalPoints:
    """LASS around every sample: the first point whose class is not the sample's, or the sample where none is found.

    The class is that of the network in eval mode; the search ascends its cross-entropy towards the class that it gives
    the sample, by signs of the gradient with Gaussian noise, and stays within the radius in every pixel. Steps are a
    fixed number; a sample that is found stops where its class changed. Nothing is clipped to [0, 1]. It is the search
    of `rote.metrics.critical_samples`, with noise of its own for every visit, and it hands the points over.

    Args:
        seed: of the noise.
        radius: largest change of a pixel on the scale 0 to 255; the search's other lengths are in proportion.
        iterations: steps of the search.

    Raises:
        ValueError: a radius or a number of steps that is not positive.
    """

    def __init__(self, seed: int, *, radius: float = RADIUS, iterations: int = 5) -> None:
        if not radius > 0:
            raise ValueError(f"radius must be positive; got {radius}")
        if not 1 <= iterations <= _MOST_ITERATIONS:
            raise ValueError(f"iterations must be in [1, {_MOST_ITERATIONS}]; got {iterations}")
        self.seed = seed
        self.radius = radius / 255
        self.iterations = iterations

    def __call__(self, model: nn.Module, pixels: Tensor, image_ids: Tensor, visit: int) -> Tensor:
        """Points [B, C, H, W]; see `rote.train.adversarial.Search`."""
        modes = [(module, module.training) for module in model.modules()]
        model.eval()
        try:
            return self._search(model, pixels.detach(), image_ids, visit)
        finally:
            for module, training in modes:
                module.training = training

    def _search(self, model: nn.Module, pixels: Tensor, image_ids: Tensor, visit: int) -> Tensor:
        points, own = pixels, None
        found = torch.zeros(len(pixels), dtype=torch.bool, device=pixels.device)
        for iteration in range(self.iterations + 1):
            at = points.clone().requires_grad_()
            logits = model(at)
            if own is None:
                own = logits.detach().argmax(1)
            found |= logits.detach().argmax(1) != own
            if iteration == self.iterations:
                break
            # Of the sum, so that the size of a batch does not scale a sample's gradient.
            (gradient,) = torch.autograd.grad(F.cross_entropy(logits.float(), own, reduction="sum"), at)
            noise = normals(self.seed, image_ids, visit * _MOST_ITERATIONS + iteration, _PLACE, pixels).to(pixels)
            step = self.radius / RADIUS * (ALPHA * gradient.sign() + BETA * noise)
            moved = torch.clamp(points + step, pixels - self.radius, pixels + self.radius)
            points = torch.where(found.view(-1, 1, 1, 1), points, moved)
        return torch.where(found.view(-1, 1, 1, 1), points, pixels)
