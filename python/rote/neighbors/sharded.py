"""`rote.distributed_knn`: references that lie on several ranks of torch.distributed, one exact merge."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch

from rote.neighbors.arrays import describe, like
from rote.neighbors.parts import LAST_INDEX, distances_from_keys, merge_columns, search_part
from rote.neighbors.ranks import Ranks
from rote.neighbors.restrictions import may_read, resolve
from rote.neighbors.search import checked_count, checked_k, checked_metric, matrix


def distributed_knn(
    queries: Any,
    references: Any,
    k: int,
    metric: str = "l2",
    *,
    exclude: Any = None,
    groups: tuple[Any, Any] | None = None,
    mask: Any = None,
    replicated_queries: bool = False,
    process_group: Any = None,
) -> tuple[Any, Any]:
    """`rote.knn` with the references spread over the ranks of torch.distributed; the same bits as one process.

    Every rank calls it, with its own rows of the references. Row i of rank r has number i plus the rows of all ranks
    before r, which is its row in the concatenation of the shards. Each query visits every shard, and what the shards
    find is merged by float64 keys, so that neither the number of ranks nor the cuts between them change a bit.
    References never travel: a rank sends its queries, and k keys and numbers for each query that it answers.

    Args:
        queries: [Q, d], kinds and dtypes as for `rote.knn`. By default each rank's own, as many as it has (none is
            allowed), and each rank gets the result of its own.
        references: [n, d], this rank's rows, on the same device; shards may be of unequal size, or empty.
        k: number of neighbours, 1 <= k <= N, the rows of all shards together; the same on every rank. It may exceed a
            shard.
        metric: "l2", "sqeuclidean", "cosine" or "ip"; the same on every rank.
        exclude: int64 [Q] of numbers in the whole, -1 for none, or "self": the queries are the references, each rank's
            queries those of its shard (replicated queries: those of all shards, in order).
        groups: (int64 [Q], int64 [n]) of this rank's queries and references, on every rank or on none; a query never
            gets a reference of its own group, whichever rank holds it.
        mask: bool [n] of this rank's references.
        replicated_queries: the queries are the same on every rank, which then all get the same result and need not send
            them to each other.
        process_group: of torch.distributed; the default group if None.

    Returns:
        (distances float32 [Q, k], indices int64 [Q, k]) in the kind of `queries`; indices are numbers in the whole.

    Raises:
        TypeError, ValueError: as `rote.knn`, or arguments that do not fit together across ranks.
        RuntimeError: torch.distributed is not initialized, this process is not in the group, or another rank refused
            its arguments. An error on one rank is raised on all of them, so that none waits for ever.

    Example:
        >>> import torch, rote, torch.distributed as dist
        >>> dist.init_process_group("gloo", rank=0, world_size=1, store=dist.HashStore())
        >>> x = torch.tensor([[0.0], [1.0], [3.0]])
        >>> rote.distributed_knn(x, x, 1, exclude="self")[1].ravel().tolist()
        [1, 0, 1]
        >>> dist.destroy_process_group()
    """
    ranks = Ranks(process_group)
    refusal = None
    try:
        search = _LocalSearch(queries, references, k, metric, exclude, groups, mask, replicated_queries)
        ranks.wire_device(search.queries.device)
    except Exception as error:  # whatever it is, the other ranks must hear of it
        refusal = error
    shards = ranks.exchange(f"{type(refusal).__name__}: {refusal}" if refusal else search.shard)
    if refusal:
        raise refusal
    _check_together(shards)
    keys, indices = (_answer_replicated if replicated_queries else _answer_own)(search, ranks, shards)
    return like(distances_from_keys(keys, metric), queries), like(indices, queries)


@dataclass(frozen=True)
class Shard:
    """What the other ranks must know of a rank's arguments."""

    queries: int
    references: int
    columns: int
    dtype: torch.dtype  # of the queries
    k: int
    metric: str
    replicated_queries: bool
    has_groups: bool
    excludes: str  # "none", "self" or "ids"
    largest_excluded: int  # -1 where there is none or nobody may look
    fingerprint: int  # of replicated queries


class _LocalSearch:
    """This rank's arguments, checked as far as one rank can, and its part of every search."""

    def __init__(self, queries, references, k, metric, exclude, groups, mask, replicated_queries) -> None:
        self.metric, self.k = checked_metric(metric), checked_count(k, "k")
        self.queries, self.references = matrix(queries, "queries", "Q"), matrix(references, "references", "n")
        if self.queries.shape[1] != self.references.shape[1]:
            raise ValueError(
                f"queries and references must have the same number of columns d; got {describe(queries)} "
                f"and {describe(references)}"
            )
        if self.queries.shape[1] < 1:
            raise ValueError(f"queries must have at least one column; got {describe(queries)}")
        if self.queries.device != self.references.device:
            raise ValueError(
                "queries and references must be on the same device; "
                f"got queries on {self.queries.device} and references on {self.references.device}"
            )
        if not isinstance(replicated_queries, bool):
            raise TypeError(f"replicated_queries must be True or False; got {replicated_queries!r}")
        count, rows, device = self.queries.shape[0], self.references.shape[0], self.queries.device
        is_self = isinstance(exclude, str) and exclude == "self"  # resolved when the other shards are known
        ids = resolve(None if is_self else exclude, None, None, count, LAST_INDEX, device).exclude
        self.restrictions = resolve(None, groups, mask, count, rows, device)._replace(exclude=ids)
        self.shard = Shard(
            queries=count,
            references=rows,
            columns=self.queries.shape[1],
            dtype=self.queries.dtype,
            k=self.k,
            metric=metric,
            replicated_queries=replicated_queries,
            has_groups=groups is not None,
            excludes="self" if is_self else "none" if ids is None else "ids",
            largest_excluded=int(ids.max()) if ids is not None and ids.numel() and may_read(ids) else -1,
            fingerprint=_fingerprint(self.queries) if replicated_queries else 0,
        )

    def answer(
        self, queries: torch.Tensor, exclude: torch.Tensor | None, query_groups: torch.Tensor | None, start: int,
        columns: int,
    ) -> torch.Tensor:  # fmt: skip
        """What this shard, whose first row has number `start`, finds: the keys' bits and numbers, [2, Q, columns]."""
        restrictions = self.restrictions._replace(exclude=exclude, query_groups=query_groups)
        found = search_part(queries, self.references, start, columns, self.metric, restrictions)
        keys, indices = merge_columns(*found, columns)  # a shard with fewer rows fills up with no neighbours
        return torch.stack((keys.view(torch.int64), indices))


