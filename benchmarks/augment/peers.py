"""The same augmentations by other means: float32 NCHW batches from a uint8 bank, drawn anew at each call.

Each function returns a callable without arguments that renders one batch, or None where the peer is not installed. What
a peer cannot do is done its usual way and said here:

- torch: batched tensor code with parameters per image; one order of the colour operations for the whole batch.
- kornia: AugmentationSequential; one order for the whole batch as well.
- torchvision: v2 draws once per call, so one call per image.
- DALI: its CPU pipeline without prefetching, so that a run does its own work; colour as one matrix, hue in YIQ.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
GREY = (0.2989, 0.587, 0.114)

Render = Callable[[], object]


# Pure PyTorch --------------------------------------------------------------------------------------------------------


def torch_flip_crop(bank: torch.Tensor, ids: torch.Tensor, dtype: torch.dtype) -> Render:
    """Reflect-pad by 4, crop, flip, normalize by index arithmetic: one gather."""
    mean, std = (torch.tensor(v, device=bank.device).view(1, 3, 1, 1) for v in (MEAN, STD))
    height, width = bank.shape[2:]

    def render():
        n = len(ids)
        rows = torch.arange(height, device=bank.device) + torch.randint(-4, 5, (n, 1), device=bank.device)
        columns = torch.arange(width, device=bank.device) + torch.randint(-4, 5, (n, 1), device=bank.device)
        flipped = torch.rand(n, 1, device=bank.device) < 0.5
        columns = torch.where(flipped, columns.flip(1), columns)
        rows, columns = _reflect(rows, height), _reflect(columns, width)
        channels = torch.arange(3, device=bank.device).view(1, 3, 1, 1)
        x = bank[ids.view(-1, 1, 1, 1), channels, rows[:, None, :, None], columns[:, None, None, :]]
        return x.float().div_(255).sub_(mean).div_(std).to(dtype)

    return render


def torch_simclr(bank: torch.Tensor, ids: torch.Tensor, colour: bool) -> Render:
    """RandomResizedCrop + flip as one grid_sample; jitter (p 0.8), grey (p 0.2), normalize as batched code."""
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
            factor = uniform(0.2, 1.8)
            if which == 0:
                x = (x * factor).clamp(0, 1)
            elif which == 1:
                x = torch.lerp(grey(x).mean((2, 3), keepdim=True), x, factor).clamp(0, 1)
            elif which == 2:
                x = torch.lerp(grey(x), x, factor).clamp(0, 1)
            else:
                x = _turn_hue(x, uniform(-0.2, 0.2))
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
        grid = F.affine_grid(theta, list(x.shape), align_corners=False)
        x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
        if colour:
            x = torch.where(uniform(0, 1) < 0.8, jitter(x), x)
            x = torch.where(uniform(0, 1) < 0.2, grey(x), x)
        return x.sub_(mean).div_(std)

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


# Libraries -----------------------------------------------------------------------------------------------------------


def kornia_simclr(bank: torch.Tensor, ids: torch.Tensor, colour: bool) -> Render | None:
    try:
        import kornia.augmentation as K
    except ImportError:
        return None
    size = tuple(bank.shape[2:])
    steps = [K.RandomResizedCrop(size, scale=(0.08, 1.0), cropping_mode="resample"), K.RandomHorizontalFlip(p=0.5)]
    if colour:
        steps += [K.ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8), K.RandomGrayscale(p=0.2)]
    steps.append(K.Normalize(torch.tensor(MEAN), torch.tensor(STD)))
    pipeline = K.AugmentationSequential(*steps).to(bank.device)
    return lambda: pipeline(bank[ids].float() / 255)


def torchvision_simclr(bank: torch.Tensor, ids: torch.Tensor, colour: bool) -> Render | None:
    v2 = _import_torchvision()
    if v2 is None:
        return None
    size = list(bank.shape[2:])
    steps = [v2.ToDtype(torch.float32, scale=True), v2.RandomResizedCrop(size, scale=(0.08, 1.0))]
    steps.append(v2.RandomHorizontalFlip())
    if colour:
        steps += [v2.RandomApply([v2.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8), v2.RandomGrayscale(p=0.2)]
    steps.append(v2.Normalize(MEAN, STD))
    pipeline = v2.Compose(steps)
    return lambda: torch.stack([pipeline(bank[i]) for i in ids.tolist()])


def dali_simclr(bank: torch.Tensor, ids: torch.Tensor, colour: bool) -> Render | None:
    if bank.device.type != "cpu":
        return None
    try:
        from nvidia.dali import fn, pipeline_def, types
    except ImportError:
        return None
    height, width = bank.shape[2:]
    source = bank.permute(0, 2, 3, 1).contiguous().numpy()  # DALI reads HWC
    batch = [source[i] for i in ids.tolist()]

    @pipeline_def(
        batch_size=len(batch),
        num_threads=torch.get_num_threads(),
        device_id=None,
        exec_pipelined=False,
        exec_async=False,
        prefetch_queue_depth=1,
        seed=0,
    )
    def pipeline():
        x = fn.external_source(source=lambda: batch, layout="HWC", no_copy=True)
        x = fn.random_resized_crop(x, size=(height, width), random_area=(0.08, 1.0))
        if colour:
            on = fn.random.coin_flip(probability=0.8)
            grey = fn.random.coin_flip(probability=0.2)

            def factor(low, high, neutral):
                return on * fn.random.uniform(range=(low, high)) + (1 - on) * neutral

            x = fn.color_twist(
                x,
                brightness=factor(0.2, 1.8, 1.0),
                contrast=factor(0.2, 1.8, 1.0),
                saturation=factor(0.2, 1.8, 1.0) * (1 - grey),
                hue=factor(-72.0, 72.0, 0.0),
            )
        return fn.crop_mirror_normalize(
            x,
            mirror=fn.random.coin_flip(probability=0.5),
            mean=[255 * v for v in MEAN],
            std=[255 * v for v in STD],
            dtype=types.FLOAT,
            output_layout="CHW",
        )

    built = pipeline()
    built.build()
    return built.run


def _import_torchvision():
    try:
        import torchvision.transforms.v2 as v2
    except ImportError:
        return None
    except RuntimeError:  # a wheel for CUDA beside a CPU torch: it misses the schemas of its own operators
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(library)
        import torchvision.transforms.v2 as v2
    return v2


_KEPT: list[torch.library.Library] = []
