"""rote/train/current_samples.py: which samples a step trains on, and the normals that layers and losses draw for them.

What a unit draws is a function of (seed, image, visit, place, unit), never of a generator's state: a resumed training
draws the same numbers, and an image the same ones in whatever batch it stands. Every draw is a standard normal of
`rote.augment.GaussianNoise`, which CPU and CUDA give alike.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rote.augment import GaussianNoise, Recipe

#: Image ids of a bank; what a place draws for an image stands at id + place x 2^32, which no view reads.
MAX_REGULARIZED_IMAGES = 1 << 32
#: Places are below this; who draws where is listed in docs/addressing.md, "Regularizers".
PLACES = 1 << 7
# Units are the pixels of one row, and of several where they are more than a recipe renders.
_WIDEST = 1 << 14
_NORMALS = Recipe(GaussianNoise(sigma=1.0, clip=False))


class CurrentSamples:
    """The samples of the step under way: what a stream shows, and layers and losses draw their numbers by.

    A copy shows nothing: a copied network belongs to no stream.

    Attributes:
        seed: of all draws, 0 <= seed < 2^64.
        image_ids: int64 [B], or None while nothing is shown.
        visit: how many times the images came before.
        pixels: float [B, C, H, W], as the network gets them.
    """

    def __init__(self, seed: int) -> None:
        if not 0 <= seed < 1 << 64:
            raise ValueError(f"seed must be in [0, 2**64); got {seed}")
        self.seed = seed
        self.image_ids: Tensor | None = None
        self.visit = 0
        self.pixels: Tensor | None = None

    def __deepcopy__(self, memo: object) -> CurrentSamples:
        return CurrentSamples(self.seed)

    def show(self, image_ids: Tensor, visit: int, pixels: Tensor | None = None) -> None:
        """Tells what the next forward passes are about."""
        self.image_ids, self.visit, self.pixels = image_ids, visit, pixels

    def normals(self, like: Tensor, place: int) -> Tensor:
        """Standard normals for what a place holds of the samples shown.

        Args:
            like: [B, D] or [B, C, H, W], of whose shape they are.
            place: 0 < place < 2^7.

        Raises:
            RuntimeError: no samples are shown, or others than B.
        """
        if self.image_ids is None:
            raise RuntimeError(
                "a regularized network trains on the RegularizedStream that it was made for, which shows it no samples"
            )
        if len(self.image_ids) != len(like):
            raise RuntimeError(f"a regularized network wants the {len(self.image_ids)} samples shown; got {len(like)}")
        return normals(self.seed, self.image_ids, self.visit, place, like)


def normals(seed: int, image_ids: Tensor, visit: int, place: int, like: Tensor) -> Tensor:
    """Standard normals by address.

    Args:
        seed: 0 <= seed < 2^64.
        image_ids: int64 [B] in [0, 2^32), on the device of `like`.
        visit: of the images, 0 <= visit < 2^48.
        place: 0 < place < 2^7; places draw independently.
        like: [B, D] or [B, C, H, W], of whose shape they are; float64 for float64, else float32.

    Raises:
        ValueError: a place or a shape that is none of these.
    """
    if not 0 < place < PLACES:
        raise ValueError(f"place must be in [1, {PLACES}); got {place}")
    if like.dim() not in (2, 4):
        raise ValueError(f"like must be [B, D] or [B, C, H, W]; got {tuple(like.shape)}")
    units = like.shape[1:].numel()
    width = min(units, _WIDEST)
    shape = (1, -(-units // width), width)
    zeros = torch.zeros((1, *shape), dtype=torch.uint8, device=like.device)
    rows, views = torch.zeros_like(image_ids), torch.full_like(image_ids, visit)
    drawn = _NORMALS(zeros, rows, views, seed=seed, address_ids=image_ids + place * MAX_REGULARIZED_IMAGES)
    drawn = drawn.flatten(1)[:, :units].reshape(like.shape)
    return drawn.to(torch.float64 if like.dtype == torch.float64 else torch.float32)
