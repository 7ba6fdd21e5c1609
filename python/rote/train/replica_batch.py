"""rote/train/replica_batch.py: R networks trained as one; the number of operators of a step does not depend on R."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from rote.models.replicas import NotBatchable, Replicas, check_outputs
from rote.train.config import TrainConfig
from rote.train.determinism import deterministic
from rote.train.memory import memory_errors
from rote.train.replica_losses import replica_loss
from rote.train.replica_optimizer import ELEMENTWISE, ReplicaOptimizer
from rote.train.replica_running import ReplicaSums
from rote.train.replica_stream import ReplicaStream
from rote.train.running import Running
from rote.train.stream import TrainingStream


class BatchedReplicas:
    """The batched way of `ReplicaTrainer`, whose docstring has the words.

    Raises:
        NotBatchable: the networks or the optimizer cannot run as one.
    """

    def __init__(
        self,
        models: Sequence[nn.Module],
        streams: Sequence[TrainingStream],
        configs: Sequence[TrainConfig],
        check_every: int,
    ) -> None:
        config = configs[0]
        if config.optimizer not in ELEMENTWISE:
            raise NotBatchable(f"optimizer must be one of {ELEMENTWISE} for a batch; got {config.optimizer!r}")
        if config.execution not in ("auto", "eager"):
            raise NotBatchable(f"execution must be 'auto' or 'eager' for a batch; got {config.execution!r}")
        self.device, self.precision = config.resolved_device(), config.resolved_precision()
        self.configs = list(configs)
        self.streams = [stream.to(self.device) for stream in streams]
        self.total_steps = config.epochs * streams[0].steps_per_epoch
        self.step = 0
        self.members = list(range(len(models)))
        self.diverged: list[int | None] = [None] * len(models)
        self._check_every = check_every
        # Grouped convolutions too run two to three times as fast so.
        self._channels_last = any(isinstance(module, nn.Conv2d) for module in models[0].modules())
        self._stopped: dict[int, dict[str, Tensor]] = {}
        self._template = copy.deepcopy(models[0]).to(self.device, self._weight_dtype())
        for stream in self.streams:
            stream.dtype = self.precision
        check_outputs(models, self.streams[0].batch(0)[0][:2].float())
        self._sums = ReplicaSums(len(models), self.device)
        with memory_errors(models[0], self._images_per_step(), self.device, 0):
            self._build(models)
        self._good = self._rows_of_members()

    def train_until(self, step: int, on_step: Callable[[], None] | None) -> None:
        while self.step < step and self.members:
            with (
                memory_errors(self.network, self._images_per_step(), self.device, self.step),
                deterministic(self.device),
            ):
                self._update()
            if self.step % self._check_every == 0 or self.step == step or self._sums.bad_step_seen:
                self.check()
            if on_step is not None:
                on_step()
        self.step = max(self.step, step)

    def check(self) -> None:
        """Waits for the device; replicas that are not finite go back to their last good state and leave the batch."""
        if not self.members:
            return
        finite = torch.stack([self.network.rows(p.detach()).isfinite().flatten(1).all(1) for p in self._parameters])
        bad = []
        for index, (r, step, ok) in enumerate(
            zip(self.members, self._sums.bad_steps(), finite.all(0).tolist(), strict=True)
        ):
            if step is None and ok:
                continue
            # An update can break the weights after a finite loss.
            self.diverged[r] = self.step if step is None else step
            self._stopped[r] = self._state_from(self._good, index)
            bad.append(r)
        if bad:
            self._drop(bad)
        self._good = self._rows_of_members()

    def take_running(self) -> list[Running]:
        return self._sums.take()

    def state_of(self, replica: int) -> dict[str, Tensor]:
        """The state_dict of a replica's network."""
        if replica in self._stopped:
            return self._stopped[replica]
        return self.network.state_of(self.members.index(replica))

    def model(self, replica: int) -> nn.Module:
        model = copy.deepcopy(self._template)
        model.load_state_dict(self.state_of(replica))
        return model

    def stop(self, replica: int) -> None:
        if replica in self._stopped:
            return
        self._stopped[replica] = self.state_of(replica)
        self._drop([replica])
        self._good = self._rows_of_members()

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        members, batch = x.shape[:2]
        x = x.to(self.device, self.precision).transpose(0, 1).reshape(batch, -1, *x.shape[3:])
        self.network.eval()
        with self._autocast():
            return self.network(x).reshape(batch, members, -1).transpose(0, 1)

    def state_dict(self) -> dict[str, Tensor]:
        state = {f"member/{name}": value for name, value in self._rows_of_members().items()}
        for r, weights in self._stopped.items():
            state |= {f"stopped/{r}/{name}": value for name, value in weights.items()}
        diverged = [-1 if step is None else step for step in self.diverged]
        state |= {
            "step": torch.tensor(self.step),
            "members": torch.tensor(self.members, dtype=torch.int64),
            "diverged": torch.tensor(diverged),
            "sums": self._sums.rows(),
            "rng": torch.get_rng_state(),
        }
        if self.device.type == "cuda":
            state["rng_cuda"] = torch.cuda.get_rng_state(self.device)
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.members = state["members"].tolist()
        self.step = int(state["step"])
        self.diverged = [None if step < 0 else step for step in state["diverged"].tolist()]
        self._sums.load(state["sums"])
        self._stopped = {}
        for name, value in state.items():
            if name.startswith("stopped/"):
                _, r, field = name.split("/", 2)
                self._stopped.setdefault(int(r), {})[field] = value.clone()
        torch.set_rng_state(state["rng"].cpu())
        if self.device.type == "cuda" and "rng_cuda" in state:
            torch.cuda.set_rng_state(state["rng_cuda"].cpu(), self.device)
        self._rebuild({n.removeprefix("member/"): v for n, v in state.items() if n.startswith("member/")})
        self._good = self._rows_of_members()

    def _update(self) -> None:
        if not self.network.training:
            self.network.train()
        x, labels, own = self._stream.batch(self.step)
        with self._autocast():
            scores = self.network(x)
        # [B, R K] lies as [R K, B] in memory wherever a linear layer comes last.
        scores = scores.t().reshape(len(self.members), -1, len(x))
        found = replica_loss(scores, labels, own, self.configs[0])
        scores.backward(found.gradient.to(scores.dtype))
        self._optimizer.step(self.step, self.total_steps)
        self._sums.add(found.losses, found.correct, len(x), self.step)
        self.step += 1

    def _build(self, models: Sequence[nn.Module]) -> None:
        """Network, optimizer and stream of the members, whose networks are given."""
        dtype = self._weight_dtype()
        self.network = Replicas([copy.deepcopy(model).to(self.device, dtype) for model in models])
        self._parameters = list(self.network.parameters())
        self._optimizer = ReplicaOptimizer(self._parameters, [self.configs[r] for r in self.members])
        self._stream = ReplicaStream([self.streams[r] for r in self.members], self.precision, self._channels_last)
        self._sums.restart(list(self.members))

    def _drop(self, replicas: list[int]) -> None:
        kept = [i for i, r in enumerate(self.members) if r not in replicas]
        rows = {n: v[kept].clone() if v.dim() else v for n, v in self._rows_of_members().items()}
        self.members = [self.members[i] for i in kept]
        self._rebuild(rows)

    def _rebuild(self, rows: dict[str, Tensor]) -> None:
        if not self.members:
            return
        models = []
        for i in range(len(self.members)):
            models.append(copy.deepcopy(self._template))
            models[-1].load_state_dict(self._state_from(rows, i))
        self._build(models)
        for name, value in self._optimizer.state.items():
            (self.network.rows(value) if value.dim() else value).copy_(rows[f"optimizer/{name}"])

    def _state_from(self, rows: dict[str, Tensor], index: int) -> dict[str, Tensor]:
        """The state_dict of the network in one row of a snapshot."""
        return {
            name: rows[f"network/{name}"][index].reshape(value.shape).clone()
            for name, value in self._template.state_dict().items()
        }

    @torch.no_grad()
    def _rows_of_members(self) -> dict[str, Tensor]:
        """Everything that the next step of the members depends on besides its number, [members, ...] each; copies."""
        if not self.members:
            return {}
        named = {f"network/{name}": value for name, value in self.network.network.state_dict().items()}
        named |= {f"optimizer/{name}": value for name, value in self._optimizer.state.items()}
        return {n: self.network.rows(v.detach()).clone() if v.dim() else v.clone() for n, v in named.items()}

    def _weight_dtype(self) -> torch.dtype:
        return torch.float64 if self.precision == torch.float64 else torch.float32

    def _images_per_step(self) -> int:
        return len(self.members) * self.streams[0].batch_size

    def _autocast(self) -> AbstractContextManager:
        if self.precision != torch.bfloat16:
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)
