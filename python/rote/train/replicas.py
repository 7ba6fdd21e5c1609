"""rote/train/replicas.py: several networks of one architecture trained at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from rote.models.replicas import NotBatchable
from rote.train.config import TrainConfig
from rote.train.replica_batch import BatchedReplicas
from rote.train.replica_solo import SoloReplicas
from rote.train.running import Running
from rote.train.stream import TrainingStream

_CHECK_EVERY = 100
# The largest layers for which R networks in one beat R networks one after another: weights of a linear layer, channels
# of a convolution. On two Zen 4 cores with R = 8 (benchmarks/train/test_replicas.py) a linear layer of
# 768 x 128 gains 3.1 times, of 768 x 256 1.3 times, convolutions of up to 32 channels 2.2, of up to 64 1.6 times. On
# a GPU a step is bound by launches for much longer, and grouped convolutions lose their gain sooner; not measured.
_LINEAR_WEIGHTS = {"cpu": 1 << 18, "cuda": 1 << 20}
_CONV_CHANNELS = {"cpu": 64, "cuda": 32}


class ReplicaTrainer:
    """Trains R networks of one architecture at once, each on a stream of its own and with its own learning rate.

    Small networks are bound by the overhead of operators, not by arithmetic. As one batched network R of them need as
    many operators as one does; rendering their views is one operator too. Results agree with those of R runs of
    `Trainer` up to rounding. Where batching is slower (`batching_pays`) or impossible, R trainers run one after
    another under the same interface.

    A replica whose loss or weights become NaN or infinite goes back to its last good state and stops; the others go on
    and notice nothing.

    Args:
        models: R networks of one architecture; their weights are copied.
        streams: R streams of equal batch size and steps per epoch; moved to the config's device.
        configs: R configs that differ in lr alone.
        check_every: steps between two looks at the losses, as in `Trainer`.
        batched: True: one batched network; False: one after another; None: what is faster here.

    Attributes:
        step: number of updates done.
        total_steps: epochs x steps per epoch.
        replicas: R.
        configs: the config of each.
        batched: whether the networks run as one.
        diverged: for each replica the first step whose loss is not finite, or None.
        active: the replicas that are still trained, in ascending order.

    Raises:
        ValueError: numbers of models, streams and configs differ, configs differ in more than lr, streams are of
            different lengths; NotBatchable, a ValueError, where `batched` is True and these networks cannot run as one.

    Example:
        >>> trainer = ReplicaTrainer(models, streams, configs)
        >>> trainer.train_until(trainer.total_steps)
        >>> [running.accuracy for running in trainer.take_running()]
    """

    def __init__(
        self,
        models: Sequence[nn.Module],
        streams: Sequence[TrainingStream],
        configs: Sequence[TrainConfig],
        *,
        check_every: int = _CHECK_EVERY,
        batched: bool | None = None,
    ) -> None:
        _check_arguments(models, streams, configs, check_every)
        self.replicas = len(models)
        self.configs = list(configs)
        _move_banks(streams, configs[0].resolved_device())
        self.batched = batched
        if batched is None:
            self.batched = batching_pays(models[0], len(models), configs[0].resolved_device())
        if self.batched:
            try:
                self._run: BatchedReplicas | SoloReplicas = BatchedReplicas(models, streams, configs, check_every)
            except NotBatchable:
                if batched:
                    raise
                self.batched = False
        if not self.batched:
            self._run = SoloReplicas(models, streams, configs, check_every)

    @property
    def step(self) -> int:
        return self._run.step

    @property
    def total_steps(self) -> int:
        return self._run.total_steps

    @property
    def diverged(self) -> list[int | None]:
        return list(self._run.diverged)

    @property
    def active(self) -> list[int]:
        return list(self._run.members)

    def train_until(self, step: int, on_step: Callable[[ReplicaTrainer], None] | None = None) -> None:
        """Updates all active replicas until `self.step == step`.

        Args:
            step: the number of updates to have been done. Without active replicas nothing is left to do, and the steps
                pass at once.
            on_step: called with the trainer after every update; may evaluate, save, stop replicas, or raise.

        Raises:
            TrainingOutOfMemory: the device's memory does not hold a step.
        """
        self._run.train_until(step, None if on_step is None else lambda: on_step(self))

    def check(self) -> None:
        """Waits for the device; a replica that is not finite goes back to its last good state and stops."""
        self._run.check()

    def take_running(self) -> list[Running]:
        """For each replica the running loss and accuracy since the last call (waits for the device)."""
        return self._run.take_running()

    def model(self, replica: int) -> nn.Module:
        """A network of its own with the replica's present weights and buffers; of a diverged one the last good ones."""
        return self._run.model(self._index(replica))

    def stop(self, replica: int) -> None:
        """Ends the training of a replica at its present weights; the others go on as if it were still there."""
        self._run.stop(self._index(replica))

    def forward(self, x: Tensor) -> Tensor:
        """Class scores in eval mode, of every active replica on images of its own.

        Args:
            x: float [A, B, C, H, W] in [0, 1], A the number of active replicas, in the order of `active`.

        Returns:
            float [A, B, K].
        """
        if x.dim() != 5 or len(x) != len(self.active):
            raise ValueError(f"x must be [{len(self.active)}, B, C, H, W]; got {list(x.shape)}")
        return self._run.forward(x)

    def state_dict(self) -> dict[str, Tensor]:
        """Everything the next step depends on, by flat names; copies. Checks first, as `check` does."""
        self._run.check()
        return self._run.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Goes back to a state of `state_dict`; the next steps give the bits of an uninterrupted run.

        Raises:
            ValueError: the state is of another number of replicas, or of the other way of training.
        """
        if len(state["diverged"]) != self.replicas:
            raise ValueError(f"the state must be of {self.replicas} replicas; got one of {len(state['diverged'])}")
        if any(name.startswith("solo/") for name in state) == self.batched:
            raise ValueError(f"the state must be of batched={self.batched}; got one of batched={not self.batched}")
        self._run.load_state_dict(state)

    def _index(self, replica: int) -> int:
        if not 0 <= replica < self.replicas:
            raise ValueError(f"replica must be in [0, {self.replicas}); got {replica}")
        return replica


def batching_pays(model: nn.Module, replicas: int, device: torch.device) -> bool:
    """Whether `replicas` networks like this one train faster as one than one after another.

    The rule looks at sizes alone, never at a clock, so that a run takes the same way wherever it is repeated: two or
    more replicas, no linear layer with more than 2^18 weights (2^20 on CUDA), no convolution with more than 64 output
    channels (32 on CUDA).

    Args:
        model: one of the networks.
        replicas: R.
        device: where they train.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear) and module.weight.numel() > _LINEAR_WEIGHTS[device.type]:
            return False
        if isinstance(module, nn.Conv2d) and module.out_channels > _CONV_CHANNELS[device.type]:
            return False
    return replicas > 1


def _move_banks(streams: Sequence[TrainingStream], device: torch.device) -> None:
    """Moves every bank once: streams that share one on the CPU share it on the device."""
    moved: dict[int, Tensor] = {}
    for stream in streams:
        bank = stream.images
        if id(bank) not in moved:
            moved[id(bank)] = bank.to(device)
        stream.images = moved[id(bank)]
        stream.to(device)


def _check_arguments(models: Sequence, streams: Sequence, configs: Sequence[TrainConfig], check_every: int) -> None:
    counts = (len(models), len(streams), len(configs))
    if len(set(counts)) != 1 or counts[0] == 0:
        raise ValueError(f"models, streams and configs must be equally many, at least one; got {counts}")
    for index, config in enumerate(configs):
        if replace(config, lr=configs[0].lr) != configs[0]:
            raise ValueError(f"configs must differ in lr alone; configs[{index}] is {config}")
    lengths = sorted({(s.batch_size, s.steps_per_epoch, s.num_classes) for s in streams})
    if len(lengths) != 1:
        raise ValueError(f"streams must be alike in (batch_size, steps_per_epoch, num_classes); got {lengths}")
    if check_every < 1:
        raise ValueError(f"check_every must be at least 1; got {check_every}")
