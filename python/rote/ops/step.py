"""rote::augment_step_addresses: which images, and which of their views, a training step shows.

The number of the step is a tensor that is only read, on CUDA by the kernel, so that a captured graph goes on by
the caller's own `step.add_(1)`.
"""

from __future__ import annotations

import torch

from rote import _native
from rote.ops.library import register

__all__ = ["augment_step_addresses"]


def augment_step_addresses(
    step: torch.Tensor,
    subset: torch.Tensor | None,
    num_images: int,
    batch_size: int,
    steps: int,
    order: int,
    pool: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and views, each int64 [steps * batch_size], of the steps from `step`, int64 [1], on.

    `subset` is int64 [num_images] or None for 0 .. num_images - 1; `order` a seed as int64; `pool` 0 for the epoch's
    own view, else how many views of an image to draw from.
    """
    return torch.ops.rote.augment_step_addresses.default(step, subset, num_images, batch_size, steps, order, pool)


def _fake(step, subset, num_images, batch_size, steps, order, pool):
    return step.new_empty(steps * batch_size), step.new_empty(steps * batch_size)


def _cpu(step, subset, num_images, batch_size, steps, order, pool):
    ids, views = _outputs(step, subset, num_images, batch_size, steps)
    subset = None if subset is None else subset.contiguous()
    _native.step_addresses(
        order & 0xFFFFFFFFFFFFFFFF,
        num_images,
        batch_size,
        pool,
        0 if subset is None else subset.data_ptr(),
        step.data_ptr(),
        steps,
        ids.data_ptr(),
        views.data_ptr(),
        torch.get_num_threads(),
    )
    return ids, views


def _cuda(step, subset, num_images, batch_size, steps, order, pool):
    ids, views = _outputs(step, subset, num_images, batch_size, steps)
    subset = None if subset is None else subset.contiguous()
    _native.step_addresses_cuda(
        order & 0xFFFFFFFFFFFFFFFF,
        num_images,
        batch_size,
        pool,
        0 if subset is None else subset.data_ptr(),
        step.data_ptr(),
        steps,
        ids.data_ptr(),
        views.data_ptr(),
        torch.cuda.current_stream(step.device).cuda_stream,
        step.device.index,
    )
    return ids, views


def _outputs(step, subset, num_images, batch_size, steps):
    """Memory for the results, once the inputs are what the native core reads."""
    if step.dtype != torch.int64 or step.numel() != 1:
        raise ValueError(f"step: wanted int64 [1], got {step.dtype} {list(step.shape)}")
    if subset is not None:
        fits = subset.dtype == torch.int64 and subset.shape == (num_images,) and subset.device == step.device
        if not fits:
            raise ValueError(
                f"subset: wanted int64 [{num_images}] on {step.device}, "
                f"got {subset.dtype} {list(subset.shape)} on {subset.device}"
            )
    if batch_size < 1 or steps < 1:
        raise ValueError(f"batch_size, steps: wanted at least 1, got {batch_size}, {steps}")
    return _fake(step, subset, num_images, batch_size, steps, 0, 0)


register(
    "augment_step_addresses(Tensor step, Tensor? subset, SymInt num_images, SymInt batch_size, SymInt steps, "
    "SymInt order, SymInt pool) -> (Tensor, Tensor)",
    cpu=_cpu,
    cuda=_cuda,
    fake=_fake,
)
