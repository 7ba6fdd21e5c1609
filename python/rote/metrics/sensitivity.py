"""rote/metrics/sensitivity.py: how much a training hangs on each pixel of each of its examples.

Loss-sensitivity (arXiv 1706.05394, section 3.2): g_x^t = || dL_t / dx ||_1, where L_t is the average training loss
after t updates and the derivative flows through the updates that x took part in. x's own share of L_t, at fixed
weights, is not in it: an example that was never visited has sensitivity 0. It is not the gradient of a loss in its
input at fixed weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from rote.metrics.unrolled_sgd import UnrolledSGD


class LossSensitivity(NamedTuple):
    """Sensitivities at one time.

    Attributes:
        total: float64 [N], || dL_t / dx ||_1 for every example.
        by_class: float64 [C, N], || dL_t(y = i) / dx ||_1, the terms of the loss of class i alone; None if not asked.
    """

    total: Tensor
    by_class: Tensor | None


def loss_sensitivity(
    course: UnrolledSGD,
    epoch: int,
    *,
    num_classes: int | None = None,
    on_epoch: Callable[[int], None] | None = None,
) -> LossSensitivity:
    """Loss-sensitivity of every training example, by reverse mode through the whole training.

    The adjoint of the weights, a = dL_t / dw, is carried backwards through the updates. With v <- m v + g(w, x) and
    w <- w - lr v, and b that of the velocity,

        c = b - lr a,    dL_t / dx += (dg / dx)^T c,    a += (dg / dw)^T c,    b = m c.

    Both products come from one second backward pass through the gradient g, for all classes at once. (Maclaurin et al.
    2015 go back the same way; here weights within an epoch are found by going through it once more instead of
    backwards.) An epoch back costs about three training epochs with one adjoint and eight with ten (1,000 images of
    196 pixels on one core); the memory is K x N x pixels numbers, K the adjoints carried (1, or `num_classes`), beside
    that of `UnrolledSGD`. Times are ends of epochs, where all examples have
    been visited equally often.

    Args:
        course: a training of at least `epoch` epochs.
        epoch: whole epochs after which the loss is looked at.
        num_classes: C, to take the loss apart by class as well; labels lie in [0, C).
        on_epoch: called with the epochs gone back, after each.

    Returns:
        The sensitivities; L_t(y = i) is the sum over the examples of class i, divided by all N.

    Raises:
        ValueError: an epoch that was not reached, or a label outside of the classes.
    """
    weights = course.weights_after(epoch)
    if num_classes is not None and int(course.labels.max()) >= num_classes:
        raise ValueError(f"num_classes must be above every label; got {num_classes} and {int(course.labels.max())}")
    adjoint = _loss_gradients(course, weights, num_classes)
    velocity_adjoint = torch.zeros_like(adjoint)
    flowed = torch.zeros((len(adjoint), *course.inputs.shape), dtype=torch.float64, device=course.inputs.device)
    for back in range(epoch):
        for before, batch in course.updates_backwards(epoch - 1 - back):
            both = velocity_adjoint - course.lr * adjoint
            by_weights, by_inputs = _products(course, before, batch, both)
            flowed[:, batch] += by_inputs
            adjoint = adjoint + by_weights
            velocity_adjoint = course.momentum * both
        if on_epoch is not None:
            on_epoch(back + 1)
    total = flowed.sum(0).flatten(1).abs().sum(1)
    return LossSensitivity(total, None if num_classes is None else flowed.flatten(2).abs().sum(2))


def class_matrix(by_class: Tensor, labels: Tensor) -> Tensor:
    """The per-class matrix: entry (i, j) is the mean over examples of class j of their sensitivity of class i's loss.

    Args:
        by_class: float64 [C, N].
        labels: int64 [N].

    Returns:
        float64 [C, C]; NaN in the columns of classes without examples.
    """
    classes = len(by_class)
    member = torch.nn.functional.one_hot(labels, classes).to(by_class)
    return by_class @ member / member.sum(0)


def diagonal_ratio(matrix: Tensor) -> float:
    """Mean of the diagonal of a matrix, float [C, C], over the mean of everything else.

    Raises:
        ValueError: not square, or of one class.
    """
    classes = len(matrix)
    if classes < 2 or matrix.shape != (classes, classes):
        raise ValueError(f"matrix must be [C, C], C > 1; got {tuple(matrix.shape)}")
    diagonal = matrix.diagonal().sum()
    return float(diagonal / classes / ((matrix.sum() - diagonal) / (classes * (classes - 1))))


def _loss_gradients(course: UnrolledSGD, weights: Tensor, num_classes: int | None) -> Tensor:
    """float64 [K, P]: gradient of the average loss in the weights, or of each class's term of it."""
    weights = weights.detach().requires_grad_()
    with torch.enable_grad():
        losses = course.losses(weights, course.inputs, course.labels) / len(course.labels)
        if num_classes is None:
            terms = losses.sum()[None]
        else:
            terms = losses.new_zeros(num_classes).index_add(0, course.labels, losses)
        every = torch.eye(len(terms), dtype=terms.dtype, device=terms.device)
        (found,) = torch.autograd.grad(terms, weights, every, is_grads_batched=True)
    return found


def _products(course: UnrolledSGD, weights: Tensor, batch: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """(dg/dw)^T c as [K, P] and (dg/dx)^T c as [K, B, ...] for every row c of `vectors`, g the batch's gradient."""
    weights = weights.detach().requires_grad_()
    inputs = course.inputs[batch].requires_grad_()
    with torch.enable_grad():
        gradient = course.gradient(weights, inputs, course.labels[batch], create_graph=True)
        return torch.autograd.grad(gradient, (weights, inputs), vectors, is_grads_batched=True)
