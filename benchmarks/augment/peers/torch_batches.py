"""Pure PyTorch: batched tensor code with parameters per image, but one order of the colour operations for the batch.

Resized crops are one grid_sample: bilinear, clamped at the image instead of the crop, without antialiasing.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from benchmarks.augment.chain import MEAN, STD, Chain

GREY = (0.2989, 0.587, 0.114)


def render_torch(chain: Chain, bank: torch.Tensor, ids: torch.Tensor):
    """The chain as tensor code."""
    if chain.crop == "padded":
        return None if chain.jitter or chain.grey or chain.blur else _flip_crop(chain, bank, ids)
    return _resized(chain, bank, ids)


def _flip_crop(chain: Chain, bank: torch.Tensor, ids: torch.Tensor):
    """Reflect-pad, crop, flip by index arithmetic: one gather."""
    mean, std = (torch.tensor(v, device=bank.device).view(1, 3, 1, 1) for v in (MEAN, STD))
    height, width = bank.shape[2:]
    reach = chain.padding

    def render():
        n = len(ids)
        rows = torch.arange(height, device=bank.device) + torch.randint(-reach, reach + 1, (n, 1), device=bank.device)
        columns = torch.arange(width, device=bank.device) + torch.randint(-reach, reach + 1, (n, 1), device=bank.device)
        flipped = torch.rand(n, 1, device=bank.device) < 0.5
        columns = torch.where(flipped, columns.flip(1), columns)
        rows, columns = _reflect(rows, height), _reflect(columns, width)
        channels = torch.arange(3, device=bank.device).view(1, 3, 1, 1)
        x = bank[ids.view(-1, 1, 1, 1), channels, rows[:, None, :, None], columns[:, None, None, :]]
        return x.float().div_(255).sub_(mean).div_(std).to(chain.dtype)

    return render


def _resized(chain: Chain, bank: torch.Tensor, ids: torch.Tensor):
    """RandomResizedCrop + flip as one grid_sample, then the colours."""
    device = bank.device
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (MEAN, STD))
    grey_weights = torch.tensor(GREY, device=device).view(1, 3, 1, 1)
    height, width = bank.shape[2:]

    def uniform(low, high):
        return torch.empty(len(ids), 1, 1, 1, device=device).uniform_(low, high)

    def grey(x):
        return (x * grey_weights).sum(1, keepdim=True)

    def jitter(x):
        for which in torch.randperm(4).tolist():
            reach = chain.jitter[which]
            factor = uniform(1 - reach, 1 + reach) if which < 3 else uniform(-reach, reach)
            if which == 0:
                x = (x * factor).clamp(0, 1)
            elif which == 1:
                x = torch.lerp(grey(x).mean((2, 3), keepdim=True), x, factor).clamp(0, 1)
            elif which == 2:
                x = torch.lerp(grey(x), x, factor).clamp(0, 1)
            else:
                x = _turn_hue(x, factor)
        return x

    def render():
        n = len(ids)
        x = bank[ids].float().div_(255)
        area = torch.empty(n, device=device).uniform_(0.08, 1.0) * height * width
        ratio = torch.empty(n, device=device).uniform_(math.log(3 / 4), math.log(4 / 3)).exp_()
        w = (area * ratio).sqrt().round().clamp(1, width)
        h = (area / ratio).sqrt().round().clamp(1, height)
        left = (torch.rand(n, device=device) * (width - w + 1)).floor()
        top = (torch.rand(n, device=device) * (height - h + 1)).floor()
        mirror = torch.where(torch.rand(n, device=device) < 0.5, -1.0, 1.0)
        theta = torch.zeros(n, 2, 3, device=device)
        theta[:, 0, 0], theta[:, 0, 2] = mirror * w / width, (2 * left + w) / width - 1
        theta[:, 1, 1], theta[:, 1, 2] = h / height, (2 * top + h) / height - 1
        grid = F.affine_grid(theta, [n, 3, *chain.view_size(bank)], align_corners=False)
        x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
        if chain.jitter:
            x = torch.where(uniform(0, 1) < chain.jitter_p, jitter(x), x)
        if chain.grey:
            x = torch.where(uniform(0, 1) < chain.grey, grey(x), x)
        if chain.blur:
            x = torch.where(uniform(0, 1) < chain.blur, _blur(x, uniform(0.1, 2.0), chain.blur_kernel), x)
        return x.sub_(mean).div_(std).to(chain.dtype)

    return render


def _reflect(index: torch.Tensor, extent: int) -> torch.Tensor:
    index = index.abs()
    return torch.where(index >= extent, 2 * (extent - 1) - index, index)


def _turn_hue(x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    high, low = x.amax(1, keepdim=True), x.amin(1, keepdim=True)
    chroma = high - low
    r, g, b = ((high - x) / torch.where(chroma == 0, 1, chroma)).split(1, dim=1)
    hue = torch.where(high == x[:, :1], b - g, torch.where(high == x[:, 1:2], 2 + r - b, 4 + g - r))
    hue = hue + 6 * turns
    offsets = torch.tensor([5.0, 3.0, 1.0], device=x.device).view(1, 3, 1, 1)
    k = torch.remainder(offsets + hue, 6)
    return high - chroma * torch.minimum(k, 4 - k).clamp(0, 1)


def _blur(x: torch.Tensor, sigma: torch.Tensor, kernel: int) -> torch.Tensor:
    """Each image with its own sigma: a grouped convolution along each axis, reflected at the border."""
    n, channels, height, width = x.shape
    offsets = torch.arange(kernel, device=x.device) - kernel // 2
    taps = torch.softmax(-0.5 * (offsets / sigma.view(n, 1)) ** 2, 1).repeat_interleave(channels, 0)
    x = F.pad(x, [kernel // 2] * 4, mode="reflect").view(1, n * channels, height + kernel - 1, width + kernel - 1)
    x = F.conv2d(x, taps.view(n * channels, 1, 1, kernel), groups=n * channels)
    return F.conv2d(x, taps.view(n * channels, 1, kernel, 1), groups=n * channels).view(n, channels, height, width)
