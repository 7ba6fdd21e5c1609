"""A chain of augmentations as the benchmarks describe it, ours and everybody else's."""

from __future__ import annotations

from dataclasses import dataclass

import torch

import rote.augment
from rote.augment import ColorJitter, Grayscale, HorizontalFlip, Operation, RandomCrop, RandomResizedCrop, Recipe

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


@dataclass(frozen=True)
class Chain:
    """Crop, flip (p 0.5), jitter, grey, blur, normalize: what is 0 or empty is left out.

    Attributes:
        crop: "resized" (area 0.08 to 1, ratio 3/4 to 4/3) or "padded" (reflect-pad by `padding`, crop).
        jitter: brightness, contrast, saturation and hue of ColorJitter, with probability `jitter_p`.
        grey: probability of Grayscale.
        blur: probability of a 3 x 3 GaussianBlur (`blur_kernel`), sigma 0.1 to 2.
        size: of the views; None: that of the images.
        dtype, channels_last: of the result.
    """

    crop: str = "resized"
    padding: int = 4
    jitter: tuple[float, ...] = ()
    jitter_p: float = 0.8
    grey: float = 0.0
    blur: float = 0.0
    blur_kernel: int = 3
    size: int | None = None
    dtype: torch.dtype = torch.float32
    channels_last: bool = False

    def view_size(self, images: torch.Tensor) -> tuple[int, int]:
        """(h, w) of the views of a bank."""
        return tuple(images.shape[2:]) if self.size is None else (self.size, self.size)

    def recipe(self) -> Recipe:
        """Ours."""
        crop = RandomResizedCrop((0.08, 1.0)) if self.crop == "resized" else RandomCrop(self.padding, "reflect")
        operations: list[Operation] = [crop, HorizontalFlip()]
        if self.jitter:
            operations.append(ColorJitter(*self.jitter, p=self.jitter_p))
        if self.grey:
            operations.append(Grayscale(self.grey))
        if self.blur:
            operations.append(rote.augment.GaussianBlur(self.blur_kernel, (0.1, 2.0), p=self.blur))
        return Recipe(*operations, size=self.size, mean=MEAN, std=STD)

    def view_bytes(self, images: torch.Tensor) -> int:
        """Bytes that a view cannot avoid to move: the image read once, the view written once."""
        height, width = self.view_size(images)
        return images[0].numel() + images.shape[1] * height * width * self.dtype.itemsize


FLIP_CROP = Chain("padded", dtype=torch.bfloat16)
CROPS = Chain()
SIMCLR = Chain(jitter=(0.8, 0.8, 0.8, 0.2), grey=0.2)
SIMCLR_BLUR = Chain(jitter=(0.8, 0.8, 0.8, 0.2), grey=0.2, blur=0.5)
LARGE = Chain(jitter=(0.4, 0.4, 0.4, 0.1), size=224)
