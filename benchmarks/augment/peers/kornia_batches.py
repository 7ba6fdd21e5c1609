"""kornia: AugmentationSequential on float batches, eager and through torch.compile.

Parameters are per image, but one order of the four colour operations holds for the whole batch; grey weighs 0.299,
0.587, 0.114; resized crops run in the mode that resamples the whole batch at once (the default cuts image by image, and
is slower), bilinear without antialiasing.
"""

from __future__ import annotations

import torch

from benchmarks.augment.chain import MEAN, STD, Chain


def render_kornia(chain: Chain, bank: torch.Tensor, ids: torch.Tensor):
    """Eager."""
    pipeline = pipeline_of(chain, bank)
    return pipeline and (lambda: pipeline(bank[ids].float() / 255).to(chain.dtype))


def render_kornia_compiled(chain: Chain, bank: torch.Tensor, ids: torch.Tensor):
    """torch.compile with graph breaks allowed, for drawing parameters breaks the graph; None where that fails."""
    pipeline = pipeline_of(chain, bank)
    if pipeline is None:
        return None
    compiled = torch.compile(pipeline, dynamic=False)

    def render():
        return compiled(bank[ids].float() / 255).to(chain.dtype)

    try:
        for _ in range(3):  # orders of the colour operations that come up later compile anew
            render()
    except Exception as error:
        print(f"kornia compiled: left out, {type(error).__name__}: {str(error).splitlines()[0][:120]}")
        return None
    return render


def pipeline_of(chain: Chain, bank: torch.Tensor):
    try:
        import kornia.augmentation as K
    except ImportError:
        return None
    size = chain.view_size(bank)
    if chain.crop == "resized":
        steps = [K.RandomResizedCrop(size, scale=(0.08, 1.0), cropping_mode="resample", align_corners=False)]
    else:
        steps = [K.RandomCrop(size, padding=chain.padding, padding_mode="reflect", cropping_mode="resample")]
    steps.append(K.RandomHorizontalFlip(p=0.5))
    if chain.jitter:
        steps.append(K.ColorJitter(*chain.jitter, p=chain.jitter_p))
    if chain.grey:
        steps.append(K.RandomGrayscale(p=chain.grey))
    if chain.blur:
        steps.append(K.RandomGaussianBlur((chain.blur_kernel, chain.blur_kernel), (0.1, 2.0), p=chain.blur))
    steps.append(K.Normalize(torch.tensor(MEAN), torch.tensor(STD)))
    return K.AugmentationSequential(*steps).to(bank.device)
