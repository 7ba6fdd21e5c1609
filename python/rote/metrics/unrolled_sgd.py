"""rote/metrics/unrolled_sgd.py: stochastic gradient descent in float64 that can be gone back over, update by update."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from rote import address


class UnrolledSGD:
    """Trains a network by SGD on cross-entropy, and keeps what an adjoint of the whole training needs.

    An epoch visits every image once, in the order of `rote.address.permutation`, so it has N / batch_size updates

        v <- momentum v + gradient of the batch's mean loss,    parameters <- parameters - lr v.

    Weights and velocities at the beginning of every epoch are kept; those within an epoch are found by going through
    it again. That is memory for (2 epochs + N / batch_size) x parameters numbers, at the price of one more training.

    Args:
        model: float64 or float32 [B, ...] -> logits [B, classes], twice differentiable by torch. A float64 copy of its
            weights is trained; the model itself is left alone.
        inputs: float [N, ...], taken to float64.
        labels: int64 [N].
        lr: learning rate, constant.
        batch_size: images per update, a divisor of N: an image that an epoch leaves out has no sensitivity in it.
        momentum: in [0, 1).
        seed: of the order.

    Attributes:
        epochs: whole epochs done.

    Raises:
        ValueError: an argument that does not fit, a network with batch normalization (its running statistics are no
            function of the weights) or with dropout (its draws are not kept).

    Example:
        >>> course = UnrolledSGD(model, inputs, labels, lr=0.1, batch_size=50)
        >>> course.train_until(20)
        >>> loss_sensitivity(course, 20).total
    """

    def __init__(
        self,
        model: nn.Module,
        inputs: Tensor,
        labels: Tensor,
        *,
        lr: float,
        batch_size: int,
        momentum: float = 0.0,
        seed: int = 0,
    ) -> None:
        if labels.dim() != 1 or labels.dtype != torch.int64 or len(labels) == 0 or len(labels) != len(inputs):
            raise ValueError(
                f"labels must be int64 [N] for inputs [N, ...], N > 0; got {labels.dtype} {tuple(labels.shape)} for "
                f"inputs {tuple(inputs.shape)}"
            )
        if not 1 <= batch_size <= len(labels) or len(labels) % batch_size:
            raise ValueError(
                f"batch_size must divide the {len(labels)} images, so that every epoch visits each; got {batch_size}"
            )
        if not (math.isfinite(lr) and lr > 0):
            raise ValueError(f"lr must be positive and finite; got {lr}")
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum must be in [0, 1); got {momentum}")
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm | nn.modules.dropout._DropoutNd):
                raise ValueError(f"model must be without batch normalization and dropout; got one with {module}")
        self.model = model
        self.inputs = inputs.double()
        self.labels = labels.to(inputs.device)
        self.lr = float(lr)
        self.momentum = float(momentum)
        self.batch_size = batch_size
        self.seed = seed
        named = dict(model.named_parameters())
        self._shapes = {name: parameter.shape for name, parameter in named.items()}
        start = torch.cat([parameter.detach().double().reshape(-1) for parameter in named.values()]).to(inputs.device)
        self._begun = [(start, torch.zeros_like(start))]

    @property
    def epochs(self) -> int:
        return len(self._begun) - 1

    @property
    def num_parameters(self) -> int:
        """Numbers in the parameter vector, P."""
        return len(self._begun[0][0])

    @property
    def steps_per_epoch(self) -> int:
        return len(self.labels) // self.batch_size

    def train_until(self, epoch: int, on_epoch: Callable[[int], None] | None = None) -> None:
        """Trains until so many epochs are done; calls `on_epoch(epochs done)` after each.

        Raises:
            FloatingPointError: the weights are not finite after an epoch.
        """
        while self.epochs < epoch:
            weights, velocity = self._begun[-1]
            for batch in self.batches(self.epochs):
                gradient = self.gradient(weights, self.inputs[batch], self.labels[batch])
                velocity = self.momentum * velocity + gradient
                weights = weights - self.lr * velocity
            if not bool(weights.isfinite().all()):
                raise FloatingPointError(f"the weights are not finite after epoch {self.epochs + 1}; a lower lr helps")
            self._begun.append((weights, velocity))
            if on_epoch is not None:
                on_epoch(self.epochs)

    def weights_after(self, epoch: int) -> Tensor:
        """float64 [P], the parameters after so many whole epochs.

        Raises:
            ValueError: training has not come so far.
        """
        if not isinstance(epoch, int) or not 0 <= epoch <= self.epochs:
            raise ValueError(f"epoch must be whole and in [0, {self.epochs}], the epochs done; got {epoch}")
        return self._begun[epoch][0]

    def batches(self, epoch: int) -> tuple[Tensor, ...]:
        """int64 [batch_size] each: the images of every update of an epoch."""
        order = address.permutation(self.seed, len(self.labels), epoch).to(self.labels.device)
        return order.split(self.batch_size)

    def updates_backwards(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """(weights [P] before the update, images of its batch) for every update of an epoch, the last one first."""
        weights, velocity = self._begun[epoch]
        batches, before = self.batches(epoch), []
        for batch in batches:
            before.append(weights)
            velocity = self.momentum * velocity + self.gradient(weights, self.inputs[batch], self.labels[batch])
            weights = weights - self.lr * velocity
        yield from zip(reversed(before), reversed(batches), strict=True)

    def logits(self, weights: Tensor, inputs: Tensor) -> Tensor:
        """float64 [B, classes] of the network with the given parameter vector."""
        return functional_call(self.model, self._unflattened(weights), (inputs,))

    def losses(self, weights: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
        """float64 [B], the cross-entropy of every example."""
        return nn.functional.cross_entropy(self.logits(weights, inputs), labels, reduction="none")

    def gradient(self, weights: Tensor, inputs: Tensor, labels: Tensor, *, create_graph: bool = False) -> Tensor:
        """float64 [P], the gradient of a batch's mean loss."""
        if not create_graph:
            weights = weights.detach().requires_grad_()
        with torch.enable_grad():
            loss = self.losses(weights, inputs, labels).mean()
            (found,) = torch.autograd.grad(loss, weights, create_graph=create_graph)
        return found

    def accuracy(self, epoch: int) -> float:
        """Share of the images whose label is predicted after so many epochs."""
        with torch.no_grad():
            answers = self.logits(self.weights_after(epoch), self.inputs).argmax(1)
        return int((answers == self.labels).sum()) / len(self.labels)

    def loss(self, epoch: int) -> float:
        """Mean cross-entropy over all images after so many epochs."""
        with torch.no_grad():
            return float(self.losses(self.weights_after(epoch), self.inputs, self.labels).mean())

    def _unflattened(self, weights: Tensor) -> Mapping[str, Tensor]:
        parts = weights.split([shape.numel() for shape in self._shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)}
