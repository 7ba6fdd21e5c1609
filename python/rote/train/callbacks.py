"""rote/train/callbacks.py: what a trainer calls while it trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rote.train.trainer import Trainer

Hook = Callable[["Trainer"], None]


class Callback:
    """Something to do along a training. Derive from it, or give any object with one of its methods, or a function.

    A callback may measure, save, stop the training by an exception, and change what it finds: the next step starts from
    what it left. It is not part of the trainer's state: what it must remember over a stop, it keeps itself.
    """

    def on_step(self, trainer: Trainer) -> None:
        """After every update; `trainer.step` updates are done. A plain function is called here."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """After the last update of every epoch, behind `on_step`; `trainer.epoch` epochs are done."""


def hooks_of(callbacks: Iterable[object]) -> tuple[list[Hook], list[Hook]]:
    """What to call after every step, and what at the end of every epoch, in the order given.

    Raises:
        TypeError: a callback is neither.
    """
    after_step, after_epoch = [], []
    for callback in callbacks:
        methods = [getattr(callback, name, None) for name in ("on_step", "on_epoch_end")]
        if not any(map(callable, methods)):
            if not callable(callback):
                raise TypeError(f"callbacks must be functions or have on_step or on_epoch_end; got {callback!r}")
            methods = [callback, None]
        for hooks, name, method in zip((after_step, after_epoch), ("on_step", "on_epoch_end"), methods, strict=True):
            # Methods that only stand for the protocol are not worth a call a step.
            if callable(method) and getattr(method, "__func__", None) is not getattr(Callback, name):
                hooks.append(method)
    return after_step, after_epoch
