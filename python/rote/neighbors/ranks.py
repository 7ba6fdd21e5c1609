"""The ranks of a process group and the few collectives that a sharded search needs."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist


class Ranks:
    """A process group of torch.distributed; tensors go over it as bytes, on a device that its backend serves.

    Args:
        group: a process group; the default one if None.

    Raises:
        RuntimeError: torch.distributed is not initialized, or this process is not in the group.
    """

    def __init__(self, group: Any = None) -> None:
        if not dist.is_available() or not dist.is_initialized():
            raise RuntimeError("torch.distributed must be initialized (torch.distributed.init_process_group) first")
        self.group = group
        self.rank, self.count = dist.get_rank(group), dist.get_world_size(group)
        if self.rank < 0:
            raise RuntimeError("this process must be a member of process_group; it is not")

    def wire_device(self, device: torch.device, name: str = "queries") -> torch.device:
        """Where tensors of `device` must lie to be sent; `name` is the argument that an error is about.

        Raises:
            ValueError: the group's backends serve neither that device nor the CPU.
        """
        backends = dict(part.split(":") for part in dist.get_backend_config(self.group).split(","))
        if backends.get(device.type, "gloo") != "gloo":  # gloo gathers on the CPU alone
            return device
        if "cpu" in backends:
            return torch.device("cpu")
        raise ValueError(f"{name} must be on a device of process_group, one of {', '.join(backends)}; got {device}")

    def exchange(self, value: Any) -> list[Any]:
        """Every rank's picklable value, by rank."""
        values = [None] * self.count
        dist.all_gather_object(values, value, group=self.group)
        return values

    def send_to_all(self, tensor: torch.Tensor, source: int) -> torch.Tensor:
        """The tensor of rank `source`; the others give one of its shape, dtype and device, which may be overwritten."""
        buffer = _bytes(tensor).to(self.wire_device(tensor.device))
        dist.broadcast(buffer, group=self.group, group_src=source)
        return tensor if source == self.rank else _tensor(buffer, tensor)

    def gather(self, tensor: torch.Tensor, target: int | None = None) -> list[torch.Tensor] | None:
        """The tensors of all ranks, of one shape, by rank: on rank `target` (elsewhere None), or on all."""
        sent = _bytes(tensor).to(self.wire_device(tensor.device))
        parts = [torch.empty_like(sent) for _ in range(self.count)] if target in (None, self.rank) else None
        if target is None:
            dist.all_gather(parts, sent, group=self.group)
        else:
            dist.gather(sent, parts, group=self.group, group_dst=target)
        if parts is None:
            return None
        return [_tensor(part, tensor) for part in parts]


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    """Bytes, since not every backend carries every dtype."""
    return tensor.contiguous().view(-1).view(torch.uint8)


def _tensor(buffer: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return buffer.to(like.device).view(like.dtype).view(like.shape)
