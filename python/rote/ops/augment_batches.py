"""rote::augment_render_batches: several batches of one recipe in one call, each with its own seed, addresses and bank.

It writes into a given tensor, for a training loop shows batches of one shape: fresh memory would be new to the caches,
and large blocks of it to the operating system as well, at every step.
"""

from __future__ import annotations

import os

import torch
from torch import Tensor

from rote import _native
from rote.ops.augment_arguments import OUTPUT_DTYPES, native_program
from rote.ops.library import DTYPE_CODES, register

__all__ = ["augment_render_batches"]


def augment_render_batches(
    images: list[Tensor], ids: Tensor, views: Tensor, program: str, seeds: list[int], out: Tensor
) -> None:
    """Batch r fills channels r C .. (r + 1) C - 1 of `out`, with the pixels of a call of its own.

    Args:
        images: banks uint8 [N, C, H, W], one for all batches or one each.
        ids, views: int64 [R, B].
        program: as in `augment_render`.
        seeds: R numbers as of `signed64`.
        out: float32, float16 or bfloat16 [B, R C, h, w], any strides.
    """
    torch.ops.rote.augment_render_batches.default(images, ids, views, program, seeds, out)


def _fake(images, ids, views, program, seeds, out):
    return None


def _cpu(images, ids, views, program, seeds, out):
    _check(images, ids, views, seeds, out)
    if ids.numel() == 0:
        return
    ids, views = ids.contiguous(), views.contiguous()
    channels = images[0].shape[1]
    _native.augment_render_batches(
        native_program(program, channels, tuple(images[0].shape[2:]), tuple(out.shape[2:])),
        [(bank.data_ptr(), bank.stride(), bank.shape[0]) for bank in images],
        ids.data_ptr(),
        views.data_ptr(),
        ids.shape[1],
        [seed & 0xFFFFFFFFFFFFFFFF for seed in seeds],
        out.data_ptr(),
        DTYPE_CODES[out.dtype],
        channels * out.stride(1),
        out.stride(),
        torch.get_num_threads(),
    )


def _cuda(images, ids, views, program, seeds, out):
    _check(images, ids, views, seeds, out)
    if ids.numel() == 0:
        return
    ids, views = ids.contiguous(), views.contiguous()
    replicas, batch = ids.shape
    channels, device = images[0].shape[1], out.device
    native = native_program(program, channels, tuple(images[0].shape[2:]), tuple(out.shape[2:]))
    path = os.environ.get("ROTE_AUGMENT_PATH") or "auto"
    # One workspace serves all launches: they follow one another on the stream.
    workspace = torch.empty(native.workspace_bytes(batch, True, path), dtype=torch.uint8, device=device)
    for r in range(replicas):
        bank = images[r if len(images) > 1 else 0]
        _native.augment_render_cuda(
            native,
            bank.data_ptr(),
            bank.stride(),
            bank.shape[0],
            ids.data_ptr() + r * batch * ids.itemsize,
            views.data_ptr() + r * batch * views.itemsize,
            0,
            batch,
            seeds[r] & 0xFFFFFFFFFFFFFFFF,
            out.data_ptr() + r * channels * out.stride(1) * out.itemsize,
            DTYPE_CODES[out.dtype],
            out.stride(),
            workspace.data_ptr(),
            torch.cuda.current_stream(device).cuda_stream,
            device.index,
            0,
            path,
        )


register(
    "augment_render_batches(Tensor[] images, Tensor ids, Tensor views, str program, SymInt[] seeds, Tensor(a!) out) "
    "-> ()",
    cpu=_cpu,
    cuda=_cuda,
    fake=_fake,
)


def _check(images, ids, views, seeds, out) -> None:
    """What keeps the native core inside its memory."""
    if ids.ndim != 2 or views.shape != ids.shape or ids.dtype != torch.int64 or views.dtype != torch.int64:
        raise ValueError(
            f"ids, views: wanted int64 [R, B] both, got {ids.dtype} {list(ids.shape)} and "
            f"{views.dtype} {list(views.shape)}"
        )
    if len(seeds) != ids.shape[0]:
        raise ValueError(f"seeds: wanted {ids.shape[0]}, one for each batch, got {len(seeds)}")
    if len(images) not in (1, ids.shape[0]):
        raise ValueError(f"images: wanted one bank, or {ids.shape[0]}, one for each batch, got {len(images)}")
    for bank in images:
        if bank.dtype != torch.uint8 or bank.ndim != 4 or bank.shape[1:] != images[0].shape[1:]:
            raise ValueError(
                f"images: wanted banks uint8 [N, {', '.join(map(str, images[0].shape[1:]))}], "
                f"got {bank.dtype} {list(bank.shape)}"
            )
        if not bank.device == ids.device == views.device == images[0].device:
            raise ValueError(f"images, ids, views: wanted one device, got {bank.device}, {ids.device}, {views.device}")
    wanted = (ids.shape[1], ids.shape[0] * images[0].shape[1])
    if out.device != ids.device or out.dtype not in OUTPUT_DTYPES or out.ndim != 4 or out.shape[:2] != wanted:
        raise ValueError(
            f"out: wanted float32, float16 or bfloat16 [{wanted[0]}, {wanted[1]}, h, w] on {ids.device}, "
            f"got {out.dtype} {list(out.shape)} on {out.device}"
        )
    if not out.is_inference():  # so that autograd notices when a saved input is rendered over before the backward pass
        torch.autograd.graph.increment_version(out)
