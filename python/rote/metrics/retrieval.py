"""rote/metrics/retrieval.py: whether a view still says which image it shows."""

from __future__ import annotations

import torch
from torch import Tensor

from rote.neighbors import knn


def view_retrieval(queries: Tensor, references: Tensor) -> float:
    """The share of views whose nearest neighbour, among one other view of every image, is that of their own image.

    Exact search by cosine; among equally near references the first one counts, so that collapsed features retrieve
    1 in N. Features that are not finite retrieve nothing.

    Args:
        queries: float [N, D], a view of each of N images.
        references: float [N, D], another view of each, in the same order.

    Raises:
        ValueError: shapes that differ.
    """
    if queries.dim() != 2 or queries.shape != references.shape or len(queries) == 0:
        raise ValueError(
            "queries and references must be float [N, D] of one shape, N > 0; "
            f"got {tuple(queries.shape)} and {tuple(references.shape)}"
        )
    _, nearest = knn(queries, references, 1, "cosine")
    own = torch.arange(len(queries), device=nearest.device)
    return int((nearest[:, 0] == own).sum()) / len(queries)
