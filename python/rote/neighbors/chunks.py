"""References chunk by chunk: cut from arrays or taken from an iterable, and carried to a CUDA device ahead of use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch

from rote.neighbors.arrays import describe
from rote.neighbors.search import matrix

DEFAULT_CHUNK_BYTES = 256 << 20

#: Tensors that belong to the same references: rows [n, d], then vectors [n]; None where a vector is absent.
Part = tuple[torch.Tensor | None, ...]


def is_sliceable(references: Any) -> bool:
    """Whether references are one array, of which rows can be cut (numpy, torch, h5py, zarr, ...)."""
    return hasattr(references, "shape") and hasattr(references, "__getitem__")


def length_of(references: Any, columns: int) -> int | None:
    """The number of references; None for an iterable of chunks.

    Raises:
        TypeError: neither an array nor an iterable.
        ValueError: an array whose shape is not [N, columns].
    """
    if is_sliceable(references):
        if len(references.shape) != 2 or references.shape[1] != columns:
            raise ValueError(f"references must have shape [N, {columns}], as queries; got {describe(references)}")
        return int(references.shape[0])
    if isinstance(references, (str, bytes)) or not isinstance(references, Iterable):
        raise TypeError(
            f"references must be a matrix [N, {columns}] with row slicing, or an iterable of chunks of one; "
            f"got {describe(references)}"
        )
    return None


def chunks_of(references: Any, columns: int, chunk_rows: int | None, device: torch.device) -> Iterator[torch.Tensor]:
    """The references in order as tensors [n, columns] of at most `chunk_rows` rows, in host memory or on `device`."""
    if is_sliceable(references):
        rows = chunk_rows or default_rows(columns, getattr(references.dtype, "itemsize", 8))
        for start in range(0, references.shape[0], rows):
            stop = min(start + rows, references.shape[0])
            yield _checked(references[start:stop], f"references[{start}:{stop}]", columns, device)
        return
    for number, given in enumerate(references):
        chunk = _checked(given, f"references (chunk {number})", columns, device)
        yield from chunk.split(chunk_rows or default_rows(columns, chunk.element_size()))


def default_rows(columns: int, item_bytes: int) -> int:
    return max(1, DEFAULT_CHUNK_BYTES // max(1, columns * item_bytes))


def _checked(given: Any, name: str, columns: int, device: torch.device) -> torch.Tensor:
    chunk = matrix(given, name, "n")
    if chunk.shape[1] != columns:
        raise ValueError(f"{name} must have {columns} columns, as queries; got {describe(given)}")
    if chunk.device.type != "cpu" and chunk.device != device:
        raise ValueError(f"{name} must be in host memory or on {device}, where queries is; got {chunk.device}")
    return chunk


def on_device(parts: Iterable[Part], device: torch.device) -> Iterator[Part]:
    """The same parts on `device`; a part must be used up before the next one but one is asked for.

    To a CUDA device they travel through pinned memory on a stream of their own, so that the copy of a part overlaps
    with whatever the current stream does to the part before it. Nothing waits for the current stream.
    """
    if device.type != "cuda":
        yield from parts
        return
    copies = torch.cuda.Stream(device)
    slots = _Slot(device), _Slot(device)
    try:
        for turn, part in enumerate(parts):
            slot = slots[turn % 2]
            yield slot.carry(part, copies)
            slot.used.record(torch.cuda.current_stream(device))
            if slot.reads_from_caller:
                slot.sent.synchronize()  # a reader may fill the same memory again
    finally:
        for slot in slots:
            slot.sent.synchronize()  # from here on the caller may change what was read


class _Slot:
    """One of the two places for a part on its way: pinned buffers on the host, as many on the device."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.sent = torch.cuda.Event()  # the host's buffers have been read
        self.used = torch.cuda.Event()  # the device's buffers have been read
        self.buffers: dict[tuple, torch.Tensor] = {}
        self.is_new = False
        self.reads_from_caller = False

    def carry(self, part: Part, copies: torch.cuda.Stream) -> Part:
        current = torch.cuda.current_stream(self.device)
        self.sent.synchronize()
        self.reads_from_caller = False
        copies.wait_event(self.used)
        sources = [None if self._is_there(tensor) else self._pinned(place, tensor) for place, tensor in enumerate(part)]
        targets = [
            tensor if source is None else self._buffer(("device", place), tensor, device=self.device)
            for place, (tensor, source) in enumerate(zip(part, sources, strict=True))
        ]
        if self.is_new:
            copies.wait_stream(current)  # memory that was allocated anew may still be in use there
            self.is_new = False
        with torch.cuda.stream(copies):
            for source, target in zip(sources, targets, strict=True):
                if source is not None:
                    target.copy_(source, non_blocking=True)
        self.sent.record(copies)
        current.wait_event(self.sent)
        return tuple(targets)

    def _is_there(self, tensor: torch.Tensor | None) -> bool:
        return tensor is None or tensor.device == self.device

    def _pinned(self, place: int, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.is_pinned() and tensor.is_contiguous():
            self.reads_from_caller = True
            return tensor
        return self._buffer(("host", place), tensor, pin_memory=True).copy_(tensor)

    def _buffer(self, place: tuple, tensor: torch.Tensor, **options: Any) -> torch.Tensor:
        """Room for a tensor, kept for the next one of its kind."""
        key = (*place, tensor.dtype)
        rows = tensor.shape[0]
        if key not in self.buffers or self.buffers[key].shape[0] < rows:
            self.buffers[key] = torch.empty(tensor.shape, dtype=tensor.dtype, **options)
            self.is_new = True
        return self.buffers[key][:rows]
