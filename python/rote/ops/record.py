"""The operator `rote::record`: what a network says of every example it is shown, recorded by the example's id.

One pass over a batch's logits brings the states of its examples up to date, in place. Nothing is copied to the host and
nothing waits, so the call may stand in a training step, captured as a CUDA graph or not.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import torch
from torch import Tensor

from rote import _native
from rote.ops.library import DTYPE_CODES, register

__all__ = ["COUNTS", "SUMS", "VALUES", "RecordTensors", "record", "record_tensors"]

#: Columns of `counts`, rote::RecordCount in csrc/include/rote/record.h. An index is the number of presentations of that
#: example before the one it names.
COUNTS = (
    "presentations",
    "correct",  # presentations with the right answer
    "forgetting",  # right at one presentation, wrong at the next
    "first_correct",  # index; 0 where `correct` is 0
    "last_incorrect",  # index; 0 where no answer was wrong
    "undefined",  # presentations whose logits are no distribution
    "seen",  # presentations in this epoch
    "predicted",  # the class answered at the last presentation
)
#: Columns of `sums`: over all defined presentations.
SUMS = ("loss", "margin", "el2n", "mean_p_true", "squares_p_true")
#: Columns of `values`: of the last presentation.
VALUES = ("loss", "margin", "p_true", "el2n")


class RecordTensors(NamedTuple):
    """The states of N examples, all on one device.

    Attributes:
        counts: int32 [N, 8], columns `COUNTS`.
        sums: float64 [N, 5], columns `SUMS`.
        values: float32 [N, 4], columns `VALUES`.
        logits: float32 [N, C], the logits of the last presentation; None: not kept.
        chain: int32 [N], -1 between calls, which the kernels find an example's rows by; None on the CPU.
    """

    counts: Tensor
    sums: Tensor
    values: Tensor
    logits: Tensor | None
    chain: Tensor | None


def record_tensors(n: int, device: torch.device | str, *, num_classes: int | None = None) -> RecordTensors:
    """The states of n examples that were not shown yet; `num_classes` where their logits are to be kept.

    Raises:
        ValueError: n < 1, or fewer than two classes.
    """
    if n < 1:
        raise ValueError(f"n: wanted at least 1 example, got {n}")
    if num_classes is not None and num_classes < 2:
        raise ValueError(f"num_classes: wanted at least 2, got {num_classes}")
    device = torch.device(device)
    return RecordTensors(
        torch.zeros(n, len(COUNTS), dtype=torch.int32, device=device),
        torch.zeros(n, len(SUMS), dtype=torch.float64, device=device),
        torch.zeros(n, len(VALUES), dtype=torch.float32, device=device),
        None if num_classes is None else torch.zeros(n, num_classes, dtype=torch.float32, device=device),
        torch.full((n,), -1, dtype=torch.int32, device=device) if device.type == "cuda" else None,
    )


def record(logits: Tensor, labels: Tensor, ids: Tensor, state: RecordTensors) -> None:
    """Records a batch of presentations in the order of its rows; an example may stand in it more than once.

    Of every row, in float64 with m the largest logit: loss = log sum_c exp(z_c - m) + m - z_y in nats, p_true =
    exp(-loss), margin = z_y - max of the others, el2n = || softmax(z) - onehot(y) ||_2, and the answer, the first class
    with the largest logit. A logit of -inf is a class left out. A row with NaN, +inf or nothing but -inf is no
    distribution: it counts as a presentation with a wrong answer and as undefined, its values are NaN, and the sums
    pass it over. All executors give the same bits.

    Args:
        logits: float64, float32, float16 or bfloat16 [B, C], C >= 2, with any row stride.
        labels: int64 [B] in [0, C).
        ids: int64 [B] in [0, N).
        state: of `record_tensors`, changed in place.

    Raises:
        TypeError: a dtype is not the one wanted.
        ValueError: a shape or device is not the one wanted, or an id or label is out of range (then nothing is
            recorded; on CUDA only with the environment variable ROTE_CHECK=1, since looking synchronizes; without it
            such a row is left out).
    """
    torch.ops.rote.record.default(logits.detach(), labels, ids, *state)


def _check(logits, labels, ids, counts, sums, values, kept_logits, chain) -> None:
    if logits.dtype not in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
        raise TypeError(f"logits: wanted float32, float16, bfloat16 or float64, got {logits.dtype}")
    if logits.dim() != 2 or logits.shape[1] < 2:
        raise ValueError(f"logits: wanted [B, C] with at least two classes, got {list(logits.shape)}")
    for name, tensor in (("labels", labels), ("ids", ids)):
        if tensor.dtype != torch.int64:
            raise TypeError(f"{name}: wanted torch.int64, got {tensor.dtype}")
        if tensor.dim() != 1 or tensor.shape[0] != logits.shape[0]:
            raise ValueError(f"{name}: wanted shape ({logits.shape[0]},), got {tuple(tensor.shape)}")
    n = counts.shape[0]
    wanted = {
        "counts": (counts, torch.int32, (n, len(COUNTS))),
        "sums": (sums, torch.float64, (n, len(SUMS))),
        "values": (values, torch.float32, (n, len(VALUES))),
        "kept_logits": (kept_logits, torch.float32, (n, logits.shape[1])),
        "chain": (chain, torch.int32, (n,)),
    }
    for name, (tensor, dtype, shape) in wanted.items():
        if tensor is None:
            continue
        if tensor.dtype != dtype or tensor.shape != shape or not tensor.is_contiguous():
            raise ValueError(
                f"{name}: wanted contiguous {dtype} {list(shape)}, got {tensor.dtype} {list(tensor.shape)}"
            )
    for name, tensor in (("labels", labels), ("ids", ids), *((name, tensor) for name, (tensor, *_) in wanted.items())):
        if tensor is not None and tensor.device != logits.device:
            raise ValueError(f"{name}: wanted device {logits.device} like logits, got {tensor.device}")
    if logits.device.type == "cuda" and chain is None:
        raise ValueError("chain: wanted int32 [N] of -1 on CUDA, got None")


def _check_values_if_asked(logits, labels, ids, n) -> None:
    """With ROTE_CHECK=1: the range checks that would otherwise cost a synchronization."""
    if os.environ.get("ROTE_CHECK") != "1" or len(ids) == 0:
        return
    for name, tensor, end in (("ids", ids, n), ("labels", labels, logits.shape[1])):
        low, high = (int(value) for value in tensor.aminmax())
        if low < 0 or high >= end:
            what = "ids" if name == "ids" else "classes"
            raise ValueError(f"{name}: wanted {what} in [0, {end}), got values from {low} to {high}")


def _native_call(logits, labels, ids, counts, sums, values, kept_logits, chain):
    """Batch and states as the native core reads them, and the tensors that must outlive them."""
    if logits.stride(1) != 1 or (logits.shape[0] > 1 and logits.stride(0) < logits.shape[1]):
        logits = logits.contiguous()
    labels, ids = labels.contiguous(), ids.contiguous()
    batch = _native.RecordBatch(
        logits.data_ptr(), DTYPE_CODES[logits.dtype], logits.shape[0], logits.shape[1], logits.stride(0),
        labels.data_ptr(), ids.data_ptr(),
    )  # fmt: skip
    pointers = (0 if tensor is None else tensor.data_ptr() for tensor in (counts, sums, values, kept_logits, chain))
    return batch, _native.RecordState(counts.shape[0], *pointers), (logits, labels, ids)


def _cpu(logits, labels, ids, *state):
    _check(logits, labels, ids, *state)
    batch, states, keep = _native_call(logits, labels, ids, *state)
    _native.record_presentations(batch, states, torch.get_num_threads())
    del keep


def _cuda(logits, labels, ids, *state):
    _check(logits, labels, ids, *state)
    _check_values_if_asked(logits, labels, ids, len(state[0]))
    with torch.cuda.device(logits.device):
        batch, states, keep = _native_call(logits, labels, ids, *state)
        size = _native.record_workspace_bytes(logits.shape[0])
        workspace = torch.empty(size, dtype=torch.uint8, device=logits.device)
        stream = torch.cuda.current_stream().cuda_stream
        _native.record_presentations_cuda(batch, states, workspace.data_ptr(), stream)
        del keep  # freed in stream order by torch's caching allocator


def _fake(logits, labels, ids, *state):
    _check(logits, labels, ids, *state)


register(
    "record(Tensor logits, Tensor labels, Tensor ids, Tensor(a!) counts, Tensor(b!) sums, Tensor(c!) values, "
    "Tensor(d!)? kept_logits, Tensor(e!)? chain) -> ()",
    cpu=_cpu,
    cuda=_cuda,
    fake=_fake,
)
