"""rote/train/distributed.py: one network trained by several processes, each on its share of every batch.

Each process renders and trains its own rows of the same global batch. Batch normalization takes its statistics over all
of them, gradients are averaged, and sums are global, so that the training is that of one process up to rounding.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable, Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn

from rote.train.execution import EagerSteps, StepParts, renders
from rote.train.global_batch_norm import GlobalBatchNorm
from rote.train.running import RunningSums
from rote.train.stream import Samples


class DataParallel:
    """The processes that train together, and the few collectives that this takes. Every process calls all of them.

    Args:
        group: a process group that serves the CPU and the training's device; the default one if None.

    Attributes:
        group: as given.
        rank: of this process.
        count: number of processes.

    Raises:
        RuntimeError: torch.distributed is not initialized.
    """

    def __init__(self, group: dist.ProcessGroup | None = None) -> None:
        if not dist.is_available() or not dist.is_initialized():
            raise RuntimeError("torch.distributed must be initialized (torch.distributed.init_process_group) first")
        self.group = group
        self.rank, self.count = dist.get_rank(group), dist.get_world_size(group)

    def rows(self, batch_size: int) -> slice:
        """The rows of a batch that are this process's.

        Raises:
            ValueError: the batch does not divide evenly.
        """
        if batch_size % self.count:
            raise ValueError(f"batch_size must be a multiple of the {self.count} processes; got {batch_size}")
        share = batch_size // self.count
        return slice(self.rank * share, (self.rank + 1) * share)

    def sum_(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        dist.all_reduce(tensor, group=self.group)
        return tensor

    def gather(self, tensor: Tensor) -> Tensor:
        """The tensors of all processes, [count, *shape]."""
        parts = [torch.empty_like(tensor) for _ in range(self.count)]
        dist.all_gather(parts, tensor.contiguous(), group=self.group)
        return torch.stack(parts)

    def average_(self, tensors: Sequence[Tensor]) -> None:
        """The mean over all processes, in place; one collective for each dtype."""
        for dtype in dict.fromkeys(tensor.dtype for tensor in tensors):
            members = [tensor for tensor in tensors if tensor.dtype == dtype]
            flat = self.sum_(torch.cat([tensor.reshape(-1) for tensor in members])).div_(self.count)
            for tensor, mean in zip(members, flat.split([t.numel() for t in members]), strict=True):
                tensor.copy_(mean.view(tensor.shape))

    def copy_from_first_(self, tensors: Iterable[Tensor]) -> None:
        """The first process's values, in place."""
        for tensor in tensors:
            values = tensor.detach().contiguous()
            dist.broadcast(values, group=self.group, group_src=0)
            tensor.detach().copy_(values)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process; waits for all."""
        return bool(self.sum_(torch.tensor([int(flag)])))

    def wait(self) -> None:
        """Returns when every process is here."""
        self.any(False)


def torchrun_processes(device: torch.device) -> DataParallel | None:
    """The processes that torchrun started; None for a process that stands alone.

    Args:
        device: what will be trained on: NCCL and GPU `LOCAL_RANK` for CUDA, gloo for the CPU.
    """
    if torchrun_count() == 1:
        return None
    if not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        atexit.register(_leave)
    return DataParallel()


def torchrun_count() -> int:
    """The number of processes that torchrun started this one with; 1 without torchrun."""
    return int(os.environ["WORLD_SIZE"]) if dist.is_available() and dist.is_torchelastic_launched() else 1


def first_process() -> bool:
    """Whether this process is the one that speaks and writes: the only one, or the first of torchrun's."""
    return torchrun_count() == 1 or os.environ["RANK"] == "0"


class SharedSteps(EagerSteps):
    """Updates of one network by several processes.

    Args:
        parts: what an update reads and changes; the stream's batch is the global one.
        processes: those that train together.

    Raises:
        ValueError: the batch does not divide evenly among the processes.
    """

    def __init__(self, parts: StepParts, processes: DataParallel) -> None:
        super().__init__(parts)
        self._processes = processes
        self._rows = processes.rows(parts.stream.batch_size)
        self._normalization = GlobalBatchNorm(processes)

    def update(self, step: int, lr: float) -> None:
        """As `EagerSteps.update`, on this process's rows of the batch."""
        stream = self.parts.stream
        if renders(stream):
            x, y, own = self._rendered(stream.samples(step))
        else:
            x, y = (part[self._rows] for part in stream.batch(step))
            own = y if y.dim() == 1 else stream.addresses(step)[2][self._rows]
        with self._normalization:
            loss, logits = self.loss_of(x, y)
        self.set_lr(lr)
        if self.parts.on_forward:
            self.show(stream.addresses(step)[0][self._rows], logits, own)
        self.descend(loss, logits, own)

    def reduce_gradients(self) -> None:
        """The loss is a mean over the batch, and shares are equally large: gradients are averaged."""
        self._processes.average_([p.grad for p in self.parts.parameters if p.grad is not None])

    def _rendered(self, samples: Samples) -> tuple[Tensor, Tensor, Tensor]:
        image_ids, views, labels, rows, table = samples
        own = labels[self._rows]
        rows = None if rows is None else rows[self._rows]
        x, y = self.parts.stream.render(Samples(image_ids[self._rows], views[self._rows], own, rows, table))
        return x, y, own


class GlobalRunningSums(RunningSums):
    """Running sums over the batches of all processes, the same in each of them."""

    def __init__(self, device: torch.device, processes: DataParallel) -> None:
        super().__init__(device)
        self._processes = processes

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Counts a step in; the arguments are this process's."""
        correct = (logits.detach().argmax(1) == labels).sum()
        sums = self._processes.sum_(torch.stack((loss.detach().double(), correct.double())))
        self._sums.add(sums[0] / self._processes.count, sums[1].long(), len(labels) * self._processes.count)


def share_weights(model: nn.Module, processes: DataParallel) -> None:
    """Gives every process the weights and buffers of the first one."""
    processes.copy_from_first_([*model.parameters(), *model.buffers()])


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()
