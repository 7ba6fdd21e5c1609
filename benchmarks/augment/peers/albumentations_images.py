"""albumentations 2: uint8 images in HWC one by one, by OpenCV; then a batch of tensors.

It rounds to bytes between operations (its fast path, the one its users take), shrinks without antialiasing, weighs grey
by 0.299, 0.587, 0.114, and turns hue in OpenCV's 180 steps. One process: torch's DataLoader would spread it over cores.
"""

from __future__ import annotations

import torch

from benchmarks.augment.chain import MEAN, STD, Chain


def render_albumentations(chain: Chain, bank: torch.Tensor, ids: torch.Tensor):
    """Per image, in this process, stacked and cast at the end."""
    if bank.device.type != "cpu":
        return None
    try:
        import albumentations as A
        import cv2
    except ImportError:
        return None
    cv2.setNumThreads(torch.get_num_threads())
    height, width = chain.view_size(bank)
    if chain.crop == "resized":
        steps = [A.RandomResizedCrop((height, width), scale=(0.08, 1.0))]
    else:
        steps = [A.Pad(chain.padding, border_mode=cv2.BORDER_REFLECT_101), A.RandomCrop(height, width)]
    steps.append(A.HorizontalFlip(p=0.5))
    if chain.jitter:
        brightness, contrast, saturation, hue = chain.jitter
        ranges = [(1 - v, 1 + v) for v in (brightness, contrast, saturation)]
        steps.append(A.ColorJitter(*ranges, (-hue, hue), p=chain.jitter_p))
    if chain.grey:
        steps.append(A.ToGray(p=chain.grey))
    if chain.blur:
        steps.append(A.GaussianBlur((chain.blur_kernel, chain.blur_kernel), (0.1, 2.0), p=chain.blur))
    pipeline = A.Compose([*steps, A.Normalize(MEAN, STD)], seed=0)
    source = bank.permute(0, 2, 3, 1).contiguous().numpy()

    def render():
        views = [torch.from_numpy(pipeline(image=source[i])["image"]) for i in ids.tolist()]
        return torch.stack(views).permute(0, 3, 1, 2).to(chain.dtype)

    return render
