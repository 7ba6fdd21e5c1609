"""Operators of the augmentation engine.

rote::augment_sample      parameter rows of views (rote/ops/augment_sample.py)
rote::augment_render      views of bank images, parameters drawn inside or given as rows
rote::augment_render_out  the same into a given tensor
"""

from __future__ import annotations

import os

import torch

from rote import _native
from rote.ops.augment_arguments import (
    MAX_IMAGES,
    MAX_VIEWS,
    OUTPUT_DTYPES,
    check_on_device,
    contiguous,
    native_program,
    require_column,
    signed64,
)
from rote.ops.augment_sample import augment_sample
from rote.ops.library import DTYPE_CODES, register

__all__ = ["augment_render", "augment_render_out", "augment_sample", "signed64"]


def augment_render(
    images: torch.Tensor,
    ids: torch.Tensor,
    views: torch.Tensor | None,
    rows: torch.Tensor | None,
    program: str,
    size: list[int],
    seed: int,
    dtype: torch.dtype,
    channels_last: bool,
    address_ids: torch.Tensor | None = None,
) -> torch.Tensor:
    """[n, C, *size] of `dtype`: the views of images[ids[i]]; exactly one of `views` and `rows` is given.

    `address_ids`, int64 [n], are the image ids of the addresses where they are not `ids`.
    """
    return torch.ops.rote.augment_render.default(
        images, ids, views, rows, program, size, seed, dtype, channels_last, address_ids
    )


def _render_fake(images, ids, views, rows, program, size, seed, dtype, channels_last, address_ids=None):
    return torch.empty(
        (ids.shape[0], images.shape[1], *size),
        dtype=dtype,
        device=images.device,
        memory_format=torch.channels_last if channels_last else torch.contiguous_format,
    )


def _render(images, ids, views, rows, program, size, seed, dtype, channels_last, address_ids=None):
    out = _render_fake(images, ids, views, rows, program, size, seed, dtype, channels_last)
    _RENDER_INTO[images.device.type](images, ids, views, rows, program, seed, out, address_ids)
    return out


def augment_render_out(
    images: torch.Tensor,
    ids: torch.Tensor,
    views: torch.Tensor | None,
    rows: torch.Tensor | None,
    program: str,
    seed: int,
    out: torch.Tensor,
    address_ids: torch.Tensor | None = None,
) -> None:
    """`augment_render` into `out` [n, C, h, w], whose size, dtype and strides say what is wanted."""
    torch.ops.rote.augment_render_out.default(images, ids, views, rows, program, seed, out, address_ids)


def _render_into_cpu(images, ids, views, rows, program, seed, out, address_ids):
    native = native_program(program, images.shape[1], tuple(images.shape[2:]), tuple(out.shape[2:]))
    _require_layout(images, ids, views, rows, native.row_words, address_ids)
    if ids.shape[0] == 0:  # an empty tensor has a null pointer
        return
    ids, views, rows, address_ids = contiguous(ids), contiguous(views), contiguous(rows), contiguous(address_ids)
    _native.augment_render(
        native,
        images.data_ptr(),
        images.stride(),
        images.shape[0],
        ids.data_ptr(),
        views.data_ptr() if views is not None else 0,
        rows.data_ptr() if rows is not None else 0,
        ids.shape[0],
        seed & 0xFFFFFFFFFFFFFFFF,
        out.data_ptr(),
        DTYPE_CODES[out.dtype],
        out.stride(),
        torch.get_num_threads(),
        "auto",
        address_ids.data_ptr() if address_ids is not None else 0,
    )


def _render_into_cuda(images, ids, views, rows, program, seed, out, address_ids):
    native = native_program(program, images.shape[1], tuple(images.shape[2:]), tuple(out.shape[2:]))
    _require_layout(images, ids, views, rows, native.row_words, address_ids)
    if ids.shape[0] == 0:
        return
    ids, views, rows, address_ids = contiguous(ids), contiguous(views), contiguous(rows), contiguous(address_ids)
    check_on_device(ids=(ids, images.shape[0]), address_ids=(address_ids, MAX_IMAGES), views=(views, MAX_VIEWS))
    path = os.environ.get("ROTE_AUGMENT_PATH") or "auto"
    workspace = torch.empty(native.workspace_bytes(ids.shape[0], True, path), dtype=torch.uint8, device=images.device)
    _native.augment_render_cuda(
        native,
        images.data_ptr(),
        images.stride(),
        images.shape[0],
        ids.data_ptr(),
        views.data_ptr() if views is not None else 0,
        rows.data_ptr() if rows is not None else 0,
        ids.shape[0],
        seed & 0xFFFFFFFFFFFFFFFF,
        out.data_ptr(),
        DTYPE_CODES[out.dtype],
        out.stride(),
        workspace.data_ptr(),
        torch.cuda.current_stream(images.device).cuda_stream,
        images.device.index,
        address_ids.data_ptr() if address_ids is not None else 0,
        path,
    )


_RENDER_INTO = {"cpu": _render_into_cpu, "cuda": _render_into_cuda}


def _render_out(images, ids, views, rows, program, seed, out, address_ids=None):
    wanted = (ids.shape[0], images.shape[1])
    if out.device != images.device or out.dtype not in OUTPUT_DTYPES or out.ndim != 4 or out.shape[:2] != wanted:
        raise ValueError(
            f"out: wanted float32, float16 or bfloat16 [{wanted[0]}, {wanted[1]}, h, w] on {images.device}, "
            f"got {out.dtype} {list(out.shape)} on {out.device}"
        )
    if not out.is_inference():  # so that autograd notices when a saved input is rendered over before the backward pass
        torch.autograd.graph.increment_version(out)
    _RENDER_INTO[images.device.type](images, ids, views, rows, program, seed, out, address_ids)


def _render_out_fake(images, ids, views, rows, program, seed, out, address_ids=None):
    return None


register(
    "augment_render(Tensor images, Tensor ids, Tensor? views, Tensor? rows, str program, SymInt[] size, SymInt seed, "
    "ScalarType dtype, bool channels_last, Tensor? address_ids=None) -> Tensor",
    cpu=_render,
    cuda=_render,
    fake=_render_fake,
)
register(
    "augment_render_out(Tensor images, Tensor ids, Tensor? views, Tensor? rows, str program, SymInt seed, "
    "Tensor(a!) out, Tensor? address_ids=None) -> ()",
    cpu=_render_out,
    cuda=_render_out,
    fake=_render_out_fake,
)


def _require_layout(images, ids, views, rows, row_words, address_ids) -> None:
    """What keeps the native core inside its memory; `Recipe` has better words for its own callers."""
    if images.dtype != torch.uint8 or images.ndim != 4:
        raise ValueError(f"images: wanted uint8 [N, C, H, W], got {images.dtype} {list(images.shape)}")
    if (views is None) == (rows is None):
        raise ValueError("views, rows: wanted exactly one of them")
    count = ids.shape[0]
    require_column("ids", ids, torch.int64, (count,), images.device)
    if address_ids is not None:
        require_column("address_ids", address_ids, torch.int64, (count,), images.device)
    if views is not None:
        require_column("views", views, torch.int64, (count,), images.device)
    else:
        require_column("rows", rows, torch.int32, (count, row_words), images.device)
