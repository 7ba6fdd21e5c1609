"""rote/train/trainer.py: the training loop. One step renders its views, updates the weights and waits for nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from rote.train.config import TrainConfig
from rote.train.losses import make_loss
from rote.train.memory import memory_errors
from rote.train.optimizers import make_optimizer
from rote.train.schedules import learning_rate
from rote.train.stream import TrainingStream

# The loss is looked at, and the state to fall back to is copied, once in so many steps.
_CHECK_EVERY = 100
_NEVER = torch.iinfo(torch.int64).max


class TrainingDiverged(RuntimeError):
    """The loss or the weights became NaN or infinite; the trainer is back at its last good state.

    Attributes:
        step: the first step whose loss is not finite.
        last_good_step: the step the trainer stands at now.
    """

    def __init__(self, step: int, last_good_step: int) -> None:
        super().__init__(
            f"the loss is not finite at step {step}; the state of step {last_good_step} is restored "
            "(a lower lr is the usual cure)"
        )
        self.step = step
        self.last_good_step = last_good_step


class Running(NamedTuple):
    """Means over the steps since the last `take_running`, in train mode on the augmented batches."""

    loss: float
    accuracy: float
    samples: int


class Trainer:
    """Trains a network on a stream; its whole state is `state_dict()`, and `step` alone says what comes next.

    On CUDA it runs bfloat16 autocast by default, on the CPU float32. Convolutional networks run channels-last on both,
    measured 1.1 to 1.6 times as fast on the CPU too. No step waits for the device: loss and accuracy are summed there.

    Args:
        model: any module from float [B, C, H, W] to logits [B, classes]; moved to the config's device in place.
        stream: where the samples come from; moved to the config's device, and set to its precision and layout.
        config: loss, optimizer, schedule, precision, device and epochs are read here.
        check_every: steps between two looks at the loss; each keeps a copy of the state to fall back to.

    Attributes:
        step: number of updates done.
        total_steps: epochs x steps per epoch, the length of the schedule.

    Example:
        >>> trainer = Trainer(model, stream, config)
        >>> trainer.train_until(trainer.total_steps)
        >>> trainer.take_running().accuracy
    """

    def __init__(
        self, model: nn.Module, stream: TrainingStream, config: TrainConfig, *, check_every: int = _CHECK_EVERY
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
            self.stream = stream.to(self.device)
        stream.dtype = self.precision
        stream.channels_last = channels_last
        self.total_steps = config.epochs * stream.steps_per_epoch
        self.step = 0
        self._optimizer = make_optimizer(self.model, config)
        self._loss = make_loss(config)
        # Sums of loss x samples, of correct predictions and of samples.
        self._sums = torch.zeros(3, dtype=torch.float64, device=self.device)
        self._first_bad = torch.full((), _NEVER, dtype=torch.int64, device=self.device)
        self._check_every = check_every
        self._good: dict[str, Any] | None = None

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return learning_rate(self.config, self.step, self.total_steps)

    def train_until(self, step: int, on_step: Callable[[Trainer], None] | None = None) -> None:
        """Updates until `self.step == step`; returns at once when it is there already.

        Args:
            step: the number of updates to have been done.
            on_step: called with the trainer after every update; may evaluate, save, or raise to stop.

        Raises:
            TrainingDiverged: a loss is not finite; the last good state is restored.
            TrainingOutOfMemory: the device's memory does not hold a step.
        """
        if self._good is None:
            self._good = _copied(self.state_dict())
        while self.step < step:
            with memory_errors(self.model, self.stream.batch_size, self.device, self.step), _deterministic(self.device):
                self._update()
            if self.step % self._check_every == 0 or self.step == step:
                self.check()
            if on_step is not None:
                on_step(self)

    def check(self) -> None:
        """Waits for the device and keeps the state when it is finite; raises TrainingDiverged when it is not."""
        first_bad = int(self._first_bad)
        # An update can break the weights after a finite loss; such a state must not be kept or saved.
        norm = torch.nn.utils.get_total_norm([p.detach() for p in self.model.parameters()])
        finite = bool(norm.isfinite())
        if first_bad == _NEVER and finite:
            self._good = _copied(self.state_dict())
            return
        diverged_at = self.step if first_bad == _NEVER else first_bad
        if self._good is not None:
            self.load_state_dict(self._good)
        raise TrainingDiverged(diverged_at, self.step)

    def take_running(self) -> Running:
        """Running loss and accuracy since the last call (waits for the device), and starts anew."""
        loss, correct, samples = self._sums.tolist()
        self._sums.zero_()
        if samples == 0:
            return Running(float("nan"), float("nan"), 0)
        return Running(loss / samples, correct / samples, int(samples))

    def state_dict(self) -> dict[str, Any]:
        """Everything the next step depends on: step, weights, optimizer, running sums and torch's generators.

        The tensors are the live ones; copy them before the next step, or save them.
        """
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict()["state"],
            "sums": self._sums,
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
            ValueError: the optimizer's state is not that of this network's parameters.
        """
        own = self._optimizer.state_dict()
        parameters = [p for group in self._optimizer.param_groups for p in group["params"]]
        unknown = set(state["optimizer"]) - set(range(len(parameters)))
        if unknown:
            raise ValueError(
                f"the optimizer's state must be of {len(parameters)} parameters; got also {sorted(unknown)}"
            )
        self.model.load_state_dict(state["model"])
        moments = {
            index: {name: _laid_out_as(value, parameters[index]) for name, value in values.items()}
            for index, values in state["optimizer"].items()
        }
        self._optimizer.load_state_dict({"state": moments, "param_groups": own["param_groups"]})
        self._sums.copy_(state["sums"])
        self._first_bad.fill_(_NEVER)
        torch.set_rng_state(state["rng"].cpu())
        if self.device.type == "cuda" and "rng_cuda" in state:
            torch.cuda.set_rng_state(state["rng_cuda"].cpu(), self.device)
        self.step = state["step"]
        self._good = None

    def _update(self) -> None:
        self.model.train()
        x, y = self.stream.batch(self.step)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == torch.bfloat16):
            logits = self.model(x)
        loss = self._loss(logits, y)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in self._optimizer.param_groups:
            group["lr"] = self.lr
        self._optimizer.step()
        with torch.no_grad():
            correct = (logits.argmax(1) == y).sum()
            samples = torch.full_like(correct, len(y))
            self._sums += torch.stack((loss.detach() * len(y), correct, samples))
            # Only the first such step counts: the weights of all later ones follow from it.
            self._first_bad.clamp_(max=torch.where(loss.isfinite(), _NEVER, self.step))
        self.step += 1


def _deterministic(device: torch.device) -> AbstractContextManager[None]:
    """cuDNN's deterministic algorithms: without them no two CUDA runs have the same bits, resumed or not."""
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return value


def _laid_out_as(value: Any, parameter: Tensor) -> Any:
    """A copy of an optimizer's tensor in the parameter's memory layout, which the fused kernels take for granted."""
    if not isinstance(value, Tensor):
        return value
    if value.shape != parameter.shape:
        return value.detach().clone()
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value).detach()
