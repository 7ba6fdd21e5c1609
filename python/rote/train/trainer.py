"""rote/train/trainer.py: the training loop. One step renders its views, updates the weights and waits for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from rote.train.callbacks import Callback, forward_hooks_of, hooks_of, restore_states, states_of
from rote.train.config import TrainConfig
from rote.train.determinism import deterministic
from rote.train.distributed import DataParallel, GlobalRunningSums, share_weights
from rote.train.divergence import TrainingDiverged, all_finite, copied
from rote.train.execution import StepParts, make_steps
from rote.train.losses import Loss, make_loss
from rote.train.memory import memory_errors
from rote.train.optimizer_state import checked_moments, load_moments, moments_of
from rote.train.optimizers import make_optimizer
from rote.train.running import Running, RunningEpoch, RunningSums
from rote.train.schedules import learning_rate
from rote.train.stream import TrainingStream

# The loss is looked at, and the state to fall back to is copied, once in so many steps.
_CHECK_EVERY = 100


class Trainer:
    """Trains a network on a stream; its whole state is `state_dict()`, and `step` alone says what comes next.

    On CUDA it runs bfloat16 autocast by default, on the CPU float32. Convolutional networks run channels-last on both,
    measured 1.1 to 1.6 times as fast on the CPU too. No step waits for the device: loss and accuracy are summed there.

    Args:
        model: any module from float [B, C, H, W] to logits [B, classes]; moved to the config's device in place.
        stream: where the samples come from; moved to the config's device, and set to its precision and layout.
        config: loss, optimizer, schedule, precision, device, execution and epochs are read here.
        loss: a loss of your own in place of the config's, from logits [B, classes] and labels, int64 [B] or, where
            the recipe mixes them, float32 [B, classes], to a scalar: the mean over the batch.
        callbacks: `Callback`s, objects with one of its methods, or functions to call after every step.
        processes: those that train this network together, each with the same arguments; they start from the weights
            of the first. The stream's batch is the global one.
        check_every: steps between two looks at the loss; each keeps a copy of the state to fall back to.

    Attributes:
        step: number of updates done.
        total_steps: epochs x steps per epoch, the length of the schedule.
        processes: as given.

    Raises:
        TypeError: a callback is none.
        ValueError: an execution that device or stream do not allow, or a batch that does not divide among processes.
        TrainingOutOfMemory: the device's memory does not hold the network and the images.

    Example:
        >>> trainer = Trainer(model, stream, config)
        >>> trainer.train_until(trainer.total_steps)
        >>> trainer.take_running().accuracy
    """

    def __init__(
        self,
        model: nn.Module,
        stream: TrainingStream,
        config: TrainConfig,
        *,
        loss: Loss | None = None,
        callbacks: Iterable[object] = (),
        processes: DataParallel | None = None,
        check_every: int = _CHECK_EVERY,
    ) -> None:
        if check_every < 1:
            raise ValueError(f"check_every must be at least 1; got {check_every}")
        self.config = config
        self.device = config.resolved_device()
        self.precision = config.resolved_precision()
        channels_last = any(isinstance(module, nn.Conv2d) for module in model.modules())
        with memory_errors(model, stream.batch_size, self.device, 0):
            layout = torch.channels_last if channels_last else torch.preserve_format
            weights = torch.float64 if self.precision == torch.float64 else None
            self.model = model.to(self.device, weights, memory_format=layout)
            stream = stream.to(self.device)
        stream.dtype = self.precision
        stream.channels_last = channels_last
        self.total_steps = config.epochs * stream.steps_per_epoch
        self.step = 0
        self._parameters = list(self.model.parameters())
        self._optimizer = make_optimizer(self.model, config)
        self._callbacks = list(callbacks)
        self._after_step, self._after_epoch = hooks_of(self._callbacks)
        self.processes = processes
        if processes is not None:
            share_weights(self.model, processes)
        self._running = RunningSums(self.device) if processes is None else GlobalRunningSums(self.device, processes)
        self._parts = StepParts(
            self.model,
            self._parameters,
            stream,
            self._optimizer,
            make_loss(config) if loss is None else loss,
            self._running,
            self.precision,
            self.device,
            forward_hooks_of(self._callbacks),
        )
        self._steps = make_steps(config, self._parts, processes)
        self._check_every = check_every
        self._good: dict[str, Any] | None = None
        for callback in self._callbacks:
            if isinstance(callback, Callback):
                callback.on_begin(self)

    @property
    def stream(self) -> TrainingStream:
        """Where the samples come from; another one of the same precision and layout can be put in its place."""
        return self._parts.stream

    @stream.setter
    def stream(self, stream: TrainingStream) -> None:
        self._parts = replace(self._parts, stream=stream)
        self._steps = make_steps(self.config, self._parts, self.processes)

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return learning_rate(self.config, self.step, self.total_steps)

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.step // self.stream.steps_per_epoch

    def train_until(
        self, step: int, on_step: Callable[[Trainer], None] | None = None, *, look_at_end: bool = True
    ) -> None:
        """Updates until `self.step == step`; returns at once when it is there already.

        Args:
            step: the number of updates to have been done.
            on_step: one more callback, called after the others.
            look_at_end: check the state at `step` too, whether or not a look is due.

        Raises:
            TrainingDiverged: a loss is not finite; the last good state is restored.
            TrainingOutOfMemory: the device's memory does not hold a step.
        """
        if self.step >= step:
            return
        if self._good is None:
            self._good = copied(self.state_dict())
        steps_per_epoch = self.stream.steps_per_epoch
        after_step = [*self._after_step, on_step] if on_step is not None else self._after_step
        self.model.train()
        while self.step < step:
            try:
                with deterministic(self.device):
                    self._update()
            except RuntimeError:
                with memory_errors(self.model, self.stream.batch_size, self.device, self.step):
                    raise
            ends_epoch = self.step % steps_per_epoch == 0
            if ends_epoch:
                self._running.end_epoch(self.epoch)
            if self.step % self._check_every == 0 or self._running.bad_step_seen or (look_at_end and self.step == step):
                self.check()
            for hook in after_step:
                hook(self)
            if ends_epoch:
                for hook in self._after_epoch:
                    hook(self)
            if not self.model.training:  # a hook that measures may leave it so
                self.model.train()

    def check(self) -> None:
        """Waits for the device and keeps the state when it is finite; raises TrainingDiverged when it is not."""
        bad_step = self._running.bad_step()
        # An update can break the weights after a finite loss; such a state must not be kept or saved.
        if bad_step is None and all_finite(self._parameters):
            self._good = copied(self.state_dict())
            return
        diverged_at = self.step if bad_step is None else bad_step
        if self._good is not None:
            self.load_state_dict(self._good)
        raise TrainingDiverged(diverged_at, self.step)

    def take_running(self) -> Running:
        """Running loss and accuracy since the last call (waits for the device), and starts anew."""
        return self._running.take()

    def take_epochs(self) -> list[RunningEpoch]:
        """Running loss and accuracy of every epoch that ended since the last call (waits for the device).

        They are part of the state: epochs not taken when a checkpoint is saved are there when it is loaded.
        """
        return self._running.take_epochs()

    def state_dict(self) -> dict[str, Any]:
        """Everything the next step depends on: step, weights, optimizer, running sums, generators, callbacks' states.

        The tensors are the live ones; copy them before the next step, or save them.
        """
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimizer": moments_of(self._optimizer),
            **self._running.state_dict(),
            "callbacks": states_of(self._callbacks),
            # The networks here draw nothing; a user's dropout does.
            "rng": torch.get_rng_state(),
        }
        if self.device.type == "cuda":
            state["rng_cuda"] = torch.cuda.get_rng_state(self.device)
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes back to a state of `state_dict`; the next steps give the bits of an uninterrupted run.

        Raises:
            RuntimeError: the weights do not fit this network.
            ValueError: the optimizer's state is not that of this network's parameters, or a callback's not its own.
        """
        moments = checked_moments(self._optimizer, state["optimizer"])
        self.model.load_state_dict(state["model"])
        load_moments(self._optimizer, moments)
        self._running.load_state_dict(state, state["step"])
        torch.set_rng_state(state["rng"].cpu())
        if self.device.type == "cuda" and "rng_cuda" in state:
            torch.cuda.set_rng_state(state["rng_cuda"].cpu(), self.device)
        self.step = state["step"]
        self._good = None
        self._steps.reset()
        restore_states(self._callbacks, state.get("callbacks", {}), self)

    def _update(self) -> None:
        self._steps.update(self.step, self.lr)
        self.step += 1
