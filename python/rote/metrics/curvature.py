"""rote/metrics/curvature.py: curvature of the loss around an example's input, averaged over training.

Garg, Ravikumar and Roy 2024, "Memorization through the lens of curvature of loss function around samples" (arXiv
2307.05831): a single run's proxy of memorization scores. With H the Hessian of an example's loss in its pixels and v a
vector of random signs, E || H v ||^2 = Tr(H^2), and H v is a difference of two input gradients:

    Curv(x) = mean over n directions of || (g(x + h v) - g(x)) / h ||^2,    g = d loss / d x.

The paper leaves out the division by h^2, which scales all scores alike.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rote.address import Stream, words
from rote.metrics.evaluation import checked_ids, checked_images, checked_labels, clean_pixels, device_of

#: The paper's step and number of directions.
STEP, DIRECTIONS = 1e-3, 10
# Directions have views of their own in the stream of searches.
_FIRST_VIEW = 1 << 40


def input_curvature(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    image_ids: Tensor | None = None,
    h: float = STEP,
    directions: int = DIRECTIONS,
    seed: int = 0,
    epoch: int = 0,
    dtype: torch.dtype | None = None,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    batch_size: int = 256,
) -> Tensor:
    """Tr(H^2) of every example's loss in its pixels, estimated by finite differences along random signs.

    Args:
        model: a network; in eval mode and left as it was.
        images: the bank, uint8 [M, C, H, W]; pixels are divided by 255, so `h` is in shares of the pixel range.
        labels: int64 [N], the label of each example.
        image_ids: int64 [N], rows of the bank; None is the whole bank.
        h: the step along each direction.
        directions: number of them, n.
        seed: of the directions, which are a function of (seed, image, epoch, direction, pixel).
        epoch: draws others for every look at a training.
        dtype: arithmetic; None is that of the parameters. float64 costs time and removes the rounding of differences.
            float32 is float32 here: TF32, which CUDA takes for convolutions, would round a step of 1e-3 away.
        loss: (scores [B, C], labels [B]) -> [B]; the cross-entropy by default.
        batch_size: images per gradient.

    Returns:
        float64 [N] on the CPU.

    Raises:
        ValueError: shapes that do not fit, or a step or a number of directions that is not positive.
    """
    ids = checked_ids(image_ids, checked_images(images))
    checked_labels(labels, len(ids))
    if not h > 0 or directions < 1:
        raise ValueError(f"h must be positive and directions at least 1; got {h!r} and {directions}")
    still = copy.deepcopy(model).eval().requires_grad_(False)
    still = still if dtype is None else still.to(dtype)
    device = device_of(still)
    parameter = next(still.parameters(), None)
    kind = dtype or (torch.float32 if parameter is None else parameter.dtype)
    of_each = (lambda scores, y: F.cross_entropy(scores, y, reduction="none")) if loss is None else loss
    found = []
    with _without_tf32(device):
        for start in range(0, len(ids), batch_size):
            chunk = ids[start : start + batch_size]
            x = clean_pixels(images, chunk, device).to(kind)
            y = labels[start : start + batch_size].to(device)
            origin = _input_gradient(still, of_each, x, y)
            total = torch.zeros(len(chunk), dtype=torch.float64, device=device)
            for number in range(directions):
                v = random_signs(chunk, x.shape[1:], seed=seed, epoch=epoch, number=number).to(device, kind)
                change = _input_gradient(still, of_each, x + h * v, y) - origin
                total += (change.double() / h).square().flatten(1).sum(1)
            found.append((total / directions).cpu())
    return torch.cat(found)


def random_signs(image_ids: Tensor, shape: torch.Size, *, seed: int, epoch: int, number: int) -> Tensor:
    """The signs of a direction, float32 [B, *shape] of -1 and 1: bit b of word w is that of pixel 32 w + b."""
    pixels = shape.numel()
    per_image = (pixels + 31) // 32
    first = _FIRST_VIEW + ((epoch << 8) + number) * per_image
    drawn = words(seed, image_ids[:, None], first + torch.arange(per_image)[None], Stream.SEARCH)
    bits = (drawn[..., None] >> torch.arange(32)) & 1
    return (2.0 * bits.flatten(1)[:, :pixels] - 1.0).reshape(-1, *shape)


class CurvatureScores:
    """The paper's score: the curvature of every example, averaged over looks along training.

    Args:
        images: the bank, uint8 [M, C, H, W].
        labels: int64 [N], the labels trained on.
        image_ids: int64 [N]; None is the whole bank.
        **options: of `input_curvature` (h, directions, seed, dtype, loss, batch_size).

    Example:
        >>> curvature = rote.metrics.CurvatureScores(images, labels)
        >>> for epoch in range(epochs):  # train one epoch, then
        ...     curvature.look(model)
        >>> curvature.scores()
    """

    def __init__(self, images: Tensor, labels: Tensor, *, image_ids: Tensor | None = None, **options) -> None:
        self.images = checked_images(images)
        self.image_ids = checked_ids(image_ids, images)
        self.labels = checked_labels(labels, len(self.image_ids))
        self.options = options
        self._sum = torch.zeros(len(self.image_ids), dtype=torch.float64)
        self._looks = 0

    def look(self, model: nn.Module) -> Tensor:
        """Measures the network as it is now; float64 [N], which enter the average."""
        found = input_curvature(
            model, self.images, self.labels, image_ids=self.image_ids, epoch=self._looks, **self.options
        )
        self._sum += found
        self._looks += 1
        return found

    def scores(self) -> Tensor:
        """The averages, float64 [N].

        Raises:
            ValueError: nothing was looked at yet.
        """
        if not self._looks:
            raise ValueError("scores need at least one look at a network; got none")
        return self._sum / self._looks

    def state_dict(self) -> dict[str, Tensor]:
        """What a stopped training needs to go on with the average."""
        return {"sum": self._sum.clone(), "looks": torch.tensor(self._looks)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Goes on from `state_dict`.

        Raises:
            ValueError: the state of another number of examples.
        """
        if state["sum"].shape != self._sum.shape:
            raise ValueError(f"sum must be float64 [{len(self._sum)}]; got {tuple(state['sum'].shape)}")
        self._sum, self._looks = state["sum"].double().clone(), int(state["looks"])


@contextmanager
def _without_tf32(device: torch.device) -> Iterator[None]:
    """Products of float32 in float32, forwards and backwards; what the caller allows comes back afterwards."""
    if device.type != "cuda":
        yield
        return
    places = torch.backends.cudnn.conv, torch.backends.cuda.matmul
    before = [place.fp32_precision for place in places]
    try:
        for place in places:
            place.fp32_precision = "ieee"
        yield
    finally:
        for place, precision in zip(places, before, strict=True):
            place.fp32_precision = precision


def _input_gradient(model: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        # Examples do not touch each other in eval mode, so the gradient of the sum holds each one's own.
        return torch.autograd.grad(loss(model(x), y).sum(), x)[0]
