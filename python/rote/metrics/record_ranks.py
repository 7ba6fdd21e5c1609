"""rote/metrics/record_ranks.py: an epoch that several ranks of torch.distributed recorded, put together on all of them.

Two collectives an epoch: what the ranks are about to send, which is checked, and then the states of the examples that
each of them saw, as bytes.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from rote.metrics.record_merge import append_
from rote.metrics.record_state import RecordState
from rote.neighbors.ranks import Ranks
from rote.ops.record import COUNTS, RecordTensors

_PRESENTATIONS = COUNTS.index("presentations")
# Of a part, what must be the same on every rank: what it is called in an error.
_ALIKE = {
    "n": "n",
    "phase": "phase",
    "logits": "logits",
    "epoch": "epoch",
    "threshold": "threshold (its checksum)",
    "presentations": "presentations in the epochs before",
    "num_classes": "num_classes",
    "device": "device",
}


class Part(NamedTuple):
    """What the other ranks must know of a rank.

    Attributes:
        n, phase, logits, epoch: of the recorder.
        threshold: a checksum of its threshold samples.
        presentations: in all ended epochs.
        num_classes, device: None while this is not known.
        folder: whether it has one.
        rows: examples seen in the running epoch.
    """

    n: int
    phase: str
    logits: bool
    epoch: int
    threshold: int | None
    presentations: int
    num_classes: int | None
    device: str | None
    folder: bool
    rows: int


def joined(process_group: Any, wanted: bool, state: RecordState | None) -> Ranks | None:
    """The ranks to record with; None where this process stands alone.

    Raises:
        RuntimeError: this process is not in the group, or the group is not the one that recording began with.
    """
    up = wanted and dist.is_available() and dist.is_initialized()
    ranks = Ranks(process_group) if up else None
    ranks = ranks if ranks is not None and ranks.count > 1 else None
    if state is not None and state.rank != place_in(ranks):
        raise RuntimeError(
            "torch.distributed must be initialized before anything is recorded, and stay so to the last epoch's end; "
            "sync_on_epoch_end=False records this process alone"
        )
    return ranks


def place_in(ranks: Ranks | None) -> tuple[int, int] | None:
    """(rank, number of ranks)."""
    return None if ranks is None else (ranks.rank, ranks.count)


def threshold_checksum(mask: np.ndarray | None) -> int | None:
    """A number in which different threshold samples hardly agree."""
    return None if mask is None else zlib.crc32(np.packbits(mask).tobytes())


def own_part(state: RecordState | None, device: torch.device | None, **about: Any) -> tuple[Part, Tensor | None]:
    """This rank's part, and the ids int64 [R] of the examples that it saw; `device` is where a state would be."""
    if state is None:
        return Part(presentations=0, device=None if device is None else device.type, rows=0, **about), None
    ids = state.own.counts[:, _PRESENTATIONS].nonzero().squeeze(1)
    before = int(state.whole.counts[:, _PRESENTATIONS].sum(dtype=torch.int64))
    return Part(presentations=before, device=state.device.type, rows=len(ids), **about), ids


def exchange(ranks: Ranks, part: Part) -> list[Part]:
    """The parts of all ranks, which fit together.

    Raises:
        ValueError: the ranks' recorders are not alike; every rank raises the same.
    """
    parts = ranks.exchange(part)
    for name, called in _ALIKE.items():
        values = [(getattr(one, name), rank) for rank, one in enumerate(parts)]
        if name in ("num_classes", "device"):  # a rank that was shown nothing yet learns them from the others
            values = [(value, rank) for value, rank in values if value is not None]
        for value, rank in values:
            first, where = values[0]
            if value != first:
                raise ValueError(
                    f"{called}: wanted the same on every rank, got {first} on rank {where} and {value} on rank {rank}"
                )
    if not parts[0].folder and any(one.folder for one in parts):
        raise ValueError(
            "folder: wanted on rank 0, which writes; got one on rank "
            f"{next(rank for rank, one in enumerate(parts) if one.folder)} and none there"
        )
    return parts


def combine_(ranks: Ranks, parts: list[Part], state: RecordState, ids: Tensor) -> None:
    """Brings `state.whole` up to date, on every rank to the same bits, by what each of them saw, in their order.

    Args:
        ranks: those that record together.
        parts: of `exchange`.
        state: this rank's.
        ids: int64 [R], the examples this rank saw.
    """
    most = max(part.rows for part in parts)
    if most == 0:
        return
    ranks.wire_device(state.device, "logits")
    own = [ids[:, None], *(tensor[ids] for tensor in state.own[:4] if tensor is not None)]
    packed = torch.cat([tensor.view(torch.uint8) for tensor in own], 1)
    sent = packed.new_zeros(most, packed.shape[1])
    sent[: len(packed)] = packed
    widths = [tensor.shape[1] * tensor.element_size() for tensor in own]
    for part, rows in zip(parts, ranks.gather(sent), strict=True):
        columns = zip(rows[: part.rows].split(widths, 1), own, strict=True)
        # Each in memory of its own, aligned for its dtype.
        where, *tensors = (c.clone(memory_format=torch.contiguous_format).view(like.dtype) for c, like in columns)
        kept = tensors[3] if len(tensors) > 3 else None
        append_(state.whole, where[:, 0], RecordTensors(*tensors[:3], kept, None))
