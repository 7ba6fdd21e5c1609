"""The same search by other means. Peers return what they return: only scikit-learn (float64 inside) is nearly exact.

Each is done its fastest usual way. What a peer cannot do is done as its users do it: leave-one-out asks for k + 1 and
drops the query's own index, cosine normalizes the rows first, inside the timed call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import normalize

# Beyond this many operations a call of the slow ones takes longer than it tells.
SLOW_PEERS_BELOW = 1.5e11
# torch's score matrix is made in pieces of this many elements (4 GiB), as its users must.
TORCH_SCORES = 1 << 30


@dataclass(frozen=True)
class Peer:
    """`call()` searches; `indices(result)` gives int64 [Q, k or more] from what it returned."""

    call: Callable[[], object]
    indices: Callable[[object], np.ndarray]


def installed_peers(queries: torch.Tensor, references: torch.Tensor, k: int, metric: str) -> dict[str, Peer]:
    """Every peer that is installed, runs on this device and is not hopelessly slow for the size."""
    makers = {"torch mm + topk": torch_mm_topk}
    if queries.device.type == "cpu":
        makers["faiss-cpu"] = faiss_cpu
        if 2 * len(queries) * references.numel() <= SLOW_PEERS_BELOW:
            makers["scikit-learn"] = scikit_learn
        if 2 * len(queries) * references.numel() <= SLOW_PEERS_BELOW // 16:  # 70 times slower at 2k x 50k x 512
            makers["USearch exact"] = usearch_exact
        makers["JAX mm + top_k"] = jax_top_k
    peers = {}
    for name, make in makers.items():
        try:
            peers[name] = make(queries, references, k, metric)
        except ImportError:
            continue
    return peers


def torch_mm_topk(queries, references, k: int, metric: str) -> Peer:
    """What people write: one matrix product and topk; |q|^2 is left out, as it does not change the order."""

    def search():
        q, r = (normalize(queries), normalize(references)) if metric == "cosine" else (queries, references)
        rows = max(1, TORCH_SCORES // len(r))
        if metric in ("cosine", "ip"):
            parts = [(part @ r.T).topk(k) for part in q.split(rows)]
        else:
            squares = (r * r).sum(1)
            parts = [torch.addmm(squares, part, r.T, alpha=-2).topk(k, largest=False) for part in q.split(rows)]
        return torch.cat([part.values for part in parts]), torch.cat([part.indices for part in parts])

    return Peer(search, lambda result: result[1].cpu().numpy())


def faiss_cpu(queries, references, k: int, metric: str) -> Peer:
    """faiss.knn: flat search without an index; its matrix products come from the BLAS of its wheel."""
    import faiss

    faiss.omp_set_num_threads(torch.get_num_threads())
    q, r = queries.numpy(), references.numpy()

    def search():
        if metric in ("l2", "sqeuclidean"):
            return faiss.knn(q, r, k)
        if metric == "ip":
            return faiss.knn(q, r, k, metric=faiss.METRIC_INNER_PRODUCT)
        unit_q, unit_r = q.copy(), r.copy()
        faiss.normalize_L2(unit_q)
        faiss.normalize_L2(unit_r)
        return faiss.knn(unit_q, unit_r, k, metric=faiss.METRIC_INNER_PRODUCT)

    return Peer(search, lambda result: result[1])


def scikit_learn(queries, references, k: int, metric: str) -> Peer:
    """NearestNeighbors, brute force: float32 rows are widened to float64 piece by piece."""
    from sklearn.neighbors import NearestNeighbors

    if metric == "ip":
        raise ImportError("scikit-learn has no inner product")
    theirs = "euclidean" if metric == "l2" else metric
    model = NearestNeighbors(n_neighbors=k, algorithm="brute", metric=theirs).fit(references.numpy())
    q = queries.numpy()
    return Peer(lambda: model.kneighbors(q), lambda result: result[1])


def usearch_exact(queries, references, k: int, metric: str) -> Peer:
    """USearch's exact search: a distance kernel per pair, no matrix product."""
    from usearch.index import MetricKind, search

    kind = {"cosine": MetricKind.Cos, "ip": MetricKind.IP}.get(metric, MetricKind.L2sq)
    q, r, threads = queries.numpy(), references.numpy(), torch.get_num_threads()

    def indices(result):
        return np.asarray(result.keys, dtype=np.int64).reshape(len(q), -1)

    return Peer(lambda: search(r, q, k, kind, exact=True, threads=threads), indices)


def jax_top_k(queries, references, k: int, metric: str) -> Peer:
    """jnp matrix product and lax.top_k under jit, in pieces of queries like torch's."""
    import jax
    import jax.numpy as jnp

    @jax.jit
    def search_part(q, r):
        if metric in ("cosine", "ip"):
            return jax.lax.top_k(q @ r.T, k)
        return jax.lax.top_k(2 * (q @ r.T) - (r * r).sum(1), k)

    q, r = jnp.asarray(queries.numpy()), jnp.asarray(references.numpy())
    rows = max(1, TORCH_SCORES // len(r))

    def search():
        a, b = q, r
        if metric == "cosine":
            a, b = (x / jnp.linalg.norm(x, axis=1, keepdims=True) for x in (q, r))
        parts = [search_part(a[i : i + rows], b)[1] for i in range(0, len(a), rows)]
        return [part.block_until_ready() for part in parts]

    return Peer(search, lambda result: np.concatenate([np.asarray(part) for part in result]).astype(np.int64))
