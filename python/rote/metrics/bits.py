"""rote/metrics/bits.py: how many bits of labels a network has stored, by two formulas.

M counts independent labels: N where all views of an image share its label, N x B where each view has its own.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def fano(labels: int, num_classes: int, accuracy: float) -> float:
    """Bits that an accuracy proves, by Fano's inequality: M [log2 C - H(a) - (1 - a) log2(C - 1)].

    H is the binary entropy. At or below chance (a <= 1/C) it is 0, at a = 1 it is M log2 C.

    Args:
        labels: M, the number of independent labels.
        num_classes: C, at least 2.
        accuracy: a, in [0, 1].

    Raises:
        ValueError: an argument out of range.
    """
    _check(labels, num_classes)
    if not 0.0 <= accuracy <= 1.0:
        raise ValueError(f"accuracy must be in [0, 1]; got {accuracy}")
    if accuracy <= 1.0 / num_classes:
        return 0.0
    wrong = 1.0 - accuracy
    entropy = -sum(share * math.log2(share) for share in (accuracy, wrong) if share > 0.0)
    return labels * (math.log2(num_classes) - entropy - wrong * math.log2(num_classes - 1))


def code_length(log_p: Tensor, num_classes: int, labels: int | None = None) -> float:
    """Bits saved in sending the labels with the network's help: M log2 C - sum of -log2 p.

    Args:
        log_p: natural logarithms of the probability given to each right label, float [K]. Where several views share a
            label K exceeds M, and their mean cost counts.
        num_classes: C, at least 2.
        labels: M; K by default.

    Returns:
        Bits; negative where the network's confidence misleads.

    Raises:
        ValueError: log_p is empty, positive or NaN, or a number is out of range.
    """
    if log_p.dim() != 1 or len(log_p) == 0:
        raise ValueError(f"log_p must be float [K], K > 0; got shape {tuple(log_p.shape)}")
    if not bool((log_p <= 1e-6).all()):
        raise ValueError(f"log_p must be logarithms of probabilities, at most 0; got a maximum of {float(log_p.max())}")
    mean_cost = -float(log_p.to(torch.float64).mean()) / math.log(2.0)
    return code_length_from_cost(mean_cost, num_classes, len(log_p) if labels is None else labels)


def code_length_from_cost(mean_cost: float, num_classes: int, labels: int) -> float:
    """M (log2 C - mean cost), where the cost of a label is -log2 p in bits; as `code_length`."""
    _check(labels, num_classes)
    return labels * (math.log2(num_classes) - mean_cost)


def _check(labels: int, num_classes: int) -> None:
    if labels < 0:
        raise ValueError(f"labels must not be negative; got {labels}")
    if num_classes < 2:
        raise ValueError(f"num_classes must be at least 2; got {num_classes}")
