"""`rote.NearestNeighbors`: the exact search as a scikit-learn estimator. Importing this module loads scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rote.neighbors.index import Index
from rote.neighbors.inputs import as_given, fit_input, is_tensor, query_input
from rote.neighbors.parts import distances_from_keys
from rote.neighbors.search import METRICS, checked_count

# After `inputs`, which says what is missing where scikit-learn is.
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin  # isort: skip
from sklearn.utils.validation import check_is_fitted  # isort: skip

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: scikit-learn's names for the metrics of `rote.knn`, where they differ.
ALIASES = {"euclidean": "l2"}
MODES = ("connectivity", "distance")


class NearestNeighbors(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Exact nearest neighbours of points, with the methods of scikit-learn's estimators.

    `kneighbors` and `kneighbors_graph` are those of scikit-learn's `NearestNeighbors`; `transform` and `fit_transform`
    those of its `KNeighborsTransformer`, so that it stands in a Pipeline before whatever takes a sparse graph of
    distances (t-SNE, DBSCAN, spectral clustering, Isomap with metric "precomputed"). Results are those of
    scikit-learn's exact search wherever no two distances of a query are equal, and the smaller index comes first where
    they are. Besides what scikit-learn takes, points may be torch tensors on any device or other DLPack objects.

    For UMAP, whose neighbours include the point itself, ask for the neighbours of the points fitted:
    `distances, indices = neighbors.kneighbors(X)`, then `umap.UMAP(n_neighbors=k, precomputed_knn=(indices,
    distances))`, both numpy arrays [N, k].

    Args:
        n_neighbors: number of neighbours, where a method is not given another.
        metric: "l2" or its other name "euclidean", "sqeuclidean", "cosine", or "ip" (inner product, the largest first:
            for `kneighbors` and connectivity, since it is no distance).
        mode: of the graph that `transform` makes: "distance" (with n_neighbors + 1 entries in a row, since each fitted
            point counts as its own neighbour at distance 0), or "connectivity" (n_neighbors entries of 1).

    Attributes:
        n_features_in_: d of the points fitted.
        n_samples_fit_: number of points fitted.
        effective_metric_: the metric by its name in `rote.knn`.

    Example:
        >>> import numpy as np, rote
        >>> x = np.array([[0.0], [1.0], [3.0]])
        >>> neighbors = rote.NearestNeighbors(n_neighbors=1).fit(x)
        >>> distances, indices = neighbors.kneighbors()  # of the points fitted, none its own neighbour
        >>> indices.ravel().tolist(), distances.ravel().tolist()
        ([1, 0, 1], [1.0, 1.0, 2.0])
        >>> neighbors.kneighbors_graph(np.array([[2.5]])).toarray().tolist()
        [[0.0, 0.0, 1.0]]
    """

    def __init__(self, n_neighbors: int = 5, *, metric: str = "l2", mode: str = "distance") -> None:
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.mode = mode

    def fit(self, X: Any, y: Any = None) -> NearestNeighbors:
        """Keep the points (numpy and array-likes: a copy; torch: the tensor itself).

        Args:
            X: points [N, d], finite: numpy or array-like, torch tensor, or DLPack object.
            y: ignored, as scikit-learn wants it.

        Raises:
            TypeError, ValueError: a wrong kind or shape, points that are not finite, or a wrong parameter.
        """
        checked_count(self.n_neighbors, "n_neighbors")
        _checked_mode(self.mode)
        metric = _checked_name(self.metric)
        X = fit_input(self, X)
        self._index = Index(X, metric=metric)
        self._fitted_tensor = is_tensor(X)
        self.effective_metric_ = metric
        self.n_samples_fit_ = self._n_features_out = len(self._index)
        return self

    def kneighbors(self, X: Any = None, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """The nearest fitted points of every query, nearest first.

        Args:
            X: queries [Q, d]; None asks for the fitted points themselves, none its own neighbour.
            n_neighbors: instead of the estimator's own.
            return_distance: whether distances are wanted as well.

        Returns:
            (distances [Q, k], indices int64 [Q, k]), or the indices alone, in the kind of X (X None: numpy, or torch
            where a tensor or DLPack object was fitted). Distances are float64 where queries or fitted points are,
            else float32.

        Raises:
            NotFittedError: before `fit`.
            TypeError, ValueError: a wrong kind, shape or number of neighbours, queries that are not finite.
        """
        check_is_fitted(self)
        k = checked_count(self.n_neighbors if n_neighbors is None else n_neighbors, "n_neighbors")
        queries = self._index.references if X is None else query_input(self, X)
        if k > self.n_samples_fit_ - (X is None):
            raise ValueError(
                f"Expected n_neighbors <= n_samples_fit, but n_neighbors = {k}, n_samples_fit = {self.n_samples_fit_}, "
                f"n_samples = {queries.shape[0]}" + (" and no point is its own neighbour" if X is None else "")
            )
        keys, indices = self._index.search_keys(queries, k, exclude="self" if X is None else None)
        given = queries if X is None and self._fitted_tensor else X
        if not return_distance:
            return as_given(indices, given)
        is_double = torch.float64 in (queries.dtype, self._index.dtype)
        distances = distances_from_keys(
            keys, self.effective_metric_, dtype=torch.float64 if is_double else torch.float32
        )
        return as_given(distances, given), as_given(indices, given)

    def kneighbors_graph(self, X: Any = None, n_neighbors: int | None = None, mode: str = "connectivity") -> csr_matrix:
        """The graph of nearest neighbours as a scipy CSR matrix [Q, n_samples_fit_], k entries in every row.

        Args:
            X: queries [Q, d]; None asks for the fitted points themselves, none its own neighbour.
            n_neighbors: instead of the estimator's own.
            mode: "connectivity" (entries 1.0) or "distance" (entries the distances, in increasing order within a row,
                zeros stored).

        Raises:
            NotFittedError: before `fit`.
            TypeError, ValueError: as `kneighbors`; an unknown mode, or mode "distance" for metric "ip".
        """
        from scipy.sparse import csr_matrix

        check_is_fitted(self)
        if _checked_mode(mode) == "distance" and self.effective_metric_ == "ip":
            raise ValueError("mode='distance' needs a distance; metric='ip' is a similarity (use mode='connectivity')")
        if mode == "distance":
            distances, indices = (_host(result) for result in self.kneighbors(X, n_neighbors))
            data = distances.ravel()
        else:
            indices = _host(self.kneighbors(X, n_neighbors, return_distance=False))
            data = np.ones(indices.size)
        starts = np.arange(0, indices.size + 1, indices.shape[1])
        return csr_matrix((data, indices.ravel(), starts), shape=(indices.shape[0], self.n_samples_fit_))

    def transform(self, X: Any) -> csr_matrix:
        """The graph from X to the fitted points, as scikit-learn's `KNeighborsTransformer` makes it.

        Args:
            X: points [Q, d].

        Returns:
            scipy CSR matrix [Q, n_samples_fit_] in the estimator's `mode`; with n_neighbors + 1 entries in a row for
            "distance", n_neighbors for "connectivity".

        Raises:
            NotFittedError, TypeError, ValueError: as `kneighbors_graph`.
        """
        check_is_fitted(self)
        extra = _checked_mode(self.mode) == "distance"
        return self.kneighbors_graph(X, checked_count(self.n_neighbors, "n_neighbors") + extra, self.mode)

    def fit_transform(self, X: Any, y: Any = None) -> csr_matrix:
        """`fit(X).transform(X)`: every point is its own first neighbour."""
        return self.fit(X).transform(X)


def _checked_name(metric: Any) -> str:
    """The metric's name in `rote.knn`."""
    name = ALIASES.get(metric, metric) if isinstance(metric, str) else metric
    if name not in METRICS:
        names = ", ".join(map(repr, (*METRICS, *ALIASES)))
        hint = "; 'minkowski' leaves p open, with p=2 it is 'l2'" if metric == "minkowski" else ""
        raise ValueError(f"metric must be one of {names}; got {metric!r}{hint}")
    return name


def _checked_mode(mode: Any) -> str:
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(map(repr, MODES))}; got {mode!r}")
    return mode


def _host(result: Any) -> np.ndarray:
    if is_tensor(result):
        result = result if isinstance(result, torch.Tensor) else torch.from_dlpack(result)
        return result.cpu().numpy()
    return result
