"""torchvision v2, whose meaning ours is: on float images one by one, and on whole batches under a single draw."""

from __future__ import annotations

import torch

from benchmarks.augment.chain import MEAN, STD, Chain

_KEPT: list[torch.library.Library] = []


def render_torchvision(chain: Chain, bank: torch.Tensor, ids: torch.Tensor):
    """One call per image, for v2 draws once a call."""
    pipeline = pipeline_of(chain, bank)
    return pipeline and (lambda: torch.stack([pipeline(bank[i]) for i in ids.tolist()]))


def render_torchvision_one_draw(chain: Chain, bank: torch.Tensor, ids: torch.Tensor):
    """One call for the batch: every image gets the same crop, flip and colours, which is another augmentation."""
    pipeline = pipeline_of(chain, bank)
    return pipeline and (lambda: pipeline(bank[ids]))


def pipeline_of(chain: Chain, bank: torch.Tensor):
    v2 = import_torchvision()
    if v2 is None:
        return None
    size = list(chain.view_size(bank))
    steps = [v2.ToDtype(torch.float32, scale=True)]
    if chain.crop == "resized":
        steps.append(v2.RandomResizedCrop(size, scale=(0.08, 1.0), antialias=True))
    else:
        steps.append(v2.RandomCrop(size, padding=chain.padding, padding_mode="reflect"))
    steps.append(v2.RandomHorizontalFlip())
    if chain.jitter:
        steps.append(v2.RandomApply([v2.ColorJitter(*chain.jitter)], p=chain.jitter_p))
    if chain.grey:
        steps.append(v2.RandomGrayscale(p=chain.grey))
    if chain.blur:
        steps.append(v2.RandomApply([v2.GaussianBlur(chain.blur_kernel, (0.1, 2.0))], p=chain.blur))
    return v2.Compose([*steps, v2.Normalize(MEAN, STD), v2.ToDtype(chain.dtype)])


def import_torchvision():
    """torchvision.transforms.v2, or None; a wheel for CUDA beside a CPU torch gets its operators' schemas first."""
    try:
        import torchvision.transforms.v2 as v2
    except ImportError:
        return None
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(library)
        import torchvision.transforms.v2 as v2
    return v2
