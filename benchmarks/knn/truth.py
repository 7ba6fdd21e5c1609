"""What is true: float64 keys of a sample of queries, and how many of them an answer found.

Written apart from the engine: candidates come from a float64 matrix product, their keys from the differences.
"""

from __future__ import annotations

import numpy as np
import torch

MARGIN = 256  # candidates beyond k that get an exact key: the product's rounding moves nobody that far
PIECE = 1 << 27  # float64 scores at a time


class Truth:
    """The k-th best float64 key of `sample` evenly spaced queries, to which any answer can be compared.

    Args:
        queries: float32 [Q, d].
        references: float32 [N, d].
        k: neighbours asked for.
        metric: "l2", "cosine" or "ip".
        leave_one_out: queries are the first rows of the references, and none is its own neighbour.
        sample: queries looked at.
    """

    def __init__(self, queries, references, k: int, metric: str, *, leave_one_out: bool = False, sample: int = 64):
        count = min(sample, len(queries))
        self.rows = torch.arange(count) * len(queries) // count
        self.queries = queries[self.rows.to(queries.device)].cpu()
        self.references, self.k, self.metric = references.cpu(), k, metric
        self.own = self.rows if leave_one_out else None
        keys = self._keys(self._likely())
        self.threshold = keys.sort(1).values[:, k - 1]

    def recall(self, indices: np.ndarray) -> float:
        """The share of true neighbours in int64 [Q, >= k] rows; ties at the k-th distance all count as true.

        Leave-one-out: the query's own index is dropped first, then the first k are taken.
        """
        found = torch.as_tensor(np.asarray(indices)[self.rows.numpy()])
        return float(self._hits(found).mean())

    def check(self, indices: np.ndarray) -> None:
        """Raises AssertionError unless every sampled row holds k true neighbours in the order of their keys."""
        found = torch.as_tensor(np.asarray(indices)[self.rows.numpy()])
        hits = self._hits(found)
        wrong = int((hits < 1).sum())
        assert wrong == 0, f"{wrong} of {len(hits)} sampled rows lack a true neighbour (float64)"
        keys = self._keys(found[:, : self.k])
        behind = (keys[:, 1:] - keys[:, :-1]) < -self._tolerance(keys[:, :-1])
        assert not behind.any(), f"{int(behind.any(1).sum())} sampled rows are out of order"

    def _hits(self, found: torch.Tensor) -> torch.Tensor:
        """[S], the share of k distinct true neighbours in each row."""
        shares = []
        for row, indices in enumerate(found):
            kept = indices if self.own is None else indices[indices != self.own[row]]
            kept = kept[: self.k]
            kept = kept[kept >= 0].unique()
            keys = self._keys_of(row, kept)
            limit = self.threshold[row]
            shares.append((keys <= limit + self._tolerance(limit)).sum().item() / self.k)
        return torch.tensor(shares, dtype=torch.float64)

    def _likely(self) -> torch.Tensor:
        """int64 [S, k + margin], references with the smallest keys by a float64 matrix product."""
        take = min(self.k + MARGIN, len(self.references))
        q = self.queries.double()
        best_keys, best = torch.empty(len(q), 0, dtype=torch.float64), torch.empty(len(q), 0, dtype=torch.int64)
        rows = max(1, min(PIECE // len(q), PIECE // q.shape[1]))
        for begin in range(0, len(self.references), rows):
            r = self.references[begin : begin + rows].double()
            products = q @ r.T
            if self.metric == "cosine":
                keys = -products / r.norm(dim=1).clamp_min(1e-300)
            elif self.metric == "ip":
                keys = -products
            else:
                keys = (r * r).sum(1) - 2 * products
            ids = torch.arange(begin, begin + len(r)).expand(len(q), -1)
            if self.own is not None:
                keys = keys.masked_fill(ids == self.own[:, None], torch.inf)
            part = keys.topk(min(take, len(r)), largest=False)
            best_keys = torch.cat([best_keys, part.values], 1)
            best = torch.cat([best, part.indices + begin], 1)
            chosen = best_keys.topk(min(take, best.shape[1]), largest=False).indices
            best_keys, best = best_keys.gather(1, chosen), best.gather(1, chosen)
        return best

    def _keys(self, indices: torch.Tensor) -> torch.Tensor:
        return torch.stack([self._keys_of(row, ids) for row, ids in enumerate(indices)])

    def _keys_of(self, row: int, indices: torch.Tensor) -> torch.Tensor:
        """float64 keys, smaller is nearer; the query's own index and -1 are infinitely far."""
        q, r = self.queries[row].double(), self.references[indices.clamp_min(0)].double()
        if self.metric == "cosine":
            keys = 1 - (r @ q) / (r.norm(dim=1) * q.norm()).clamp_min(1e-300)
        elif self.metric == "ip":
            keys = -(r @ q)
        else:
            keys = (r - q).square().sum(1)
        absent = indices < 0
        if self.own is not None:
            absent |= indices == self.own[row]
        return keys.masked_fill(absent, torch.inf)

    def _tolerance(self, keys: torch.Tensor) -> torch.Tensor:
        """Twice the rounding of a float64 sum of d terms."""
        scale = keys.abs() if self.metric in ("l2", "sqeuclidean") else keys.abs().clamp_min(1)
        return scale.nan_to_num(posinf=0) * self.queries.shape[1] * 2.0**-51
