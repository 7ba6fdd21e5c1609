"""rote/train/graph.py: a whole update, augmentation included, as one CUDA graph.

A graph repeats its kernels on the same memory, so whatever differs between two steps is a tensor: the number of the
step, which the graph itself advances, the learning rate, and, where labels are drawn anew, those of an epoch. Image
ids and views follow from the number of the step inside the graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from rote.ops.augment_arguments import signed64
from rote.ops.step import augment_step_addresses
from rote.train.execution import EagerSteps, StepParts, renders
from rote.train.stream import Samples, TrainingStream

# Updates on a side stream before the capture: they set up cuBLAS, cuDNN and the optimizer's state. They count.
_WARM_UP = 3


class DeviceSamples:
    """What a stream's `samples` says, for the step that a tensor on the device names, without a look at its value.

    Fixed labels are gathered from a table over all images; others are drawn on the CPU, an epoch at a time, and copied
    into buffers that keep their place.

    Args:
        stream: the stream.
    """

    def __init__(self, stream: TrainingStream) -> None:
        self._stream = stream
        device = stream.images.device
        self._subset = stream.image_ids.to(device)
        self._rows_of_images = None if stream.rows_of_images is None else stream.rows_of_images.to(device)
        self._fixed = stream.labels.kind == "fixed"
        self._positions = torch.arange(stream.batch_size, device=device)
        labels, table = stream.epoch_labels(0)
        if self._fixed:
            ids = stream.image_ids
            labels = torch.zeros(int(ids.max()) + 1, dtype=torch.int64)
            labels[ids] = stream.labels.labels(ids, ids, ids).cpu()
        self._labels, self._table = labels.to(device), table
        self._epoch = 0

    def prepare(self, step: int) -> None:
        """To be called before each step: draws and copies the labels of an epoch that begins."""
        epoch = self._stream.epoch_of(step)
        if self._fixed or epoch == self._epoch:
            return
        labels, table = self._stream.epoch_labels(epoch)
        self._labels.copy_(labels, non_blocking=True)
        if table is not None:
            self._table.copy_(table, non_blocking=True)
        self._epoch = epoch

    def __call__(self, step: Tensor) -> Samples:
        """The samples of a step, int64 [1]."""
        stream = self._stream
        order, pool = signed64(stream.seeds.order), stream.views or 0
        count, batch_size = len(self._subset), stream.batch_size
        ids, views = augment_step_addresses(step, self._subset, count, batch_size, 1, order, pool)
        visits = ids if self._fixed else (step % stream.steps_per_epoch) * batch_size + self._positions
        labels = self._labels.index_select(0, visits)
        rows = None if self._rows_of_images is None else self._rows_of_images.index_select(0, ids)
        return Samples(ids, views, labels, rows, self._table)


class DeviceSteps(EagerSteps):
    """Updates that read nothing from the host but tensors: what a graph captures, run operator by operator.

    Raises:
        ValueError: a stream of another class, whose samples are not a function of the step alone.
    """

    def __init__(self, parts: StepParts) -> None:
        if not renders(parts.stream):
            raise ValueError(
                f"execution='graph' needs a TrainingStream; got {type(parts.stream).__name__} (take 'eager')"
            )
        super().__init__(parts)
        self._samples = DeviceSamples(parts.stream)
        self._step = torch.full((1,), -1, dtype=torch.int64, device=parts.device)
        # The fused kernels read a float32 on CUDA; on the CPU the float64 keeps every bit of the schedule.
        wide = torch.float32 if parts.device.type == "cuda" else torch.float64
        self._lr = torch.zeros((), dtype=wide, device=parts.device)
        self._next = -1

    def update(self, step: int, lr: float) -> None:
        """As `EagerSteps.update`; the tensors are set, then `run` reads them."""
        if step != self._next:
            self._step.fill_(step)
        self._next = step + 1
        self._lr.fill_(lr)
        self._samples.prepare(step)
        self.run()

    def reset(self) -> None:
        """Goes on from whatever step comes next."""
        self._next = -1

    def run(self) -> None:
        """The update itself, and the step that follows."""
        parts = self.parts
        self.set_lr(self._lr)
        samples = self._samples(self._step)
        loss, logits = self.loss_of(*parts.stream.render(samples))
        self.show(samples.image_ids, logits, samples.labels)
        self.descend(loss, logits, samples.labels)
        self._step.add_(1)


class GraphSteps(DeviceSteps):
    """`DeviceSteps` as one CUDA graph.

    The first updates run on a side stream and count as updates; then the graph is captured, and every later update is
    one launch. A change of state (`reset`) begins anew, for it gives the optimizer other tensors.

    Raises:
        ValueError: the device is not a CUDA device, or as `DeviceSteps`.
        RuntimeError: the capture failed; the message says what to do.
    """

    def __init__(self, parts: StepParts) -> None:
        if parts.device.type != "cuda":
            raise ValueError(f"execution='graph' needs a CUDA device; this run is on {parts.device} (take 'eager')")
        super().__init__(parts)
        self._side = torch.cuda.Stream(parts.device)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._warm = 0

    def reset(self) -> None:
        """Drops the graph."""
        super().reset()
        self._graph = None
        self._warm = 0

    def run(self) -> None:
        """Replays the graph; before there is one, runs the update on the side stream or captures it."""
        if self._graph is None and self._warm < _WARM_UP:
            self._warm += 1
            current = torch.cuda.current_stream(self.parts.device)
            self._side.wait_stream(current)
            with torch.cuda.stream(self._side):
                super().run()
            current.wait_stream(self._side)
            return
        if self._graph is None:
            self._graph = self._captured()
        self._graph.replay()

    def _captured(self) -> torch.cuda.CUDAGraph:
        # The gradients of the warm-up go, so that those of the graph lie in its own memory.
        for parameter in self.parts.parameters:
            parameter.grad = None
        graph = torch.cuda.CUDAGraph()
        try:
            # Other threads (an evaluation beside the training) may allocate meanwhile.
            with (
                torch.cuda.device(self.parts.device),
                _capturable(self.parts.optimizer),
                torch.cuda.graph(graph, stream=self._side, capture_error_mode="thread_local"),
            ):
                super().run()
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            raise RuntimeError(
                f"execution='graph': this training step cannot be captured ({error}); "
                "execution='eager' or 'compiled' runs it"
            ) from error
        return graph


@contextmanager
def _capturable(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Tells Adam that it is captured; as one fused kernel it needs nothing else, but it asks."""
    groups = [group for group in optimizer.param_groups if "capturable" in group]
    before = [group["capturable"] for group in groups]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group, capturable in zip(groups, before, strict=True):
            group["capturable"] = capturable
