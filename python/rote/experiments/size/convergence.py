"""`size --study convergence`: epochs until everything is fitted, against width and against the number of images.

(arXiv 1706.05394, figure 6.) A network is done in the first epoch after which its clean accuracy on its own images and
labels is 100 %. One that is not done at the cap is censored: it counts with the cap, and the row says so.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rote.experiments.base.fleet import Fleet
from rote.experiments.base.fleet_cell import require_finite, train_fleet
from rote.experiments.base.stopping import stop_requests
from rote.experiments.inputs.loading import Inputs
from rote.experiments.size.noise import CLEAN, Noise
from rote.experiments.size.studied import Group, Studied, groups
from rote.runs import RunFolder
from rote.statistics import spearman

if TYPE_CHECKING:
    from rote.experiments.size.experiment import SizeConfig

WIDTH, IMAGES = "width", "images"
# Fewer points have no order worth the name.
FEWEST_POINTS = 3


class ConvergenceStudy:
    """All widths and numbers of images from wherever they stand to the summary.

    Args:
        config: the resolved options.
        inputs: data and recipe.
        folder: the open run folder.
        num_classes: classes of the labels.
    """

    def __init__(self, config: SizeConfig, inputs: Inputs, folder: RunFolder, num_classes: int) -> None:
        self.config = config
        self.folder = folder
        self.inputs = inputs
        self.num_classes = num_classes
        self.studied = Studied(config, inputs, num_classes)
        self.noises = [Noise(CLEAN, 0.0), *(Noise(kind, level) for kind in config.kinds for level in config.levels)]
        most = len(inputs.image_ids)
        by_width = [(width, most) for width in config.widths]
        by_images = [(config.width_of_counts, count) for count in config.counts_up_to(most)]
        self.sweeps = {WIDTH: by_width, IMAGES: by_images}

    def to_the_end(self) -> None:
        """Trains what is missing, then writes table and summary.

        Raises:
            Stopped: Ctrl-C; the state is saved.
            TrainingDiverged: the loss of a network is not finite.
        """
        self.folder.remove_summary()
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        points = list(dict.fromkeys(point for sweep in self.sweeps.values() for point in sweep))
        wanted = [
            group
            for width, images in points
            for group in groups(width, images, self.noises, self.config.networks, self.config.together)
        ]
        epochs: dict[tuple[int, int], dict[Noise, list[int | None]]] = {}
        seconds = 0.0
        with stop_requests() as stop:
            for number, group in enumerate(wanted):
                found = train_fleet(
                    self.folder,
                    group.name,
                    lambda state, group=group: self.studied.fleet(group, self.config.epochs, state),
                    lambda fleet, epoch, group=group: self._look(fleet, group),
                    range(1, self.config.epochs + 1),
                    stop,
                    description=f"size {number + 1}/{len(wanted)}, width {group.width}, {group.images} images",
                    done=number,
                    cells=len(wanted),
                )
                seconds += found["seconds"]
                own = epochs.setdefault((group.width, group.images), {})
                reached = {index: look["epoch"] for look in found["looks"] for index in look["fitted"]}
                for index, member in enumerate(group.members):
                    own.setdefault(member.noise, []).append(reached.get(index))
        self._write_results(epochs, seconds)

    def _look(self, fleet: Fleet, group: Group) -> dict[str, Any]:
        """Stops the networks that have fitted everything, and names them."""
        require_finite(fleet)
        accuracies = self.studied.accuracies(fleet, group)
        fitted = [index for index, accuracy in accuracies.items() if accuracy == 1.0]
        for index in fitted:
            fleet.stop(index)
        return {"fitted": fitted}

    def _write_results(self, epochs: dict[tuple[int, int], dict[Noise, list[int | None]]], seconds: float) -> None:
        cap = self.config.epochs
        rows = []
        for sweep, points in self.sweeps.items():
            for width, images in points:
                own = epochs[width, images]
                clean = own[self.noises[0]]
                for noise in self.noises:
                    found = own[noise]
                    rows.append(
                        {
                            "sweep": sweep,
                            "width": width,
                            "parameters": self.studied.parameters(width),
                            "images": images,
                            "kind": noise.kind,
                            "level": noise.level,
                            "networks": len(found),
                            "epochs": mean_epochs(found, cap),
                            "censored": sum(epoch is None for epoch in found),
                            # Where real data take longer than the cap, nothing is known of the ratio.
                            "ratio": None if None in clean else mean_epochs(found, cap) / mean_epochs(clean, cap),
                        }
                    )
        self.folder.write_table("convergence.csv", rows)
        self.folder.write_summary(
            {
                "study": self.config.study,
                "rows": rows,
                "orders": orders(rows),
                "data": self.inputs.bank.name,
                "images": len(self.inputs.image_ids),
                "label_classes": self.num_classes,
                "augment": self.config.augment,
                "networks": self.config.networks,
                "epochs": cap,
                "steps": cap * max(1, len(self.inputs.image_ids) // self.config.batch_size),
                "parameters": rows[-1]["parameters"],
                "cap": cap,
                "seed": self.config.seed,
                "seconds": round(seconds, 2),
            }
        )


def mean_epochs(found: Sequence[int | None], cap: int) -> float:
    """The mean, networks that are not done counted with the cap: a lower bound where there are any."""
    return sum(cap if epoch is None else epoch for epoch in found) / len(found)


def orders(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each kind and level of noise: Spearman's correlation of the ratio to real data with width and with images.

    A ratio under noise that is censored is a lower bound. It counts as it stands: censoring befalls the narrowest
    networks and the largest sets first, so that it hides the order that is looked for and never makes it.

    Returns:
        Dicts of `sweep`, `kind`, `level`, `spearman` (None of fewer than three points), `points` and `bounds`, the
        number of them that are lower bounds.
    """
    found = []
    for sweep in (WIDTH, IMAGES):
        noisy = [row for row in rows if row["sweep"] == sweep and row["kind"] != CLEAN]
        for kind, level in dict.fromkeys((row["kind"], row["level"]) for row in noisy):
            own = [r for r in noisy if (r["kind"], r["level"]) == (kind, level) and r["ratio"] is not None]
            enough = len(own) >= FEWEST_POINTS
            found.append(
                {
                    "sweep": sweep,
                    "kind": kind,
                    "level": level,
                    "spearman": spearman([r[sweep] for r in own], [r["ratio"] for r in own]) if enough else None,
                    "points": len(own),
                    "bounds": sum(r["censored"] > 0 for r in own),
                }
            )
    return found
