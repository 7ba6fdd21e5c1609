"""The weights of an examined run along its training."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from rote.experiments.base.launch import Launch
from rote.experiments.base.stopping import StopRequest
from rote.experiments.base.training_cell import train_cell
from rote.experiments.benign.stream import training_stream
from rote.experiments.examining.examined import ExaminedRun
from rote.experiments.inputs.labels import GivenLabels
from rote.runs import RunFolder
from rote.runs.load import FINAL
from rote.train import Trainer, load_weights, save_weights

if TYPE_CHECKING:
    from rote.experiments.location.experiment import LocationConfig


class Checkpoints:
    """Networks of one run by epoch.

    The `benign` run keeps them where `location` asks for it. A run that was there before, for another purpose, has kept
    none; its training is then repeated up to the last epoch wanted, step by step the same.

    Args:
        config: the resolved options.
        start: of the examination, with the network at its initialization.
        examined: the run.
        folder: the open run folder of the examination.
    """

    def __init__(self, config: LocationConfig, start: Launch[Any], examined: ExaminedRun, folder: RunFolder) -> None:
        self.config = config
        self.start = start
        self.examined = examined
        self.folder = folder
        self._states: dict[int, dict[str, Tensor]] = {}

    def ensure(self, epochs: Sequence[int], stop: StopRequest) -> None:
        """Repeats the training where weights of these epochs were not kept.

        Raises:
            Stopped: Ctrl-C; the state is saved.
        """
        missing = [epoch for epoch in epochs if not self._file(epoch).exists()]
        if missing:
            train_cell(
                self.folder,
                "checkpoints",
                self._trainer,
                self._keep,
                missing,
                stop,
                description="location, the first epochs again",
            )

    def state(self, epoch: int) -> dict[str, Tensor]:
        """Weights and statistics after so many epochs; the run's last one is its end."""
        if epoch not in self._states:
            network = copy.deepcopy(self.start.network)
            load_weights(self._file(epoch), network)
            self._states[epoch] = network.state_dict()
        return self._states[epoch]

    def network(self, state: dict[str, Tensor] | int) -> nn.Module:
        """A network of its own with the given weights, or those of an epoch, in eval mode on the run's device."""
        network = copy.deepcopy(self.start.network)
        network.load_state_dict(self.state(state) if isinstance(state, int) else state)
        return network.to(self.examined.device).eval()

    @property
    def final(self) -> int:
        """The last epoch."""
        return self.config.epochs

    def step(self, epoch: int) -> int:
        """Updates done after an epoch."""
        return epoch * (int(self.examined.run.summary["steps"]) // self.config.epochs)

    def _file(self, epoch: int) -> Path:
        name = FINAL if epoch == self.final else f"epoch={epoch:04d}.safetensors"
        kept = self.examined.run.dir / "checkpoints" / name
        return kept if kept.exists() else self.folder.checkpoints / name

    def _trainer(self) -> Trainer:
        config, inputs = self.config, self.start.inputs
        labels = GivenLabels(
            config.labels,
            inputs.image_ids,
            inputs.label_true,
            self.start.num_classes,
            config.seeds().label,
            config.noise,
        )
        return Trainer(copy.deepcopy(self.start.network), training_stream(config, inputs, labels), config.training())

    def _keep(self, trainer: Trainer, epoch: int) -> dict[str, Any]:
        save_weights(self.folder.checkpoints / f"epoch={epoch:04d}.safetensors", trainer.model, epoch=epoch)
        return {}
