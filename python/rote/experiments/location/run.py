"""The course of one `location` run: part by part, piece by piece, then tables and summary."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rote.experiments.base.launch import Launch
from rote.experiments.base.stopping import stop_requests
from rote.experiments.examining.examined import ExaminedRun
from rote.experiments.location import geometry, gradients, latent, neurons, retraining, rewinding, tied_training
from rote.experiments.location.answers import Examples, predictions
from rote.experiments.location.blocks import blocks_of
from rote.experiments.location.cells import Cells
from rote.experiments.location.checkpoints import Checkpoints
from rote.experiments.location.summary import summary_of
from rote.experiments.probing.probes import probe_statistics
from rote.metrics.features import PIXELS
from rote.runs import RunFolder
from rote.train.losses import make_loss

if TYPE_CHECKING:
    from rote.experiments.location.experiment import LocationConfig

Rows = list[dict[str, Any]]


class LocationRun:
    """The examination from wherever it stands to its summary. What is measured is a file in cells/.

    Args:
        start: options, data and the network at its initialization.
        examined: the run.
        folder: the open run folder.
    """

    def __init__(self, start: Launch[LocationConfig], examined: ExaminedRun, folder: RunFolder) -> None:
        self.start = start
        self.config = start.config
        self.inputs = start.inputs
        self.examined = examined
        self.folder = folder
        self.examples = Examples.of(
            start.inputs.bank,
            examined.image_ids,
            examined.label_used,
            examined.label_true,
            min(start.config.test_images, len(start.inputs.bank.test)),
        )
        self.checkpoints = Checkpoints(start.config, start, examined, folder)
        self.blocks = blocks_of(start.network)
        self.taps = [tap for tap in examined.taps() if tap.name != PIXELS]
        self.loss = make_loss(start.config.training())

    def to_the_end(self) -> None:
        """Measures what is missing, then writes tables and summary.

        Raises:
            Stopped: Ctrl-C; what is measured is saved.
        """
        self.folder.remove_summary()
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        parts: dict[str, Callable[[Cells], Rows]] = {
            "rewinding": self._rewinding,
            "retraining": self._retraining,
            "gradients": self._gradients,
            "tied": self._tied,
            "neurons": self._neurons,
            "geometry": self._geometry,
            "latent": self._latent,
        }
        tables: dict[str, Rows] = {}
        with stop_requests() as stop:
            self.checkpoints.ensure(self.config.earlier(), stop)
            cells = Cells(self.folder, stop, self._pieces())
            for name, measure in parts.items():
                if name in self.config.parts:
                    tables[name] = measure(cells)
        self._write(tables, cells.seconds)

    def _pieces(self) -> int:
        earlier = len(self.config.earlier())
        counts = {
            "rewinding": earlier + 1,
            "retraining": len({block.name for block in self.blocks}),
            "gradients": earlier + 1,
            "tied": 1,
            "neurons": 1 + 2 * self.config.neuron_examples,
            "geometry": len(self._ends()),
            "latent": earlier + 1,
        }
        return sum(counts[part] for part in self.config.parts)

    def _epochs(self) -> list[int]:
        return [*self.config.earlier(), self.checkpoints.final]

    def _ends(self) -> list[int]:
        """Initialization, the early epoch, the end."""
        return sorted({0, self.config.early, self.checkpoints.final})

    # Parts ------------------------------------------------------------------------------------------------------------

    def _rewinding(self, cells: Cells) -> Rows:
        rows = cells.rows("rewinding-nothing", lambda: rewinding.final_rows(self.checkpoints, self.examples))
        for epoch in self.config.earlier():
            rows += cells.rows(
                f"rewinding-{epoch:04d}",
                lambda epoch=epoch: rewinding.rewound_rows(self.checkpoints, self.examples, self.blocks, epoch),
            )
        return rows

    def _retraining(self, cells: Cells) -> Rows:
        rows: Rows = []
        for block in self.blocks:
            cells.check()
            place = (cells.done, cells.total)
            found, seconds = retraining.retrained_rows(
                self.config, self.inputs, self.checkpoints, self.examples, block, self.folder, cells.stop, place
            )
            # A stage is both a block and a layer, and is trained once.
            if not any(row["name"] == block.name for row in rows):
                cells.ends(seconds)
            rows += found
        return rows

    def _gradients(self, cells: Cells) -> Rows:
        rows: Rows = []
        for epoch in self._epochs():
            rows += cells.rows(
                f"gradients-{epoch:04d}",
                lambda epoch=epoch: gradients.gradient_rows(
                    self.checkpoints, self.examples, self.blocks, self.loss, epoch, self.config.bn
                ),
            )
        return rows

    def _tied(self, cells: Cells) -> Rows:
        cells.check()
        place = (cells.done, cells.total)
        rows, seconds = tied_training.tied_rows(self.config, self.start, self.examples, self.folder, cells.stop, place)
        cells.ends(seconds)
        return rows

    def _neurons(self, cells: Cells) -> Rows:
        config, images = self.config, self.inputs.bank.train.images
        search = neurons.Search(
            config.neuron_most,
            config.neuron_batch_size,
            config.neuron_noise,
            config.neuron_draws,
            config.seeds().order,
        )
        network = self.checkpoints.network(self.checkpoints.final)
        rows: Rows = []
        with probe_statistics(network, images, config.bn):
            chosen = cells.rows("neurons", lambda: self._targets(network))
            for target in chosen:
                row = target["row"]
                rows += cells.rows(
                    f"neurons-{target['id']:05d}",
                    lambda row=row: neurons.neuron_rows(network, self.loss, self.examples, row, search, config.bn),
                )
        return rows

    def _targets(self, network: Any) -> Rows:
        answers = predictions(network, self.inputs.bank.train.images, self.examples.ids)
        fitted = answers == self.examples.label_used
        rows = neurons.targets(self.examples, fitted, self.config.neuron_examples, self.config.seeds().order)
        return [{"row": row, "id": int(self.examples.ids[row])} for row in rows]

    def _geometry(self, cells: Cells) -> Rows:
        config = self.config
        rows: Rows = []
        for epoch in self._ends():
            rows += cells.rows(
                f"geometry-{epoch:04d}",
                lambda epoch=epoch: geometry.geometry_rows(
                    self.checkpoints,
                    self.examples,
                    self.taps,
                    epoch,
                    points=config.geometry_points,
                    draws=config.geometry_draws,
                    seed=config.seeds().data,
                    pooling=config.pooling,
                    bn=config.bn,
                ),
            )
        return rows

    def _latent(self, cells: Cells) -> Rows:
        config = self.config
        rows: Rows = []
        for epoch in self._epochs():
            rows += cells.rows(
                f"latent-{epoch:04d}",
                lambda epoch=epoch: latent.latent_rows(
                    self.checkpoints,
                    self.examples,
                    self.taps,
                    epoch,
                    methods=latent.METHODS,
                    k=config.k,
                    c=config.linear_c,
                    pooling=config.pooling,
                    bn=config.bn,
                ),
            )
        return rows

    # Results ----------------------------------------------------------------------------------------------------------

    def _write(self, tables: dict[str, Rows], seconds: float) -> None:
        columns = {
            "rewinding": rewinding.COLUMNS,
            "retraining": retraining.COLUMNS,
            "gradients": gradients.COLUMNS,
            "tied": tied_training.COLUMNS,
            "neurons": neurons.COLUMNS,
            "zeroed": neurons.ZEROED_COLUMNS,
            "geometry": geometry.COLUMNS,
            "latent": latent.COLUMNS,
        }
        written = dict(tables)
        if "neurons" in tables:
            written["zeroed"] = neurons.zeroed_rows(tables["neurons"])
        for name, rows in written.items():
            if rows:
                shown = [{column: row.get(column) for column in columns[name]} for row in rows]
                self.folder.write_table(f"location_{name}.csv", shown)
        self.folder.write_summary(
            {
                **summary_of(written, self.config),
                **self.examined.facts(),
                **{f"images_{kind}": count for kind, count in self.examples.counts().items()},
                "seconds": round(seconds, 2),
            }
        )