def _answer_replicated(search: _LocalSearch, ranks: Ranks, shards: list[Shard]) -> tuple[torch.Tensor, torch.Tensor]:
    """Everyone has the queries: everyone searches its shard and merges what all have found."""
    start = sum(shard.references for shard in shards[: ranks.rank])
    exclude, query_groups = search.restrictions.exclude, search.restrictions.query_groups
    if search.shard.excludes == "self":
        exclude = torch.arange(search.shard.queries, device=search.queries.device)
    answer = search.answer(search.queries, exclude, query_groups, start, _columns(shards))
    return _merge(ranks.gather(answer), search.k)


def _answer_own(search: _LocalSearch, ranks: Ranks, shards: list[Shard]) -> tuple[torch.Tensor, torch.Tensor]:
    """One rank after another asks all the others."""
    starts = list(accumulate((shard.references for shard in shards), initial=0))
    result = None
    for source, shard in enumerate(shards):
        if source == ranks.rank:
            queries, (exclude, query_groups, _, _) = search.queries, search.restrictions
        else:
            queries = search.queries.new_empty((shard.queries, shard.columns), dtype=shard.dtype)
            exclude, query_groups = queries.new_empty((2, shard.queries), dtype=torch.int64)
        queries = ranks.send_to_all(queries, source)
        if shard.excludes == "self":
            exclude = torch.arange(starts[source], starts[source + 1], device=queries.device)
        else:
            exclude = ranks.send_to_all(exclude, source) if shard.excludes == "ids" else None
        query_groups = ranks.send_to_all(query_groups, source) if shard.has_groups else None
        answer = search.answer(queries, exclude, query_groups, starts[ranks.rank], _columns(shards))
        answers = ranks.gather(answer, source)
        if source == ranks.rank:
            result = _merge(answers, search.k)
    return result


def _columns(shards: list[Shard]) -> int:
    """How many neighbours of one query a rank may have to send."""
    return min(shards[0].k, max(shard.references for shard in shards))


def _merge(answers: list[torch.Tensor], k: int) -> tuple[torch.Tensor, torch.Tensor]:
    keys, indices = torch.cat(answers, 2)
    return merge_columns(keys.contiguous().view(torch.float64), indices, k)


def _check_together(shards: list[Shard | str]) -> None:
    """Raise, on every rank alike, what only all arguments together show."""
    for rank, shard in enumerate(shards):
        if isinstance(shard, str):
            raise RuntimeError(f"rank {rank} of process_group refused its arguments: {shard}")
    for name, what in (
        ("columns", "the number of columns d"),
        ("k", "k"),
        ("metric", "metric"),
        ("replicated_queries", "replicated_queries"),
        ("has_groups", "whether groups are given"),
    ):
        _check_equal(shards, name, what)
    total = sum(shard.references for shard in shards)
    checked_k(shards[0].k, total)
    if shards[0].replicated_queries:
        _check_equal(shards, "queries", "with replicated_queries, the number of queries")
        _check_equal(shards, "fingerprint", "with replicated_queries, the content of queries")
        _check_equal(shards, "excludes", "with replicated_queries, the kind of exclude")
    for rank, shard in enumerate(shards):
        if shard.largest_excluded >= total:
            raise ValueError(
                f"exclude must hold numbers of references in [0, {total}), or -1 for none; "
                f"got {shard.largest_excluded} on rank {rank}"
            )
        own = total if shard.replicated_queries else shard.references
        if shard.excludes == "self" and shard.queries != own:
            raise ValueError(
                "exclude='self' needs queries and references that are the same rows; "
                f"got {shard.queries} queries and {own} references on rank {rank}"
            )


def _check_equal(shards: list[Shard], name: str, what: str) -> None:
    values = [getattr(shard, name) for shard in shards]
    for rank, value in enumerate(values):
        if value != values[0]:
            raise ValueError(
                f"{what} must be the same on every rank; got {values[0]} on rank 0, {value} on rank {rank}"
            )


def _fingerprint(matrix: torch.Tensor) -> int:
    """A number in which two different matrices hardly agree: weighted sums of the bits of rows and of columns."""
    integers = {2: torch.int16, 4: torch.int32, 8: torch.int64}[matrix.element_size()]
    bits = matrix.contiguous().view(integers)
    sums = torch.cat([bits.sum(dim, dtype=torch.int64) for dim in (0, 1)])
    return int((sums * (2 * torch.arange(len(sums), device=sums.device) + 1)).sum())
