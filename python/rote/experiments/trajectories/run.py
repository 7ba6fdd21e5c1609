"""The course of one `trajectories` run: all networks together, looked at after every epoch."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from rote.experiments.base.fleet import Fleet
from rote.experiments.base.fleet_cell import require_finite, train_fleet
from rote.experiments.base.network_seeds import network_seed
from rote.experiments.base.stopping import stop_requests
from rote.experiments.inputs.loading import Inputs, architecture, build_model
from rote.experiments.inputs.validation import Division
from rote.experiments.trajectories.observing import Level, Observer
from rote.experiments.trajectories.tables import example_columns, heat_map, level_row
from rote.runs import RunFolder
from rote.runs.folder import measurement
from rote.train import LabelSource, Seeds, TrainingStream

if TYPE_CHECKING:
    from rote.experiments.trajectories import TrajectoriesConfig

CELL = "networks"
HEAT_MAP = "trajectories_heatmap.parquet"


class TrajectoriesRun:
    """All networks from wherever they stand to the summary.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        parts: images trained on and held out.
        folder: the open run folder.
        num_classes: classes of the labels.
    """

    def __init__(
        self, config: TrajectoriesConfig, inputs: Inputs, parts: Division, folder: RunFolder, num_classes: int
    ) -> None:
        self.config = config
        self.inputs = inputs
        self.parts = parts
        self.folder = folder
        self.num_classes = num_classes
        seed = config.seeds().label
        self.levels = [Level.of(inputs.bank, parts, p, num_classes, seed) for p in config.noise]
        # Member m of the fleet is network m % networks of level m // networks.
        self.members = [(level, network) for level in self.levels for network in range(config.networks)]
        self.observer = Observer(inputs.bank, parts, folder.path, config.bn, config.epochs)

    def to_the_end(self) -> None:
        """Trains and looks, then writes tables and summary.

        Raises:
            Stopped: Ctrl-C; the state is saved.
            TrainingDiverged: the loss of a network is not finite.
        """
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        with stop_requests() as stop:
            found = train_fleet(
                self.folder,
                CELL,
                self._fleet,
                self._look,
                range(self.config.epochs + 1),
                stop,
                description=f"trajectories, {len(self.members)} networks",
            )
        self._write_results(found["looks"], found["seconds"])

    def _fleet(self, state: Path) -> Fleet:
        fleet = Fleet(
            [self._network(network) for _, network in self.members],
            [self._stream(level, network) for level, network in self.members],
            [self.config.training()] * len(self.members),
            state,
        )
        self.observer.restore(fleet.tensors)
        return fleet

    def _network(self, network: int) -> nn.Module:
        config = dataclasses.replace(self.config, init_seed=network_seed(self.config.seeds().init, network))
        return build_model(architecture(config, self.inputs.bank, self.num_classes), None, None, self.inputs.bank)

    def _stream(self, level: Level, network: int) -> TrainingStream:
        ids, own = self.parts.train, self.config.seeds()
        labels = LabelSource.fixed(level.label_used, num_classes=self.num_classes, image_ids=ids)
        seeds = Seeds(own.data, own.label, own.init, network_seed(own.order, network), own.view)
        images = self.inputs.bank.train.images
        return TrainingStream(images, ids, labels, self.inputs.recipe, self.config.batch_size, seeds)

    def _look(self, fleet: Fleet, epoch: int) -> dict[str, Any]:
        require_finite(fleet)
        running = fleet.take_running()
        rows = []
        for member, (level, network) in enumerate(self.members):
            seen = running[member].accuracy if running[member].samples else None
            found = self.observer.look(fleet.model(member), level, network, epoch)
            rows.append({"noise": level.noise, "network": network, "running_accuracy": seen, **found})
        fleet.tensors = self.observer.state()
        return {"networks": rows}

    def _write_results(self, looks: list[dict[str, Any]], seconds: float) -> None:
        rows = [{**row, "epoch": look["epoch"], "step": look["step"]} for look in looks for row in look["networks"]]
        levels = [level_row([r for r in rows if r["noise"] == level.noise], level) for level in self.levels]
        self.folder.write_table("trajectories.csv", rows)
        self.folder.write_table("trajectories_levels.csv", levels)
        networks = self.config.networks
        losses = {level.noise: self.observer.losses(level, networks) for level in self.levels}
        scores = {level.noise: self.observer.scores(level, networks) for level in self.levels}
        self.folder.write_columns(HEAT_MAP, heat_map(losses, self.levels))
        self.folder.write_examples(example_columns(scores, self.levels, self.parts, self.inputs.bank))
        self._write_metrics(rows)
        stream = self._stream(*self.members[0])
        self.folder.write_summary(
            {
                "rows": levels,
                "data": self.inputs.bank.name,
                "images": len(self.parts.train),
                "validation": len(self.parts.validation),
                "networks": self.config.networks,
                "label_classes": self.num_classes,
                "augment": self.config.augment,
                "epochs": self.config.epochs,
                "steps": self.config.epochs * stream.steps_per_epoch,
                "seed": self.config.seed,
                "parameters": sum(p.numel() for p in self._network(0).parameters()),
                "seconds": round(seconds, 2),
            }
        )

    def _write_metrics(self, rows: list[dict[str, Any]]) -> None:
        names = {
            "train_accuracy": ("train", "accuracy_clean"),
            "validation_accuracy": ("validation", "accuracy_noisy"),
            "test_accuracy": ("test", "accuracy"),
        }
        self.folder.metrics.keep(lambda line: False)
        self.folder.metrics.append(
            measurement(
                row["step"], row["epoch"], split, metric, None, row[name], noise=row["noise"], network=row["network"]
            )
            for row in rows
            for name, (split, metric) in names.items()
        )
