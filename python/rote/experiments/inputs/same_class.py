"""Ideal augmentations (arXiv 2210.14019, E5): other real images of an image's class in the place of its views.

An oracle: choosing them takes the true labels, so that it leaks the class by construction. It shows what augmentations
could do if they kept nothing of an image but its class.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import torch
from torch import Tensor

from rote import address, augment
from rote.address import FRESH_VIEWS, Stream
from rote.data import ImageBank

NAME = "same-class"
# Raised when the same bank, images and seed come to mean other substitutes.
_VERSION = 1


class SameClass:
    """Renders views that are other images of the same class, in the call protocol of `rote.augment.Recipe`.

    Every image trained on is given substitutes of its own among the images that are not trained on, in their seeded
    order, so that no substitute stands for two images. A view is one of them, chosen uniformly by the view's address,
    its pixels as they are, in [0, 1]; the image itself is never shown. Views that are never trained on (from
    `FRESH_VIEWS` on) show one more image of the class, which is held out for them.

    Args:
        bank: the data set.
        order: int64 [M], the seeded order of all training images.
        num_trained: N; the first N of it are trained on.
        num_images: substitutes of each image; as many as the rarest class leaves, equally many for all, by default.

    Attributes:
        image_ids: int64 [N], the images trained on.
        substitutes: int64 [N, num_images], those of each.
        held_out: int64 [N], what fresh views of each show.

    Raises:
        ValueError: a class has too few images left.
    """

    def __init__(self, bank: ImageBank, order: Tensor, num_trained: int, num_images: int | None = None) -> None:
        labels = bank.train.labels.cpu()
        self.image_ids, left = order[:num_trained], order[num_trained:]
        rows = [(labels[self.image_ids] == c).nonzero().flatten() for c in range(bank.num_classes)]
        pools = [left[labels[left] == c] for c in range(bank.num_classes)]
        most = min(len(pool) // len(of) for pool, of in zip(pools, rows, strict=True) if len(of))
        wanted = most if num_images is None else num_images + 1
        if not 2 <= wanted <= most:
            raise ValueError(
                f"--augment {NAME}: {num_trained} images of {bank.name} leave {max(most, 0)} others of its class for "
                f"each, one of them held out; asked for were {'some' if num_images is None else num_images}"
            )
        assigned = torch.empty(num_trained, wanted, dtype=torch.int64)
        for of, pool in zip(rows, pools, strict=True):
            assigned[of] = pool[: len(of) * wanted].reshape(len(of), wanted)
        self.substitutes, self.held_out = assigned[:, :-1].contiguous(), assigned[:, -1].contiguous()
        self._row = torch.full((len(bank.train),), -1, dtype=torch.int64)
        self._row[self.image_ids] = torch.arange(num_trained)

    def __call__(
        self,
        images: Tensor,
        ids: Tensor,
        views: Tensor,
        seed: int = 0,
        *,
        dtype: torch.dtype | None = None,
        channels_last: bool = False,
    ) -> Tensor:
        """Renders views of images trained on.

        Args:
            images: the whole bank, uint8 [M, C, H, W].
            ids: int64 [B], images trained on.
            views: int64 [B], or [B, V] for V views of each.
            seed: 0 <= seed < 2^64.
            dtype: torch.float32 (the default), torch.float16 or torch.bfloat16.
            channels_last: NHWC memory instead of NCHW.

        Returns:
            [B, C, H, W] or [B, V, C, H, W], on the images' device.

        Raises:
            ValueError: an image that is not trained on.
        """
        shown = self.shown(ids, views, seed).to(images.device)
        flat = shown.flatten()
        pixels = augment.recipes["none"](images, flat, torch.zeros_like(flat), dtype=dtype, channels_last=channels_last)
        return pixels if views.ndim == 1 else pixels.view(*views.shape, *pixels.shape[1:])

    def shown(self, ids: Tensor, views: Tensor, seed: int = 0) -> Tensor:
        """Which image each view shows, int64 of the shape of `views`, on the CPU; arguments as of the call.

        Raises:
            ValueError: an image that is not trained on.
        """
        ids, views = ids.cpu(), views.cpu()
        rows = self._row[ids]
        if bool((rows < 0).any()):
            raise ValueError(f"ids: wanted images trained on, got {ids[rows < 0][:5].tolist()}")
        if views.ndim == 2:
            ids, rows = (t.unsqueeze(1).expand(views.shape) for t in (ids, rows))
        chosen = address.integers(seed, ids, views, Stream.SUBSTITUTES, self.substitutes.shape[1])
        return torch.where(views >= FRESH_VIEWS, self.held_out[rows], self.substitutes[rows, chosen])

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, for JSON."""
        return {NAME: {"version": _VERSION, "images": self.substitutes.shape[1], "held_out": 1}}

    def hash(self) -> str:
        """SHA-256 (hex) of the description and of who stands for whom."""
        digest = hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode())
        for table in (self.image_ids, self.substitutes, self.held_out):
            digest.update(table.contiguous().numpy().tobytes())
        return digest.hexdigest()

    def describe(self) -> str:
        """The views for people."""
        return (
            f"{self.substitutes.shape[1]} other images of its class in the place of each image, one shown at a time "
            "(an oracle: it uses true labels)"
        )
