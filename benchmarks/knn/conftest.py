"""The `knn_race` fixture: one case of exact k-NN, one-shot and through an Index, beside the peers."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

import rote
from benchmarks import peaks as machine_peaks
from benchmarks.knn.engine import certificates, forced
from benchmarks.knn.peers import installed_peers
from benchmarks.knn.truth import Truth


@pytest.fixture
def knn_race(race, device):
    """Runs a case: checks our answer against float64, gives every contender's recall, records certified shares.

    One-shot `rote.knn` is what the row is about; `Index.search` on references indexed before, and the float32 pass
    where the first pass is another, are recorded beside it. Work is 2 Q N d operations, also for a search that gets
    by with fewer; one query is counted in bytes of references instead.
    """

    def run(queries, references, k: int, metric: str = "l2", *, case: str, leave_one_out: bool = False):
        queries, references = queries.to(device), references.to(device)
        rows, count, dim = len(queries), len(references), queries.shape[1]
        own = torch.arange(rows, device=device) if leave_one_out else None
        truth = Truth(queries, references, k, metric, leave_one_out=leave_one_out)
        peers = installed_peers(queries, references, k + leave_one_out, metric)
        begin = time.perf_counter()
        index = rote.Index(references, metric=metric)
        indexed = [f"indexed in {time.perf_counter() - begin:.3f} s"]
        also = {"Index": lambda: index.search(queries, k, exclude=own)}
        if device == "cpu":
            also["float32 pass"] = lambda: forced(queries, references, k, metric, path="float32", exclude=own)

        def look(name: str, result) -> dict:
            if name in peers:
                return {"recall": truth.recall(peers[name].indices(result))}
            truth.check(_numpy(result[1]))
            stats = None
            if len(result) == 3:
                stats = result[2]
            elif device == "cpu" and not name:
                stats = index.search(queries, k, exclude=own, return_stats=True)[2]
            certified = certificates(stats, rows, count)
            return {"stats": _plain(stats), "notes": [*(indexed if name == "Index" else ()), *certified.notes()]}

        work, unit = 2.0 * rows * count * dim, "GFLOP/s"
        amounts = {("fma", "auto"): work} | {(kind, "auto"): work for kind in machine_peaks.sixteen_bit_kinds()}
        if rows == 1:  # every reference is read once and used once
            work, unit = float(references.nbytes), "GB/s"
            amounts = {("read", "auto"): work}
        race(
            lambda: rote.knn(queries, references, k, metric, exclude=own),
            {name: peer.call for name, peer in peers.items()},
            also=also,
            work=work / 1e9,
            unit=unit,
            peaks=amounts,
            look=look,
            case=case,
        )

    return run


def _numpy(indices) -> np.ndarray:
    return indices.cpu().numpy() if isinstance(indices, torch.Tensor) else indices


def _plain(stats: dict | None) -> dict | None:
    """Statistics as JSON can hold them (on a GPU they are tensors)."""
    return None if stats is None else {key: v if isinstance(v, str) else int(v) for key, v in stats.items()}
