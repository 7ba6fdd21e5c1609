"""rote/train/execution.py: one update of a network, plainly or through torch.compile.

What an update computes is said once, in `EagerSteps`; the other ways to run it change how, never what.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from rote.augment import Recipe
from rote.models import EncoderProjector
from rote.train.config import TrainConfig
from rote.train.stream import TrainingStream

#: Where `StepParts.first_bad` stands as long as every loss was finite.
NEVER = torch.iinfo(torch.int64).max


@dataclass(frozen=True)
class StepParts:
    """What an update reads and changes; the tensors and modules are the trainer's own.

    Attributes:
        model: the network.
        stream: where the samples come from.
        optimizer: over the network's parameters.
        loss: (logits, labels) -> scalar.
        precision: torch.bfloat16 runs the network under autocast.
        device: where all of it lies.
        sums: float64 [3] of loss x samples, correct predictions, samples.
        first_bad: int64 scalar, the first step whose loss was not finite, else NEVER.
    """

    model: nn.Module
    stream: Any
    optimizer: torch.optim.Optimizer
    loss: Callable[[Tensor, Tensor], Tensor]
    precision: torch.dtype
    device: torch.device
    sums: Tensor
    first_bad: Tensor


class Steps(Protocol):
    """A way to run updates."""

    def update(self, step: int, lr: float) -> None:
        """Does update number `step`; may return before the device has done it."""

    def reset(self) -> None:
        """Tells that the trainer went to another state: its optimizer may hold other tensors."""


class EagerSteps:
    """Operator by operator."""

    def __init__(self, parts: StepParts) -> None:
        self.parts = parts

    def update(self, step: int, lr: float) -> None:
        """Samples, forward, backward, update, sums."""
        self.parts.model.train()
        x, y = self.parts.stream.batch(step)
        loss, logits = self.loss_of(x, y)
        for group in self.parts.optimizer.param_groups:
            group["lr"] = lr
        self.descend(loss, logits, y, step)

    def reset(self) -> None:
        """Nothing is kept between two updates."""

    def loss_of(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and logits of a batch, autocast in bfloat16 where that is the precision."""
        parts = self.parts
        with torch.autocast(parts.device.type, torch.bfloat16, enabled=parts.precision == torch.bfloat16):
            logits = parts.model(x)
        return parts.loss(logits, y), logits

    def descend(self, loss: Tensor, logits: Tensor, y: Tensor, step: int | Tensor) -> None:
        """Backward pass, update and sums; the optimizer holds the learning rate already."""
        parts = self.parts
        parts.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        parts.optimizer.step()
        with torch.no_grad():
            labels = y if y.dim() == 1 else y.argmax(1)
            correct = (logits.argmax(1) == labels).sum()
            samples = torch.full_like(correct, len(y))
            parts.sums.add_(torch.stack((loss.detach() * len(y), correct, samples)))
            # Only the first such step counts: the weights of all later ones follow from it. (torch.where with numbers
            # would copy them to the device and wait for it.)
            here = torch.zeros_like(parts.first_bad) + step
            parts.first_bad.clamp_(max=here.masked_fill_(loss.isfinite(), NEVER))


class CompiledSteps(EagerSteps):
    """Augmentation, forward pass and loss as one compiled function; backward pass compiled with it.

    Networks of `rote.models` with recipes of `rote.augment` compile whole: a break in the graph is an error. Own
    modules and own recipes may break it, and an own stream is asked for its batch outside.

    Args:
        parts: what an update reads and changes.
        backend: of torch.compile.
    """

    def __init__(self, parts: StepParts, backend: str | Callable[..., Any] = "inductor") -> None:
        super().__init__(parts)
        self._renders = isinstance(parts.stream, TrainingStream)
        whole = is_ours(parts)
        function = self._rendered_loss if self._renders else self.loss_of
        self._compiled = torch.compile(function, fullgraph=whole, dynamic=False, backend=backend)

    def update(self, step: int, lr: float) -> None:
        """As `EagerSteps.update`, equal to it up to rounding."""
        parts = self.parts
        parts.model.train()
        if self._renders:
            loss, logits, y = self._compiled(*parts.stream.addresses(step))
        else:
            x, y = parts.stream.batch(step)
            loss, logits = self._compiled(x, y)
        for group in parts.optimizer.param_groups:
            group["lr"] = lr
        self.descend(loss, logits, y, step)

    def _rendered_loss(self, image_ids: Tensor, views: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, y = self.parts.stream.render(image_ids, views, labels)
        return *self.loss_of(x, y), y


def is_ours(parts: StepParts) -> bool:
    """Whether network, recipe and stream are Rote's own, none of which looks at a value on the device."""
    stream = parts.stream
    known = isinstance(stream, TrainingStream) and isinstance(stream.recipe, Recipe)
    return known and isinstance(parts.model, EncoderProjector)


def make_steps(config: TrainConfig, parts: StepParts) -> Steps:
    """The way to run updates that the config names.

    "auto" is a CUDA graph on a CUDA device where network, recipe and stream are Rote's own; others may wait for the
    device, which a graph cannot hold, and run eagerly, as everything does on the CPU.

    Raises:
        ValueError: a graph is asked for without CUDA or with an own stream.
    """
    execution = config.execution
    if execution == "auto":
        execution = "graph" if parts.device.type == "cuda" and is_ours(parts) else "eager"
    if execution == "graph":
        from rote.train.graph import GraphSteps

        return GraphSteps(parts)
    return CompiledSteps(parts) if execution == "compiled" else EagerSteps(parts)
