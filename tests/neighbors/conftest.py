from __future__ import annotations

import sys
import types

import torch

from . import oracle

try:
    import rote.ops.knn  # noqa: F401
except ImportError:
    from rote.ops.library import register

    register(
        "knn_search(Tensor queries, Tensor references, int k, str metric, Tensor? exclude, Tensor? query_groups,"
        " Tensor? reference_groups, Tensor? mask) -> (Tensor, Tensor)",
        cpu=lambda q, r, k, metric, e, qg, rg, m: tuple(
            map(
                torch.from_numpy,
                oracle.knn(
                    q.double().numpy(),
                    r.double().numpy(),
                    k,
                    metric,
                    None if e is None else e.numpy(),
                    None if qg is None else (qg.numpy(), rg.numpy()),
                    None if m is None else m.numpy(),
                ),
            )
        ),
        fake=lambda q, r, k, *rest: (
            q.new_empty((q.shape[0], k), dtype=torch.float32),
            q.new_empty((q.shape[0], k), dtype=torch.int64),
        ),
    )
    sys.modules["rote.ops.knn"] = types.ModuleType("rote.ops.knn")
