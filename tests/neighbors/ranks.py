"""What the two processes of test_sharded.py run: every case of a sharded search, its result or its error saved."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

import rote

METRICS = ("l2", "sqeuclidean", "cosine", "ip")
ROWS, K = 60, 28
CUTS = {"unequal": (37, 23), "tiny": (58, 2), "empty": (0, 60)}
QUERIES = (9, 4)


def references() -> np.ndarray:
    """Every row twice, so that ties lie across shards; two rows are not finite."""
    generator = np.random.default_rng(0)
    x = np.repeat(generator.standard_normal((ROWS // 2, 5)), 2, axis=0)[generator.permutation(ROWS)].astype(np.float32)
    x[11, 2], x[47, 0] = np.inf, np.nan
    return x


def queries() -> np.ndarray:
    x = np.random.default_rng(1).standard_normal((sum(QUERIES), 5)).astype(np.float32)
    x[3], x[10, 1] = 0, np.nan
    return x


def restrictions() -> dict:
    generator = np.random.default_rng(2)
    return {
        "exclude": generator.integers(-1, ROWS, sum(QUERIES)),
        "groups": (generator.integers(0, 4, sum(QUERIES)), generator.integers(0, 4, ROWS)),
        "mask": generator.random(ROWS) < 0.6,
    }


def share(values: np.ndarray, sizes: tuple[int, ...], rank: int) -> np.ndarray:
    return np.split(values, np.cumsum(sizes)[:-1])[rank]


def searches(rank: int) -> dict[str, Callable]:
    """Calls of `rote.distributed_knn` by name."""
    found = {}
    for metric, (name, cut), restricted, replicated in itertools.product(
        METRICS, CUTS.items(), (False, True), (False, True)
    ):
        options = {}
        if restricted:
            given = restrictions()
            mine = (lambda x: x) if replicated else (lambda x: share(x, QUERIES, rank))
            options = {
                "exclude": mine(given["exclude"]),
                "groups": (mine(given["groups"][0]), share(given["groups"][1], cut, rank)),
                "mask": share(given["mask"], cut, rank),
            }
        own = queries() if replicated else share(queries(), QUERIES, rank)
        label = f"{metric} {name} {'restricted' if restricted else 'free'} {'replicated' if replicated else 'own'}"
        found[label] = lambda own=own, cut=cut, metric=metric, options=options, replicated=replicated: (
            rote.distributed_knn(
                own, share(references(), cut, rank), K, metric, replicated_queries=replicated, **options
            )
        )
    x = references()
    for name, cut in CUTS.items():
        shard = share(x, cut, rank)
        found[f"self {name} own"] = lambda shard=shard: rote.distributed_knn(shard, shard, 7, exclude="self")
        found[f"self {name} replicated"] = lambda shard=shard: rote.distributed_knn(
            x, shard, 7, exclude="self", replicated_queries=True
        )
    half = torch.from_numpy(share(x, CUTS["unequal"], rank)).bfloat16()
    found["bfloat16 torch"] = lambda: rote.distributed_knn(torch.from_numpy(queries()).double()[rank::2], half, 5)
    return found


def mistakes(rank: int) -> dict[str, Callable]:
    """Calls that must raise on both ranks, whoever made the mistake."""
    x = share(references(), CUTS["unequal"], rank)
    q = share(queries(), QUERIES, rank)
    ids = np.full(len(q), 3)
    call = rote.distributed_knn
    return {
        "one refuses": lambda: call(q if rank else q.astype(int), x, 3),
        "k differs": lambda: call(q, x, 3 + rank),
        "metric differs": lambda: call(q, x, 3, ("l2", "ip")[rank]),
        "columns differ": lambda: call(q[:, : 4 + rank], x[:, : 4 + rank], 3),
        "k too large": lambda: call(q, x, 61),
        "exclude too large": lambda: call(q, x, 3, exclude=ids + 57 * rank),
        "groups on one": lambda: call(q, x, 3, groups=(ids, np.zeros(len(x), np.int64)) if rank else None),
        "self of others": lambda: call(x[: 23 + rank], x, 3, exclude="self"),
        "replicated on one": lambda: call(q, x, 3, replicated_queries=bool(rank)),
        "replicated of other length": lambda: call(q, x, 3, replicated_queries=True),
        "replicated of other content": lambda: call(q[:4], x, 3, replicated_queries=True),
        "replicated, self": lambda: call(x[:23], x, 3, exclude="self", replicated_queries=True),
    }


def main(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(str(folder / "store"), 2)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=2, timeout=timedelta(seconds=60))
    results = {name: search() for name, search in searches(rank).items()}
    errors = {}
    for name, call in mistakes(rank).items():
        try:
            call()
        except Exception as error:
            errors[name] = (type(error).__name__, str(error))
    alone = [dist.new_group([0]), dist.new_group([1])]
    shard = share(references(), CUTS["unequal"], rank)
    results["alone"] = rote.distributed_knn(shard, shard, 7, process_group=alone[rank])
    try:
        rote.distributed_knn(shard, shard, 7, process_group=alone[1 - rank])
    except RuntimeError as error:
        errors["not a member"] = (type(error).__name__, str(error))
    torch.save({"results": results, "errors": errors}, folder / f"rank{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
