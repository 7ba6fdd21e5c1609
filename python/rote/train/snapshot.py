"""rote/train/snapshot.py: evaluations of a network as it was at a step, while its training goes on."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import torch
from torch import nn

Result = TypeVar("Result")


class Snapshots(Generic[Result]):
    """Measures copies of a network and hands the results over later.

    On CUDA the weights are copied on the device, in the order of its work, and a thread of its own measures the copy on
    a stream of its own: training goes on meanwhile, and costs one more set of weights. On the CPU there is nothing to
    gain: threads would share the same cores, so the network itself is measured at once. Either way a result belongs to
    the weights of its own step. Use it as a context manager.

    Args:
        model: the network that is trained; measurements must leave it as it was.
        background: measure in a thread; None means on CUDA.

    Example:
        >>> with Snapshots(trainer.model) as snapshots:
        ...     snapshots.measure(trainer.step, lambda model: clean_accuracy(model, images, labels))
        ...     trainer.train_until(trainer.step + 100)
        ...     for step, accuracy in snapshots.results(wait=True): ...
    """

    def __init__(self, model: nn.Module, *, background: bool | None = None) -> None:
        self.model = model
        device = next((p.device for p in model.parameters()), torch.device("cpu"))
        if background is None:
            background = device.type == "cuda"
        self._stream = torch.cuda.Stream(device) if background and device.type == "cuda" else None
        self._thread = ThreadPoolExecutor(1, "snapshot") if background else None
        self._copy: nn.Module | None = None
        self._copied: Any = None  # CUDA events: the copy is made, and read
        self._read: Any = None
        self._queue: deque[tuple[int, Future[Result]]] = deque()

    def __enter__(self) -> Snapshots[Result]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def measure(self, step: int, function: Callable[[nn.Module], Result]) -> None:
        """Measures the network as it is now.

        A measurement that is still under way is waited for first, since there is one copy.

        Args:
            step: what the result is handed over with.
            function: from the network, or an equal one, to the result; called without gradients.
        """
        found: Future[Result] = Future()
        if self._thread is None:
            with torch.no_grad():
                try:
                    found.set_result(function(self.model))
                except Exception as error:
                    found.set_exception(error)
        else:
            if self._queue:
                self._queue[-1][1].exception()
            self._take()
            found = self._thread.submit(self._measured, function)
        self._queue.append((step, found))

    def results(self, *, wait: bool = False) -> list[tuple[int, Result]]:
        """(step, result) of the measurements that are done and were not handed over before, in their order.

        Args:
            wait: until all are done.

        Raises:
            Exception: what a measurement raised, once those before it are handed over.
        """
        found = []
        while self._queue and (wait or self._queue[0][1].done()):
            step, future = self._queue[0]
            if found and future.exception() is not None:
                break
            self._queue.popleft()
            found.append((step, future.result()))
        return found

    def close(self) -> None:
        """Waits for what is under way and ends the thread; results are kept."""
        if self._thread is not None:
            self._thread.shutdown()

    @torch.no_grad()
    def _take(self) -> None:
        if self._copy is None:
            self._copy = copy.deepcopy(self.model).requires_grad_(False)
            for parameter in self._copy.parameters():
                parameter.grad = None
        if self._read is not None:
            torch.cuda.current_stream(self._stream.device).wait_event(self._read)
        own, copies = self.model.state_dict(), self._copy.state_dict()
        for name, value in own.items():
            copies[name].copy_(value)
        if self._stream is not None:
            self._copied = torch.cuda.current_stream(self._stream.device).record_event()

    def _measured(self, function: Callable[[nn.Module], Result]) -> Result:
        with torch.no_grad():
            if self._stream is None:
                return function(self._copy)
            with torch.cuda.stream(self._stream):
                self._stream.wait_event(self._copied)
                try:
                    return function(self._copy)
                finally:
                    self._read = self._stream.record_event()
