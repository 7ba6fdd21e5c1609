"""Operators of the augmentation engine.

rote::augment_sample      parameter rows of views
rote::augment_render      views of bank images, parameters drawn inside or given as rows
rote::augment_render_out  the same into a given tensor

A recipe travels as one string, its operations as JSON: a constant for torch.compile, and the key under which the
native program is kept. A seed is the signed 64-bit number of the same bits, for a schema has no unsigned one.
"""

from __future__ import annotations

import functools
import json
import os

import torch

from rote import _native
from rote.ops.library import DTYPE_CODES, register

__all__ = ["augment_render", "augment_render_out", "augment_sample", "signed64"]

OUTPUT_DTYPES = (torch.float32, torch.float16, torch.bfloat16)
MAX_IMAGES, MAX_VIEWS = 1 << 40, 1 << 48


def signed64(seed: int) -> int:
    """The int64 with the bits of a seed in [0, 2^64)."""
    return seed - (1 << 64) if seed >= 1 << 63 else seed


@functools.lru_cache(maxsize=256)
def native_program(program: str, channels: int, image_size: tuple[int, int], size: tuple[int, int]):
    """The native program of a recipe for one geometry: immutable, shared by all threads."""
    operations = [(code, occurrence, constants) for code, occurrence, constants in json.loads(program)]
    return _native.AugmentProgram(operations, channels, *image_size, *size)


def augment_sample(
    ids: torch.Tensor,
    views: torch.Tensor,
    program: str,
    image_size: list[int],
    size: list[int],
    row_words: int,
    seed: int,
) -> torch.Tensor:
    """int32 rows [n, row_words] of the views (ids[i], views[i])."""
    return torch.ops.rote.augment_sample.default(ids, views, program, image_size, size, row_words, seed)


def _sample_fake(ids, views, program, image_size, size, row_words, seed):
    return ids.new_empty((ids.shape[0], row_words), dtype=torch.int32)


def _sample_cpu(ids, views, program, image_size, size, row_words, seed):
    native = _program_for_rows(program, tuple(image_size), tuple(size), row_words)
    _require_column("views", views, torch.int64, (ids.shape[0],), ids.device)
    _require_column("ids", ids, torch.int64, (ids.shape[0],), ids.device)
    rows = _sample_fake(ids, views, program, image_size, size, row_words, seed)
    ids, views = ids.contiguous(), views.contiguous()
    _native.augment_sample(
        native,
        ids.data_ptr(),
        views.data_ptr(),
        ids.shape[0],
        seed & 0xFFFFFFFFFFFFFFFF,
        rows.data_ptr(),
        torch.get_num_threads(),
    )
    return rows


def _sample_cuda(ids, views, program, image_size, size, row_words, seed):
    native = _program_for_rows(program, tuple(image_size), tuple(size), row_words)
    _require_column("views", views, torch.int64, (ids.shape[0],), ids.device)
    _require_column("ids", ids, torch.int64, (ids.shape[0],), ids.device)
    rows = _sample_fake(ids, views, program, image_size, size, row_words, seed)
    ids, views = ids.contiguous(), views.contiguous()
    _check_on_device(ids=(ids, MAX_IMAGES), views=(views, MAX_VIEWS))
    _native.augment_sample_cuda(
        native,
        ids.data_ptr(),
        views.data_ptr(),
        ids.shape[0],
        seed & 0xFFFFFFFFFFFFFFFF,
        rows.data_ptr(),
        torch.cuda.current_stream(ids.device).cuda_stream,
        ids.device.index,
    )
    return rows


register(
    "augment_sample(Tensor ids, Tensor views, str program, SymInt[] image_size, SymInt[] size, int row_words, "
    "SymInt seed) -> Tensor",
    cpu=_sample_cpu,
    cuda=_sample_cuda,
    fake=_sample_fake,
)


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
    ids, views, rows, address_ids = _contiguous(ids), _contiguous(views), _contiguous(rows), _contiguous(address_ids)
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
    ids, views, rows, address_ids = _contiguous(ids), _contiguous(views), _contiguous(rows), _contiguous(address_ids)
    _check_on_device(ids=(ids, images.shape[0]), address_ids=(address_ids, MAX_IMAGES), views=(views, MAX_VIEWS))
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


def _program_for_rows(program, image_size, size, row_words):
    native = native_program(program, 3, image_size, size)  # drawing does not depend on the channels
    if native.row_words != row_words:
        raise RuntimeError(f"the native program has rows of {native.row_words} words, the recipe of {row_words}")
    return native


def _require_layout(images, ids, views, rows, row_words, address_ids) -> None:
    """What keeps the native core inside its memory; `Recipe` has better words for its own callers."""
    if images.dtype != torch.uint8 or images.ndim != 4:
        raise ValueError(f"images: wanted uint8 [N, C, H, W], got {images.dtype} {list(images.shape)}")
    if (views is None) == (rows is None):
        raise ValueError("views, rows: wanted exactly one of them")
    count = ids.shape[0]
    _require_column("ids", ids, torch.int64, (count,), images.device)
    if address_ids is not None:
        _require_column("address_ids", address_ids, torch.int64, (count,), images.device)
    if views is not None:
        _require_column("views", views, torch.int64, (count,), images.device)
    else:
        _require_column("rows", rows, torch.int32, (count, row_words), images.device)


def _require_column(name, tensor, dtype, shape, device) -> None:
    if tensor.dtype != dtype or tensor.shape != shape or tensor.device != device:
        raise ValueError(
            f"{name}: wanted {dtype} {list(shape)} on {device}, "
            f"got {tensor.dtype} {list(tensor.shape)} on {tensor.device}"
        )


def _contiguous(tensor: torch.Tensor | None) -> torch.Tensor | None:
    return None if tensor is None else tensor.contiguous()


def _check_on_device(**columns: tuple[torch.Tensor | None, int]) -> None:
    """With ROTE_CHECK=1: the checks 0 <= values < end that would otherwise cost a synchronization."""
    if os.environ.get("ROTE_CHECK") != "1":
        return
    for name, (values, end) in columns.items():
        if values is not None and values.numel() > 0:
            low, high = (int(v) for v in values.aminmax())
            if low < 0 or high >= end:
                raise ValueError(f"{name}: wanted 0 <= {name} < {end}, got values from {low} to {high}")
