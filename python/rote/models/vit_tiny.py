"""rote/models/vit_tiny.py: a small vision transformer, pre-norm, with averaged tokens and fixed positions."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from rote.models.encoder_projector import EncoderProjector
from rote.models.normalization import normalization

DEFAULT_WIDTH = 192
DEFAULT_DEPTH = 12
DEFAULT_PROJECTOR_WIDTH = 65_536
# Channels of an attention head, where the width allows.
HEAD_WIDTH = 64
# Hidden width of a block's two-layer perceptron, as a multiple of the width.
MLP_MULTIPLE = 4
# About the mean and the deviation of natural images. Positions of amplitude 1 drown pixels in [0, 1]: of 256 digits
# with true labels a network of two blocks then fits 0.53 in 240 steps, instead of 0.93.
PIXEL_MEAN, PIXEL_DEVIATION = 0.5, 0.25
# Patches along the shorter side, where the sides allow.
PATCHES = 8


def vit_tiny(
    *,
    in_channels: int,
    image_size: tuple[int, int],
    num_classes: int,
    width: int | None = None,
    depth: int | None = None,
    projector_width: int | None = None,
    norm: str = "batch",
) -> EncoderProjector:
    """The ViT-Tiny of Touvron et al. 2021 for small images: 5,348,160 encoder parameters on 32-pixel RGB images.

    Pre-norm blocks (Dosovitskiy et al. 2021) between a linear embedding of the patches, pixels standardized by mean 0.5
    and deviation 0.25, and a last normalization. There is no class token: the features are the mean over all tokens,
    and positions are two-dimensional sines and cosines that are not trained, both as in Beyer et al. 2022 (arXiv
    2205.01580). Layers are `patches`, `block1`, ..., and `encoder`, the last block with the last normalization; each is
    [B, width, rows, columns], one position a patch.

    `norm` means here what it means everywhere, also by default. The transformer of the literature is norm="layer",
    which has to be asked for: the statistics of each token over its channels. "batch" has statistics of each channel
    over batch and tokens, "group" those of each token over groups of eight channels.

    Args:
        in_channels: channels of the images.
        image_size: (height, width) in pixels; both at least 8. A patch is the largest square that divides both sides
            and goes eight times into the shorter one: 2 pixels at 16, 4 at 32, 8 at 64.
        num_classes: number of class scores.
        width: channels of a token, 192 by default, in heads of 64; a multiple of 4 (sines and cosines of rows and
            columns).
        depth: number of blocks, 12 by default.
        projector_width: hidden width of the projector, 65,536 by default.
        norm: "batch", "group", "layer" or "none".

    Raises:
        ValueError: the image is smaller than 8 x 8, or the width is no multiple of 4.
    """
    if min(image_size) < 8:
        raise ValueError(f"image_size must be at least 8 x 8 for vit-tiny; got {image_size}")
    width = DEFAULT_WIDTH if width is None else width
    if width % 4:
        raise ValueError(f"width must be a multiple of 4 for vit-tiny; got {width}")
    patch = patch_size(image_size)
    stages: list[tuple[str, nn.Module]] = [("patches", PatchEmbedding(in_channels, image_size, patch, width))]
    stages += [(f"block{index + 1}", Block(width, norm)) for index in range(DEFAULT_DEPTH if depth is None else depth)]
    name, last = stages.pop()
    stages.append((name, nn.Sequential(last, TokenNorm(width, norm))))
    return EncoderProjector(
        stages,
        features=width,
        num_classes=num_classes,
        projector_width=DEFAULT_PROJECTOR_WIDTH if projector_width is None else projector_width,
    )


def patch_size(image_size: tuple[int, int]) -> int:
    """Pixels of a patch's side: the largest common divisor of both sides up to an eighth of the shorter one."""
    largest = min(image_size) // PATCHES
    return next(size for size in range(largest, 0, -1) if image_size[0] % size == 0 and image_size[1] % size == 0)


def positions(rows: int, columns: int, width: int) -> Tensor:
    """Sines and cosines of the column, then of the row, at width/4 frequencies from 1 down to 1/10,000.

    The formula is that of Beyer et al. 2022. float32 [rows x columns, width], row by row.
    """
    count = width // 4
    frequencies = 10_000.0 ** (-torch.arange(count, dtype=torch.float64) / max(count - 1, 1))
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    y, x = y.flatten()[:, None] * frequencies, x.flatten()[:, None] * frequencies
    return torch.cat((x.sin(), x.cos(), y.sin(), y.cos()), dim=1).float()


class PatchEmbedding(nn.Module):
    """A linear map of each patch's standardized pixels, plus its position."""

    def __init__(self, in_channels: int, image_size: tuple[int, int], patch: int, width: int) -> None:
        super().__init__()
        self.patch = patch
        self.linear = nn.Linear(in_channels * patch**2, width)
        # Not part of the state: it follows from the sizes.
        grid = image_size[0] // patch, image_size[1] // patch
        self.register_buffer("positions", positions(*grid, width), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """float [B, C, H, W] in [0, 1] -> float [B, D, rows, columns]."""
        patches = nn.functional.pixel_unshuffle((x - PIXEL_MEAN) / PIXEL_DEVIATION, self.patch)
        tokens = self.linear(patches.flatten(2).transpose(1, 2)) + self.positions
        return tokens.transpose(1, 2).unflatten(2, patches.shape[2:])


class TokenNorm(nn.Module):
    """Normalization of tokens as rows of a [B x tokens, D] matrix."""

    def __init__(self, width: int, norm: str) -> None:
        super().__init__()
        self.norm = normalization(norm, width, spatial=False)

    def forward(self, x: Tensor) -> Tensor:
        """float [B, D, rows, columns] -> the same shape."""
        rows = x.permute(0, 2, 3, 1)
        return self.norm(rows.flatten(0, 2)).view(rows.shape).permute(0, 3, 1, 2)


class Block(nn.Module):
    """x + attention(norm(x)), then x + perceptron(norm(x))."""

    def __init__(self, width: int, norm: str) -> None:
        super().__init__()
        self.heads = next(count for count in range(max(1, width // HEAD_WIDTH), 0, -1) if width % count == 0)
        self.norm1 = TokenNorm(width, norm)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = TokenNorm(width, norm)
        self.mlp = nn.Sequential(
            nn.Linear(width, MLP_MULTIPLE * width), nn.GELU(), nn.Linear(MLP_MULTIPLE * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """float [B, D, rows, columns] -> the same shape."""
        grid = x.shape[2:]
        x = x + self._attention(_tokens(self.norm1(x))).transpose(1, 2).unflatten(2, grid)
        return x + self.mlp(_tokens(self.norm2(x))).transpose(1, 2).unflatten(2, grid)

    def _attention(self, tokens: Tensor) -> Tensor:
        """float [B, T, D] -> the same shape. Written out: it is deterministic and has second derivatives everywhere."""
        q, k, v = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # [B, heads, T, D/heads]
        weights = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(q.shape[3]), dim=3)
        return self.out((weights @ v).transpose(1, 2).flatten(2))


def _tokens(x: Tensor) -> Tensor:
    """[B, D, rows, columns] -> [B, tokens, D], a view where the channels lie innermost."""
    return x.flatten(2).transpose(1, 2)
