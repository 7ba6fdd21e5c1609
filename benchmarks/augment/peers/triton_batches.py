"""triton-augment: one Triton kernel on float batches; CUDA only.

It has no resized crop, hue or blur, so only padded crops without them are raced; contrast is around 0.5 instead of the
image's mean, and it starts from padded float images, which bytes have to be turned into first.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from benchmarks.augment.chain import MEAN, STD, Chain


def render_triton_augment(chain: Chain, bank: torch.Tensor, ids: torch.Tensor):
    """Gather, division by 255 and padding by torch, then its fused kernel, then the cast."""
    if bank.device.type != "cuda" or chain.crop != "padded" or chain.blur or chain.jitter:
        return None
    try:
        import triton_augment
    except ImportError:
        return None
    height, width = chain.view_size(bank)
    if height != width:
        return None
    fused = triton_augment.TritonFusedAugment(
        crop_size=height, horizontal_flip_p=0.5, grayscale_p=chain.grey, mean=MEAN, std=STD
    )

    def render():
        x = F.pad(bank[ids].float() / 255, [chain.padding] * 4, mode="reflect")
        return fused(x).to(chain.dtype)

    return render
