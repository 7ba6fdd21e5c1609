"""rote/train/callbacks.py: what a trainer calls while it trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from rote.train.trainer import Trainer

Hook = Callable[["Trainer"], None]
ForwardHook = Callable[["Tensor", "Tensor", "Tensor"], None]


class Callback:
    """Something to do along a training. Derive from it, or give any object with one of its methods, or a function.

    A callback may measure, save, stop the training by an exception, and change what it finds: the next step starts from
    what it left. What it must remember over a stop it gives in `state_dict`, which is part of the trainer's state, or
    keeps itself.
    """

    def on_begin(self, trainer: Trainer) -> None:
        """Once, when the trainer is made; `trainer.processes` are those that train together, or None."""

    def on_step(self, trainer: Trainer) -> None:
        """After every update; `trainer.step` updates are done. A plain function is called here."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """After the last update of every epoch, behind `on_step`; `trainer.epoch` epochs are done."""

    def on_forward(self, image_ids: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Inside every update, between the forward pass and the change of the weights.

        It must not wait for the device, nor depend on anything that changes but tensors: where a step is a CUDA graph,
        the call is captured, and from then on its kernels run without it.

        Args:
            image_ids: int64 [B], of several processes this one's rows of the batch.
            logits: [B, C], without gradients.
            labels: int64 [B], the images' own.
        """

    def state_dict(self) -> dict[str, Tensor]:
        """What the callback must remember over a stop, tensors by name; saved and restored with the trainer."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor], trainer: Trainer) -> None:
        """Goes back to a state of `state_dict`; the trainer already has."""


def hooks_of(callbacks: Iterable[object]) -> tuple[list[Hook], list[Hook]]:
    """What to call after every step, and what at the end of every epoch, in the order given.

    Raises:
        TypeError: a callback is neither.
    """
    after_step, after_epoch = [], []
    for callback in callbacks:
        methods = [getattr(callback, name, None) for name in ("on_step", "on_epoch_end")]
        if not any(map(callable, (*methods, getattr(callback, "on_forward", None)))):
            if not callable(callback):
                raise TypeError(
                    f"callbacks must be functions or have on_step, on_epoch_end or on_forward; got {callback!r}"
                )
            methods = [callback, None]
        for hooks, name, method in zip((after_step, after_epoch), ("on_step", "on_epoch_end"), methods, strict=True):
            # Methods that only stand for the protocol are not worth a call a step.
            if callable(method) and getattr(method, "__func__", None) is not getattr(Callback, name):
                hooks.append(method)
    return after_step, after_epoch


def forward_hooks_of(callbacks: Iterable[object]) -> list[ForwardHook]:
    """What to call inside every update, in the order given."""
    methods = [getattr(callback, "on_forward", None) for callback in callbacks]
    return [m for m in methods if callable(m) and getattr(m, "__func__", None) is not Callback.on_forward]


def states_of(callbacks: Iterable[object]) -> dict[str, Tensor]:
    """The tensors that callbacks must remember, by "number/name"."""
    return {
        f"{number}/{name}": value
        for number, callback in enumerate(callbacks)
        if isinstance(callback, Callback)
        for name, value in callback.state_dict().items()
    }


def restore_states(callbacks: Iterable[object], state: Mapping[str, Tensor], trainer: Trainer) -> None:
    """Brings callbacks back to a state of `states_of`."""
    for number, callback in enumerate(callbacks):
        if isinstance(callback, Callback):
            prefix = f"{number}/"
            own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
            callback.load_state_dict(own, trainer)
