"""rote::augment_sample: the parameter rows of views."""

from __future__ import annotations

import torch

from rote import _native
from rote.ops.augment_arguments import MAX_IMAGES, MAX_VIEWS, check_on_device, native_program, require_column
from rote.ops.library import register

__all__ = ["augment_sample"]


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
    require_column("views", views, torch.int64, (ids.shape[0],), ids.device)
    require_column("ids", ids, torch.int64, (ids.shape[0],), ids.device)
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
    require_column("views", views, torch.int64, (ids.shape[0],), ids.device)
    require_column("ids", ids, torch.int64, (ids.shape[0],), ids.device)
    rows = _sample_fake(ids, views, program, image_size, size, row_words, seed)
    ids, views = ids.contiguous(), views.contiguous()
    check_on_device(ids=(ids, MAX_IMAGES), views=(views, MAX_VIEWS))
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


def _program_for_rows(program, image_size, size, row_words):
    native = native_program(program, 3, image_size, size)  # drawing does not depend on the channels
    if native.row_words != row_words:
        raise RuntimeError(f"the native program has rows of {native.row_words} words, the recipe of {row_words}")
    return native
