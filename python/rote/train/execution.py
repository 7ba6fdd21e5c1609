"""rote/train/execution.py: one update of a network, plainly or through torch.compile.

What an update computes is said once, in `EagerSteps`; the other ways to run it change how, never what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from rote.augment import Recipe
from rote.models import EncoderProjector
from rote.train.callbacks import ForwardHook
from rote.train.config import TrainConfig
from rote.train.losses import Loss, cross_entropy, mse
from rote.train.running import RunningSums
from rote.train.stream import Samples, TrainingStream

if TYPE_CHECKING:
    from rote.train.distributed import DataParallel


@dataclass(frozen=True)
class StepParts:
    """What an update reads and changes, all of it the trainer's own.

    Attributes:
        model: the network, in train mode.
        parameters: its parameters.
        stream: where the samples come from.
        optimizer: over the parameters.
        loss: (logits, labels) -> scalar.
        running: sums of loss and accuracy.
        precision: torch.bfloat16 runs the network under autocast.
        device: where all of it lies.
        on_forward: called in every update with (image ids, logits, labels), before the weights change.
    """

    model: nn.Module
    parameters: Sequence[nn.Parameter]
    stream: Any
    optimizer: torch.optim.Optimizer
    loss: Loss
    running: RunningSums
    precision: torch.dtype
    device: torch.device
    on_forward: Sequence[ForwardHook] = ()


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
        x, y = self.parts.stream.batch(step)
        loss, logits = self.loss_of(x, y)
        self.set_lr(lr)
        # Of a mixed view, too, the label of its own image is asked for.
        own = y if y.dim() == 1 else self.parts.stream.addresses(step)[2]
        if self.parts.on_forward:
            self.show(self.parts.stream.addresses(step)[0], logits, own)
        self.descend(loss, logits, own)

    def reset(self) -> None:
        """Nothing is kept between two updates."""

    def reduce_gradients(self) -> None:
        """Between backward pass and update; the gradients of one process are whole."""

    def set_lr(self, lr: float | Tensor) -> None:
        """Gives the optimizer its learning rate."""
        for group in self.parts.optimizer.param_groups:
            group["lr"] = lr

    def loss_of(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and logits of a batch, autocast in bfloat16 where that is the precision."""
        parts = self.parts
        if parts.precision == torch.bfloat16:
            with torch.autocast(parts.device.type, torch.bfloat16):
                logits = parts.model(x)
        else:
            logits = parts.model(x)
        return parts.loss(logits, y), logits

    def show(self, image_ids: Tensor, logits: Tensor, own: Tensor) -> None:
        """Calls the callbacks that look into an update."""
        logits = logits.detach()
        for hook in self.parts.on_forward:
            hook(image_ids, logits, own)

    def descend(self, loss: Tensor, logits: Tensor, own: Tensor) -> None:
        """Backward pass, update and sums.

        Args:
            loss: scalar.
            logits: [B, C].
            own: int64 [B], the labels of the images themselves.
        """
        parts = self.parts
        for parameter in parts.parameters:
            parameter.grad = None
        loss.backward()
        self.reduce_gradients()
        parts.optimizer.step()
        parts.running.add(loss, logits, own)


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
        self._renders = renders(parts.stream)
        whole = is_ours(parts)
        function = self._rendered_loss if self._renders else self.loss_of
        self._compiled = torch.compile(function, fullgraph=whole, dynamic=False, backend=backend)

    def update(self, step: int, lr: float) -> None:
        """As `EagerSteps.update`, equal to it up to rounding."""
        stream = self.parts.stream
        if self._renders:
            samples = stream.samples(step)
            loss, logits = self._compiled(samples)
            own = samples.labels
        else:
            x, y = stream.batch(step)
            loss, logits = self._compiled(x, y)
            own = y if y.dim() == 1 else stream.addresses(step)[2]
        self.set_lr(lr)
        if self.parts.on_forward:
            self.show(stream.addresses(step)[0], logits, own)
        self.descend(loss, logits, own)

    def _rendered_loss(self, samples: Samples) -> tuple[Tensor, Tensor]:
        return self.loss_of(*self.parts.stream.render(samples))


def renders(stream: Any) -> bool:
    """Whether a stream's `batch` is what `render` makes of its `samples`; own classes may do more."""
    kind = type(stream)
    return isinstance(stream, TrainingStream) and all(
        getattr(kind, name) is getattr(TrainingStream, name) for name in ("addresses", "batch", "render", "samples")
    )


def is_ours(parts: StepParts) -> bool:
    """Whether network, loss, recipe and stream are Rote's own, none of which looks at a value on the device."""
    known = renders(parts.stream) and isinstance(parts.stream.recipe, Recipe)
    loss = getattr(parts.loss, "func", parts.loss)
    return known and loss in (mse, cross_entropy) and isinstance(parts.model, EncoderProjector)


def make_steps(config: TrainConfig, parts: StepParts, processes: DataParallel | None = None) -> Steps:
    """The way to run updates that the config names.

    "auto" is a CUDA graph on a CUDA device where network, loss, recipe and stream are Rote's own; others may wait for
    the device, which a graph cannot hold, and run eagerly, as everything does on the CPU.

    Several processes run eagerly.

    Raises:
        ValueError: a graph is asked for without CUDA or with an own stream; several processes and another execution
            than "eager" and "auto", or a batch that does not divide among them.
    """
    execution = config.execution
    if processes is not None:
        from rote.train.distributed import SharedSteps

        if execution not in ("auto", "eager"):
            raise ValueError(f"execution must be 'auto' or 'eager' with several processes; got {execution!r}")
        return SharedSteps(parts, processes)
    if execution == "auto":
        execution = "graph" if parts.device.type == "cuda" and is_ours(parts) else "eager"
    if execution == "graph":
        from rote.train.graph import GraphSteps

        return GraphSteps(parts)
    return CompiledSteps(parts) if execution == "compiled" else EagerSteps(parts)
