"""rote/metrics/inequality.py: how unequally a quantity is spread over examples."""

from __future__ import annotations

import numpy as np


def gini(values: np.ndarray) -> float:
    """The Gini coefficient: 0 where all values are equal, (n - 1) / n where one of n has everything.

    G = sum_i (2 i - n - 1) v_i / (n sum_i v_i) over values in ascending order, i from 1 to n; the same as the mean
    absolute difference of all pairs over twice the mean (Gini 1912; arXiv 1706.05394, section 3.2, uses the former).

    Args:
        values: float [n], none negative.

    Returns:
        The coefficient; NaN where all values are 0.

    Raises:
        ValueError: no values, or one that is negative or not finite.

    Example:
        >>> gini([0.0, 0.0, 0.0, 4.0])
        0.75
    """
    values = np.sort(np.asarray(values, dtype=np.float64))
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"values must be float [n], n > 0; got shape {list(values.shape)}")
    if not np.isfinite(values).all() or values[0] < 0:
        raise ValueError("values must be finite and not negative; got one that is not")
    total = values.sum()
    if total == 0.0:
        return float("nan")
    n = len(values)
    return float((2 * np.arange(1, n + 1) - n - 1) @ values / (n * total))
