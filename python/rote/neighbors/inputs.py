"""What an estimator takes as X: scikit-learn's array-likes, torch tensors and DLPack objects. Loads scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from rote.neighbors.arrays import is_foreign, like
from rote.neighbors.search import matrix

try:
    from sklearn.utils.validation import validate_data
except ImportError as error:
    raise ImportError(
        "rote's estimators need scikit-learn >= 1.6, which the extra 'lab' installs: pip install 'rote[lab]'"
    ) from error

EMBEDDING_DTYPES = (np.float64, np.float32, np.float16)


def is_tensor(value: Any) -> bool:
    """True for what is passed on as it is: torch tensors and DLPack objects, not numpy's and array-likes."""
    return isinstance(value, torch.Tensor) or is_foreign(value)


def fit_input(estimator: Any, X: Any) -> Any:
    """X [N, d] to fit, checked to be finite and not empty; sets `n_features_in_`.

    Array-likes become numpy arrays by scikit-learn's `validate_data`, tensors and DLPack objects stay what they are.

    Raises:
        TypeError, ValueError: a wrong kind, dtype or shape, no rows, NaN or infinity.
    """
    if not is_tensor(X):
        return validate_data(estimator, X, dtype=EMBEDDING_DTYPES)
    tensor = finite_rows(matrix(X, "X", "N"))
    if tensor.shape[0] == 0 or tensor.shape[1] == 0:
        raise ValueError(f"X must hold at least one row and one column; got shape {list(tensor.shape)}")
    estimator.n_features_in_ = tensor.shape[1]
    return X


def query_input(estimator: Any, X: Any) -> torch.Tensor:
    """Queries X [Q, d] as a tensor, checked to be finite and as wide as what was fitted."""
    if not is_tensor(X):
        return matrix(validate_data(estimator, X, dtype=EMBEDDING_DTYPES, reset=False), "X", "Q")
    queries = finite_rows(matrix(X, "X", "Q"))
    if queries.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {queries.shape[1]} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input"
        )
    return queries


def as_given(tensor: torch.Tensor, X: Any) -> Any:
    """A result in the kind of X; numpy for an array-like."""
    return like(tensor, X) if is_tensor(X) else tensor.numpy()


def finite_rows(tensor: torch.Tensor) -> torch.Tensor:
    bad = ~torch.isfinite(tensor).all(1)
    if bool(bad.any()):
        raise ValueError(f"X must be finite; row {int(bad.nonzero()[0, 0])} contains NaN or infinity")
    return tensor
