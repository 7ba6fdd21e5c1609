"""rote/train/memory.py: an out-of-memory error that says which number to lower."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

# Weight, gradient and two moments, float32: the most that the optimizers here keep per parameter.
_BYTES_PER_PARAMETER = 16


class TrainingOutOfMemory(RuntimeError):
    """The device has too little memory for a step; the message says which number to lower."""


@contextmanager
def memory_errors(model: nn.Module, batch_size: int, device: torch.device, step: int) -> Iterator[None]:
    """Turns torch's out-of-memory error inside the block into TrainingOutOfMemory with advice."""
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError on CUDA; the CPU allocator has no class of its own
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise TrainingOutOfMemory(_advice(model, batch_size, device, step)) from error
        raise


def _advice(model: nn.Module, batch_size: int, device: torch.device, step: int) -> str:
    parameters = sum(p.numel() for p in model.parameters())
    held = parameters * _BYTES_PER_PARAMETER
    total = torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else None
    where = f"out of memory on {device} at step {step}"
    state = f"{parameters:,} parameters take {held / 2**30:.2f} GiB with gradients and optimizer state"
    if total is not None:
        state += f" of {total / 2**30:.1f} GiB"
    if total is not None and held > total / 2:
        return f"{where}: {state}; lower projector_width or width"
    return f"{where}: {state}, the rest is activations; lower batch_size (now {batch_size})"
