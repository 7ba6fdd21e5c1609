"""`rote.knn_streamed`: references that do not fit the device, or the memory, searched chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from rote.neighbors.arrays import as_tensor, describe, like
from rote.neighbors.chunks import Part, chunks_of, length_of, on_device
from rote.neighbors.parts import LAST_INDEX, distances_from_keys, merge_columns, search_part
from rote.neighbors.restrictions import Restrictions, resolve, vector
from rote.neighbors.search import checked_count, checked_k, checked_metric, matrix


def knn_streamed(
    queries: Any,
    references: Any,
    k: int,
    metric: str = "l2",
    *,
    chunk_rows: int | None = None,
    exclude: Any = None,
    groups: tuple[Any, Any] | None = None,
    mask: Any = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> tuple[Any, Any]:
    """`rote.knn` for references that are too many for the device or for the memory; the same bits.

    References are read in chunks, searched where the queries are, and merged exactly by float64 keys. With queries on a
    CUDA device the references stay in host memory: two pinned buffers and a stream of their own carry a chunk to the
    device while the one before it is searched, so that two chunks, the workspace of one search and the results are all
    that lies there. On the CPU a memory map is read chunk after chunk, and what is read is never copied.

    Args:
        queries: [Q, d], kinds and dtypes as for `rote.knn`; they are held whole.
        references: [N, d] in host memory: a numpy array or memory map, a torch tensor (if it is pinned it is copied to
            the device directly), anything with `shape` and row slicing that yields such arrays (h5py, zarr); or an
            iterable of chunks [n, d] of any sizes, whose rows are numbered through all chunks. Each chunk may have its
            own dtype. Chunks that lie on the queries' device already are searched where they are.
        k: number of neighbours, 1 <= k <= N; it may exceed a chunk.
        metric: "l2", "sqeuclidean", "cosine" or "ip".
        chunk_rows: the most references searched at once, by default as many as fill 256 MiB. Longer chunks of an
            iterable are cut.
        exclude: "self" or int64 [Q], as for `rote.knn`, in numbers of the whole.
        groups: (int64 [Q] on the queries' device, int64 [N] in host memory).
        mask: bool [N] in host memory.
        progress: called as progress(done, N) after every chunk, with the number of references searched (on CUDA:
            queued) so far; N is None for an iterable.

    Returns:
        (distances float32 [Q, k], indices int64 [Q, k]) in the kind of `queries`, those of `rote.knn` on all references
        at once. On CUDA they are ready in the order of the current stream; the references have been read on return.

    Raises:
        TypeError, ValueError: as `rote.knn`. What is known of an iterable only at its end (k or an excluded id beyond
            N, groups or mask of another length) is raised there.

    Example:
        >>> import numpy as np, rote
        >>> x = np.arange(10.0)[:, None]
        >>> chunks = (x[start : start + 4] for start in range(0, 10, 4))
        >>> distances, indices = rote.knn_streamed(np.array([[3.2], [8.6]]), chunks, k=2)
        >>> indices.tolist()
        [[3, 4], [9, 8]]
    """
    checked_metric(metric)
    tensor = matrix(queries, "queries", "Q")
    total = length_of(references, tensor.shape[1])
    k = checked_count(k, "k") if total is None else checked_k(k, total)
    if chunk_rows is not None:
        chunk_rows = checked_count(chunk_rows, "chunk_rows")
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be callable as progress(done, total); got {describe(progress)}")
    restrictions = _resolve(exclude, groups, mask, tensor, total)

    rows = chunks_of(references, tensor.shape[1], chunk_rows, tensor.device)
    best, done = None, 0
    for chunk, chunk_groups, chunk_mask in on_device(_with_vectors(rows, restrictions), tensor.device):
        part = restrictions._replace(reference_groups=chunk_groups, mask=chunk_mask)
        found = search_part(tensor, chunk, done, k, metric, part)
        if best is not None:
            keys, indices = (torch.cat(pair, 1) for pair in zip(best, found, strict=True))
            found = merge_columns(keys, indices, min(k, keys.shape[1]))
        best, done = found, done + chunk.shape[0]
        if progress is not None:
            progress(done, total)
    if total is None:
        _check_at_the_end(k, done, exclude, restrictions)
    keys, indices = best
    return like(distances_from_keys(keys, metric), queries), like(indices, queries)


def _resolve(exclude: Any, groups: Any, mask: Any, queries: torch.Tensor, total: int | None) -> Restrictions:
    """The restrictions as tensors, those of references where they were given; N unknown is not checked yet."""
    count, device = queries.shape[0], queries.device
    if total is None and isinstance(exclude, str) and exclude == "self":
        exclude = torch.arange(count, device=device)
    excluded = resolve(exclude, None, None, count, LAST_INDEX if total is None else total, device).exclude
    query_groups = reference_groups = None
    if groups is not None:
        if not isinstance(groups, (tuple, list)) or len(groups) != 2:
            raise TypeError(f"groups must be a pair (query_groups, reference_groups); got {describe(groups)}")
        query_groups = vector(groups[0], "groups[0]", torch.int64, "Q", count, device)
        reference_groups = _of_references(groups[1], "groups[1]", torch.int64, total, device)
    if mask is not None:
        mask = _of_references(mask, "mask", torch.bool, total, device)
    return Restrictions(excluded, query_groups, reference_groups, mask)


def _of_references(value: Any, name: str, dtype: torch.dtype, total: int | None, device: torch.device) -> torch.Tensor:
    """A vector with one element for each reference, in host memory or on the device."""
    wanted = f"{str(dtype).removeprefix('torch.')} of shape [N]"
    tensor = as_tensor(value, name, (dtype,), wanted)
    if tensor.dim() != 1 or (total is not None and tensor.shape[0] != total):
        raise ValueError(
            f"{name} must be {wanted}{'' if total is None else f' with N = {total}'}; got {describe(value)}"
        )
    if tensor.device.type != "cpu" and tensor.device != device:
        raise ValueError(f"{name} must be in host memory or on {device}, where queries is; got {tensor.device}")
    return tensor


def _with_vectors(chunks: Iterable[torch.Tensor], restrictions: Restrictions) -> Iterator[Part]:
    """Every chunk with its own stretch of the references' groups and mask."""
    start = 0
    for rows in chunks:
        stop = start + rows.shape[0]
        _check_length(restrictions, stop, "at least ")
        yield rows, *(None if v is None else v[start:stop] for v in (restrictions.reference_groups, restrictions.mask))
        start = stop


def _check_length(restrictions: Restrictions, references: int, least: str = "") -> None:
    for name, given in (("groups[1]", restrictions.reference_groups), ("mask", restrictions.mask)):
        if given is not None and (given.shape[0] < references or (not least and given.shape[0] != references)):
            raise ValueError(
                f"{name} must hold one element for each reference, of which there are {least}{references}; "
                f"got {describe(given)}"
            )


def _check_at_the_end(k: int, total: int, exclude: Any, restrictions: Restrictions) -> None:
    """What could not be checked before the iterable was exhausted."""
    checked_k(k, total)
    _check_length(restrictions, total)
    if restrictions.exclude is not None:
        given = exclude if isinstance(exclude, str) else restrictions.exclude
        resolve(given, None, None, restrictions.exclude.shape[0], total, restrictions.exclude.device)
