"""Adversarial points for training: the critical samples that a Langevin search finds (arXiv 1706.05394, section 4)."""

from __future__ import annotations

from torch import Tensor, nn

from rote.metrics.evaluation import evaluating
from rote.metrics.langevin_search import LangevinSearch
from rote.metrics.lass import ALPHA, BETA, RADIUS
from rote.train.current_samples import normals

# The last place of the normals; those of hidden layers (`rote.train.regularization`) end before it.
_PLACE = 127
# The iterations of a visit have addresses of their own.
_MOST_ITERATIONS = 1 << 12


class CriticalPoints:
    """LASS around every sample: the first point whose class is not the sample's, or the sample where none is found.

    It is the search of `rote.metrics.critical_samples`, with noise of its own for every visit. The class is that of the
    network in eval mode, steps are a fixed number, and nothing is clipped to [0, 1].

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
        with evaluating(model):
            return self._search(model, pixels.detach(), image_ids, visit)

    def _search(self, model: nn.Module, pixels: Tensor, image_ids: Tensor, visit: int) -> Tensor:
        def noise(rows: Tensor, iteration: int, like: Tensor) -> Tensor:
            view = visit * _MOST_ITERATIONS + iteration - 1
            return normals(self.seed, image_ids[rows.to(image_ids.device)], view, _PLACE, like).to(like)

        scale = self.radius / RADIUS
        search = LangevinSearch(model, pixels, self.radius, scale * ALPHA, scale * BETA, noise)
        return search.run(self.iterations).points
