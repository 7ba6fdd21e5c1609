"""What the loader of the CIFAR-10 speed runs does, written anew from its published description.

Images lie normalized and reflect-padded in the result's dtype beforehand, which is not timed; then one random
translation and one flip per image: images of the same vertical shift are moved together, then those of the same
horizontal shift. (It does so with a whole epoch and takes batches of the result; here with the images of a batch.) It
has no resized crops and no colours.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from benchmarks.augment.chain import MEAN, STD, Chain


def render_airbench(chain: Chain, bank: torch.Tensor, ids: torch.Tensor):
    """Flip and translation; None for chains with more."""
    if chain.crop != "padded" or chain.jitter or chain.grey or chain.blur or chain.size is not None:
        return None
    device, reach = bank.device, chain.padding
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (MEAN, STD))
    padded = torch.empty(len(bank), 3, bank.shape[2] + 2 * reach, bank.shape[3] + 2 * reach, dtype=chain.dtype)
    padded = padded.to(device, memory_format=torch.channels_last)
    for part in torch.arange(len(bank)).split(4096):
        x = bank[part.to(device)].float().div_(255).sub_(mean).div_(std)
        padded[part[0] : part[-1] + 1] = F.pad(x, [reach] * 4, mode="reflect").to(chain.dtype)

    def render():
        x = padded[ids]
        n, _, height, width = x.shape
        rows, columns = (torch.randint(0, 2 * reach + 1, (n,), device=device) for _ in range(2))
        tall = x.new_empty(n, 3, height - 2 * reach, width)
        views = x.new_empty(n, 3, height - 2 * reach, width - 2 * reach)
        for shift, members in enumerate(_groups(rows, 2 * reach + 1)):
            tall.index_copy_(0, members, x.index_select(0, members).narrow(2, shift, tall.shape[2]))
        for shift, members in enumerate(_groups(columns, 2 * reach + 1)):
            views.index_copy_(0, members, tall.index_select(0, members).narrow(3, shift, views.shape[3]))
        flipped = (torch.rand(n, device=device) < 0.5).view(-1, 1, 1, 1)
        return torch.where(flipped, views.flip(3), views)

    return render


def _groups(shifts: torch.Tensor, count: int) -> tuple[torch.Tensor, ...]:
    """For each shift, the positions that drew it."""
    return shifts.argsort().split(torch.bincount(shifts, minlength=count).tolist())
