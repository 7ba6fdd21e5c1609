"""A stand-in for Lightning's Callback, LightningModule and Trainer: the hooks and their order as in Lightning 2.

With it the callback's own work is tested where Lightning is not installed; where it is, the same tests use both.
"""

from __future__ import annotations

import contextlib
import types
from typing import Any

import torch


class Callback:
    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Called when fit begins."""

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Called when the batches of an epoch are done."""


class LightningModule(torch.nn.Module):
    trainer: Any = None

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        return type(batch)(part.to(device) for part in batch)

    def log(self, name: str, value: float, *, batch_size: int, sync_dist: bool, reduce_fx: str) -> None:
        self.trainer.callback_metrics[name] = torch.tensor(value)


class Trainer:
    def __init__(self, *, max_epochs: int, callbacks: list[Callback], precision: str = "32-true", **_: Any) -> None:
        self.max_epochs = max_epochs
        self.callbacks = callbacks
        self.callback_metrics: dict[str, torch.Tensor] = {}
        self.current_epoch = 0
        self.forward_context = (
            (lambda: torch.autocast("cpu", torch.bfloat16)) if precision == "bf16-mixed" else contextlib.nullcontext
        )
        self.precision_plugin = types.SimpleNamespace(val_step_context=self.forward_context)

    def fit(self, module: LightningModule, loader: Any) -> None:
        module.trainer = self
        optimizer = module.configure_optimizers()
        for callback in self.callbacks:
            callback.on_fit_start(self, module)
        module.train()
        for epoch in range(self.max_epochs):
            self.current_epoch = epoch
            for number, batch in enumerate(loader):
                with self.forward_context():
                    loss = module.training_step(batch, number)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            for callback in self.callbacks:
                callback.on_train_epoch_end(self, module)
