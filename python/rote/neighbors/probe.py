"""`rote.KNNProbe`: k-NN classification as a scikit-learn classifier. Importing this module loads scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch

from rote.neighbors.arrays import is_foreign, like
from rote.neighbors.index import Index
from rote.neighbors.inputs import EMBEDDING_DTYPES, as_given, finite_rows, is_tensor, query_input
from rote.neighbors.restrictions import Restrictions
from rote.neighbors.search import checked_count, checked_metric, matrix
from rote.neighbors.votes import cast_votes, check_same_space, check_weighting

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.metrics import accuracy_score
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
except ImportError as error:
    raise ImportError(
        "rote.KNNProbe needs scikit-learn >= 1.6, which the extra 'lab' installs: pip install 'rote[lab]'"
    ) from error


class KNNProbe(ClassifierMixin, BaseEstimator):
    """k-nearest-neighbour classifier of embeddings on the exact search of `rote.knn`.

    With weights="uniform" it predicts what scikit-learn's `KNeighborsClassifier` predicts wherever the k-th distance is
    unique; where it is not, the smaller reference index is the neighbour. Votes are summed in float64 in neighbour
    order and ties go to the smaller class. Besides what scikit-learn takes, embeddings and labels may be torch tensors
    or other DLPack objects; results have the kind and the device of the queries.

    Args:
        n_neighbors: number of neighbours that vote. If fewer embeddings are fitted, `fit` warns and all of them vote
            (`kneighbors` then raises, as scikit-learn's does).
        metric: "cosine", "l2", "sqeuclidean" or "ip".
        weights: "uniform"; "distance" (1 / distance; neighbours at distance 0 outvote all others; not for "ip");
            or "softmax", exp(s / temperature) with the row's maximum subtracted, where s is cos for "cosine", the inner
            product for "ip" and minus the distance for "l2" and "sqeuclidean".
        temperature: of "softmax"; 0.07 is the value of DINO (arXiv 2104.14294).
        num_classes: if given, labels are integers in [0, num_classes) and every one of these is a class, whether it
            occurs or not; by default the classes are the distinct labels.

    Attributes:
        classes_: numpy array [C], the classes in increasing order.
        n_features_in_: d of the embeddings fitted.
        n_samples_fit_: number of embeddings fitted.

    Example:
        >>> import numpy as np, rote
        >>> embeddings, labels = np.array([[1.0, 0.1], [1.0, 0.2], [0.1, 1.0]]), np.array(["a", "a", "b"])
        >>> probe = rote.KNNProbe(n_neighbors=1).fit(embeddings, labels)
        >>> probe.predict(np.array([[0.0, 1.0], [2.0, 0.0]])).tolist()
        ['b', 'a']
    """

    def __init__(
        self,
        n_neighbors: int = 20,
        *,
        metric: str = "cosine",
        weights: str = "uniform",
        temperature: float = 0.07,
        num_classes: int | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.weights = weights
        self.temperature = temperature
        self.num_classes = num_classes

    def fit(self, X: Any, y: Any) -> KNNProbe:
        """Keep the embeddings (numpy: a copy; torch: the tensor itself) and their labels.

        Args:
            X: embeddings [N, d], finite: numpy or array-like, torch tensor, or DLPack object.
            y: labels [N]: anything scikit-learn takes as classes, or an integer tensor.

        Raises:
            TypeError, ValueError: wrong kinds, shapes or parameters, or embeddings that are not finite.
        """
        checked_count(self.n_neighbors, "n_neighbors")
        check_weighting(self.weights, checked_metric(self.metric), self.temperature)
        y = _host(y)
        if is_tensor(X):
            references = finite_rows(matrix(X, "X", "N"))
            y = column_or_1d(y, warn=True)
            if len(y) != references.shape[0]:
                raise ValueError(f"y must hold one label for each row of X; got {len(y)} for {references.shape[0]}")
            if len(y) == 0:
                raise ValueError("X must hold at least one embedding; got 0 rows")
            self.n_features_in_ = references.shape[1]
        else:
            X, y = validate_data(self, X, y, dtype=EMBEDDING_DTYPES)
        check_classification_targets(y)
        self.classes_, classes = _encode(y, self.num_classes)
        self._is_torch = is_tensor(X)
        self._index = Index(X, metric=self.metric)
        self._classes = torch.from_numpy(classes).to(self._index.device)
        self.n_samples_fit_ = len(self._index)
        if self.n_neighbors > self.n_samples_fit_:
            warnings.warn(
                f"n_neighbors={self.n_neighbors} exceeds the {self.n_samples_fit_} embeddings fitted: all of them vote",
                UserWarning,
                stacklevel=2,
            )
        return self

    def kneighbors(self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """The nearest embeddings of every query.

        Args:
            X: queries [Q, d]; None asks for the embeddings fitted themselves, none its own neighbour.
            n_neighbors: instead of the probe's own.
            return_distance: whether distances are wanted as well.

        Returns:
            (distances float32 [Q, k], indices int64 [Q, k]), or the indices alone, in the kind of `X`.
        """
        check_is_fitted(self)
        k = checked_count(self.n_neighbors if n_neighbors is None else n_neighbors, "n_neighbors")
        queries = None if X is None else query_input(self, X)
        if k > self.n_samples_fit_ - (X is None):
            raise ValueError(
                f"Expected n_neighbors <= n_samples_fit, but n_neighbors = {k}, n_samples_fit = {self.n_samples_fit_}"
                + (" and no embedding is its own neighbour" if X is None else "")
            )
        distances, indices = self._nearest(queries, k)
        indices = self._as_given(indices, X)
        return (self._as_given(distances, X), indices) if return_distance else indices

    def predict(self, X: Any) -> Any:
        """The class of every query, [Q]: numpy, or a torch tensor where X is one and the classes are numbers.

        Raises:
            ValueError: a query's neighbours lie at distances beyond float64, so that none has a weight.
        """
        winner = self._vote(X, winners=True)
        _refuse_unclassified(winner < 0)
        if is_tensor(X) and self.classes_.dtype.kind in "biuf":
            return like(torch.from_numpy(self.classes_).to(winner.device)[winner], X)
        return self.classes_[winner.cpu().numpy()]

    def predict_proba(self, X: Any) -> Any:
        """Each class's share of the votes, float64 [Q, C], in the order of `classes_` and the kind of X.

        Raises:
            ValueError: as `predict`.
        """
        votes = self._vote(X, winners=False)
        total = votes.sum(1, keepdim=True)
        _refuse_unclassified(~((total[:, 0] > 0) & total[:, 0].isfinite()))
        return self._as_given(votes / total, X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy of `predict(X)` against the labels y, a float in [0, 1]."""
        return float(accuracy_score(_host(y), _host(self.predict(X)), sample_weight=sample_weight))

    def _nearest(self, queries: torch.Tensor | None, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        if queries is None:
            return self._index.search(self._index.references, k, exclude="self")
        return self._index.search(queries, k)

    def _as_given(self, tensor: torch.Tensor, X: Any) -> Any:
        """A result in the kind of the queries, or of the embeddings fitted where these are the queries."""
        if X is None:
            return tensor if self._is_torch else tensor.numpy()
        return as_given(tensor, X)

    def _vote(self, X: Any, *, winners: bool) -> torch.Tensor:
        """The winning classes int64 [Q], or all votes float64 [Q, C]."""
        check_is_fitted(self)
        k = min(checked_count(self.n_neighbors, "n_neighbors"), self.n_samples_fit_)
        queries, index = query_input(self, X), self._index
        index._check_unchanged()
        check_same_space(queries, index.references, ("X", "the embeddings fitted"))
        check_weighting(self.weights, index.metric, self.temperature)
        return cast_votes(
            queries,
            index.references,
            self._classes,
            len(self.classes_),
            [k],
            index.metric,
            self.weights,
            self.temperature,
            Restrictions(None, None, None, None),
            winners=winners,
        )[0]


def _host(labels: Any) -> Any:
    """Labels that scikit-learn can read: tensors brought to the host, everything else as it is."""
    if is_foreign(labels):
        labels = torch.from_dlpack(labels)
    return labels.detach().cpu().numpy() if isinstance(labels, torch.Tensor) else labels


def _encode(y: np.ndarray, num_classes: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The classes and the position of every label among them, int64."""
    if num_classes is None:
        classes, codes = np.unique(y, return_inverse=True)
        return classes, codes.reshape(-1).astype(np.int64, copy=False)
    count = checked_count(num_classes, "num_classes")
    if y.dtype.kind not in "iu":
        raise ValueError(f"with num_classes given, labels must be integers; got dtype {y.dtype}")
    if y.min() < 0 or y.max() >= count:
        raise ValueError(f"labels must lie in [0, num_classes={count}); got values from {y.min()} to {y.max()}")
    return np.arange(count), y.astype(np.int64)


def _refuse_unclassified(without: torch.Tensor) -> None:
    if bool(without.any()):
        raise ValueError(
            f"no neighbour of query {int(without.nonzero()[0, 0])} has a vote that counts: "
            "distances must lie in float64's range"
        )
