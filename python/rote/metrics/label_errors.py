"""rote/metrics/label_errors.py: which labels of a data set are suspicious, from embeddings, probabilities and dynamics.

Each source of evidence gives one ranking; `suspicion` is the mean of an example's places in them, so that sources of
different units count alike:

    neighbours      knn_disagreement; equal shares are told apart by the votes weighted by likeness
    probabilities   self_confidence = p(label), of a model that did not train on the example
    dynamics        aum, the mean margin along training (Pleiss et al. 2020)

No confident learning: nothing is estimated from class-conditional thresholds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rote.metrics.label_disagreement import knn_disagreement
from rote.statistics import mean_ranks

#: Scores to rank by, and whether a large value is suspicious.
RANKINGS = {
    "suspicion": True,
    "knn_disagreement": True,
    "probability_margin": False,
    "self_confidence": False,
    "aum": False,
    "confidence": False,
}
#: Columns of training dynamics that are taken over where they are given.
DYNAMICS = ("aum", "confidence", "variability", "correctness", "forgetting_events", "never_learned")


@dataclass(frozen=True)
class LabelErrors:
    """The table of suspicion.

    Attributes:
        columns: arrays [N] by name, in the order of the examples: row, label, suspicion, knn_disagreement, and what
            else was given evidence for.
        order: int64 [N], the rows from the most suspicious to the least, those without evidence last.
        ranked_by: the score that orders them.
    """

    columns: dict[str, np.ndarray]
    order: np.ndarray
    ranked_by: str

    def ranked(self, most: int | None = None) -> dict[str, np.ndarray]:
        """The columns in the order of suspicion, `rank` (from 1) first; the first `most` rows."""
        rows = self.order[:most]
        return {"rank": np.arange(1, len(rows) + 1), **{name: column[rows] for name, column in self.columns.items()}}


def label_errors(
    embeddings: Any,
    labels: Any,
    *,
    k: int = 20,
    metric: str = "cosine",
    temperature: float = 0.07,
    probabilities: Any = None,
    dynamics: Mapping[str, Any] | None = None,
    ranked_by: str = "suspicion",
    suspected_above: float = 0.5,
    groups: Any = None,
) -> LabelErrors:
    """Ranks the labels of a data set by suspicion.

    Args:
        embeddings: float [N, d], what stands for the examples; array kinds as for `rote.knn`.
        labels: int [N], at least 0, the labels under suspicion.
        k: neighbours that vote.
        metric: of the neighbours.
        temperature: of the votes that tell equal shares apart, exp(likeness / temperature).
        probabilities: float [N, C], of models that did not train on the row's example.
        dynamics: scores of `rote.metrics.Recorder`, or any columns [N] named as in `DYNAMICS`.
        ranked_by: the score that orders the table, one of `RANKINGS`.
        suspected_above: an example is `suspected` where more than this share of the votes is for one label that is not
            its own; one half is a majority.
        groups: int [N]: nothing of an example's own group is its neighbour.

    Returns:
        The table: row, label, suspicion (1 is the most suspicious place in all rankings, 0 the least), suspected,
        knn_disagreement, knn_disagreement_weighted, suggested_label, suggested_share; with probabilities also
        self_confidence, probability_margin, predicted_label; and the columns of dynamics.

    Raises:
        ValueError: shapes, labels or names that do not fit, or a ranking whose evidence was not given.
    """
    found = knn_disagreement(embeddings, labels, k, metric, groups=groups)
    weighted = knn_disagreement(embeddings, labels, k, metric, "softmax", temperature=temperature, groups=groups)
    own = np.asarray(labels.detach().cpu() if hasattr(labels, "detach") else labels).astype(np.int64)
    score, suggested = found.score.numpy(), found.suggested.numpy()
    columns = {
        "row": np.arange(len(own)),
        "label": own,
        "suspicion": np.empty(len(own)),
        "suspected": (found.share.numpy() > suspected_above) & (suggested != own),
        "knn_disagreement": score,
        "knn_disagreement_weighted": weighted.score.numpy(),
        "suggested_label": suggested,
        "suggested_share": found.share.numpy(),
    }
    places = [place(columns["knn_disagreement"], columns["knn_disagreement_weighted"])]
    if probabilities is not None:
        columns |= _from_probabilities(probabilities, own)
        places.append(place(-columns["self_confidence"]))
    if dynamics is not None:
        columns |= _from_dynamics(dynamics, len(own))
        if "aum" in columns or "confidence" in columns:
            places.append(place(-columns["aum" if "aum" in columns else "confidence"]))
    columns["suspicion"] = _mean_of(places)
    if ranked_by not in RANKINGS:
        raise ValueError(f"ranked_by must be one of {', '.join(RANKINGS)}; got {ranked_by!r}")
    if ranked_by not in columns:
        needed = "dynamics" if ranked_by in DYNAMICS else "probabilities"
        there = ", ".join(name for name in RANKINGS if name in columns)
        raise ValueError(f"ranked_by={ranked_by!r} needs evidence that was not given, {needed}; there is {there}")
    wanted = columns[ranked_by] if RANKINGS[ranked_by] else -columns[ranked_by]
    by = place(wanted, columns["knn_disagreement_weighted"])
    order = np.lexsort((np.arange(len(own)), -np.where(np.isnan(by), -1.0, by)))
    return LabelErrors(columns, order, ranked_by)


def place(score: np.ndarray, ties: np.ndarray | None = None) -> np.ndarray:
    """Places in a ranking, float64 [N]: 1 for the largest score, 0 for the smallest, equals share the mean of theirs.

    Args:
        score: float [N]; NaN has no place.
        ties: float [N], orders equal scores, NaN as the smallest.
    """
    score = np.asarray(score, dtype=np.float64)
    found = np.full(len(score), np.nan)
    there = ~np.isnan(score)
    keys = [score[there]]
    if ties is not None:
        keys.append(np.nan_to_num(np.asarray(ties, dtype=np.float64)[there], nan=-np.inf))
    if len(keys[0]) < 2:
        found[there] = 0.5
        return found
    _, dense = np.unique(np.stack(keys), axis=1, return_inverse=True)  # columns in lexicographic order
    found[there] = (mean_ranks(dense.reshape(-1)) - 1) / (len(keys[0]) - 1)
    return found


def _mean_of(places: list[np.ndarray]) -> np.ndarray:
    table = np.stack(places)
    there = ~np.isnan(table)
    total = np.where(there, table, 0.0).sum(0)
    return np.where(there.any(0), total / np.maximum(there.sum(0), 1), np.nan)


def _from_probabilities(probabilities: Any, labels: np.ndarray) -> dict[str, np.ndarray]:
    p = np.asarray(probabilities.detach().cpu() if hasattr(probabilities, "detach") else probabilities)
    if p.dtype.kind not in "fiu":
        raise ValueError(f"probabilities must be numbers; got {p.dtype}")
    p = p.astype(np.float64)
    if p.ndim != 2 or len(p) != len(labels) or p.shape[1] <= labels.max(initial=0):
        wanted = f"[{len(labels)}, C], C above the largest label, {labels.max(initial=0)}"
        raise ValueError(f"probabilities must be float {wanted}; got {list(p.shape)}")
    if not (np.isfinite(p).all() and (p >= 0).all() and np.allclose(p.sum(1), 1.0, atol=1e-3)):
        raise ValueError("probabilities must not be negative, and every row must add up to 1")
    rows = np.arange(len(p))
    others = p.copy()
    others[rows, labels] = -np.inf
    return {
        "self_confidence": p[rows, labels],
        "probability_margin": p[rows, labels] - others.max(1) if p.shape[1] > 1 else p[rows, labels],
        "predicted_label": p.argmax(1),
    }


def _from_dynamics(dynamics: Mapping[str, Any], count: int) -> dict[str, np.ndarray]:
    columns = {name: np.asarray(dynamics[name]) for name in DYNAMICS if name in dynamics}
    if not {"aum", "confidence"} & set(columns):
        raise ValueError(f"dynamics must hold aum or confidence; has {', '.join(map(str, dynamics)) or 'none'}")
    wrong = {name: list(column.shape) for name, column in columns.items() if column.shape != (count,)}
    if wrong:
        raise ValueError(f"dynamics must be columns of {count} examples; got {wrong}")
    return columns
