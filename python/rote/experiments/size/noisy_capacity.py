"""`size --study noise`: accuracy on held-out images against width, with noise among those trained on.

(arXiv 1706.05394, figure 5 and what it says of CIFAR-10.) A curve for real data, for each level of noisy inputs and of
noisy labels, and for the same images with the noisy ones left out; all with equally many steps. What is asked is how
wide the best network is.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from rote.experiments.base.fleet import Fleet
from rote.experiments.base.fleet_cell import require_finite, train_fleet
from rote.experiments.base.stopping import stop_requests
from rote.experiments.inputs.loading import Inputs
from rote.experiments.probing.probes import probe_statistics
from rote.experiments.size.noise import CLEAN, REMOVED, Noise
from rote.experiments.size.studied import Group, Studied, groups
from rote.metrics import clean_accuracy
from rote.runs import RunFolder

if TYPE_CHECKING:
    from rote.experiments.size.experiment import SizeConfig


class NoiseStudy:
    """All widths and conditions from wherever they stand to the summary.

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
        count = len(inputs.image_ids)
        self.validation_ids = inputs.order[count : count + config.validation_images]
        kept = [Noise(CLEAN, 0.0), *(Noise(kind, level) for kind in config.kinds for level in config.levels)]
        # Those of equally many images can be trained together.
        self.parts = [("", kept), *((f"_removed={level:g}", [Noise(REMOVED, level)]) for level in config.levels)]
        self.noises = [noise for _, noises in self.parts for noise in noises]

    def to_the_end(self) -> None:
        """Trains what is missing, then writes tables and summary.

        Raises:
            Stopped: Ctrl-C; the state is saved.
            TrainingDiverged: the loss of a network is not finite.
        """
        self.folder.remove_summary()
        print(f"rote: writing {self.folder.path}", file=sys.stderr)
        config, count = self.config, len(self.inputs.image_ids)
        wanted = [
            group
            for width in config.widths
            for more, noises in self.parts
            for group in groups(width, count, noises, config.networks, config.together, more)
        ]
        found: dict[tuple[int, Noise], list[dict[str, float]]] = {}
        seconds = 0.0
        with stop_requests() as stop:
            for number, group in enumerate(wanted):
                result = train_fleet(
                    self.folder,
                    group.name,
                    lambda state, group=group: self.studied.fleet(group, self._epochs(group), state),
                    lambda fleet, epoch, group=group: self._look(fleet, group),
                    [self._epochs(group)],
                    stop,
                    description=f"size {number + 1}/{len(wanted)}, width {group.width}",
                    done=number,
                    cells=len(wanted),
                )
                seconds += result["seconds"]
                for member, accuracies in zip(group.members, result["looks"][-1]["networks"], strict=True):
                    found.setdefault((group.width, member.noise), []).append(accuracies)
        self._write_results(found, seconds)

    def _epochs(self, group: Group) -> int:
        """As many as take the steps of the whole set, to within an epoch."""
        left = len(self.studied.noisy_set(group.images).of(group.members[0].noise)[1])
        return max(1, round(self.config.epochs * self._steps(group.images) / self._steps(left)))

    def _steps(self, images: int) -> int:
        """Steps of an epoch."""
        return images // min(self.config.batch_size, images)

    def _look(self, fleet: Fleet, group: Group) -> dict[str, Any]:
        """What every network of a group answers rightly, of its own images and of held-out ones."""
        require_finite(fleet)
        train, test = self.inputs.bank.train, self.inputs.bank.test
        held_out = (("validation", train, self.validation_ids), ("test", test, torch.arange(len(test))))
        noisy_set = self.studied.noisy_set(group.images)
        networks = []
        for index, member in enumerate(group.members):
            images, labels = noisy_set.of(member.noise)
            model = fleet.model(index)
            with probe_statistics(model, images, self.config.bn):
                accuracies = {"train": clean_accuracy(model, images, labels)}
                for name, split, ids in held_out:
                    accuracies[name] = clean_accuracy(model, split.images, split.labels.cpu()[ids], image_ids=ids)
            networks.append({**accuracies, "images": len(labels), "steps": fleet.step})
        return {"networks": networks}

    def _write_results(self, found: dict[tuple[int, Noise], list[dict[str, float]]], seconds: float) -> None:
        rows = [
            {
                "width": width,
                "parameters": self.studied.parameters(width),
                "kind": noise.kind,
                "level": noise.level,
                "images": found[width, noise][0]["images"],
                "networks": len(found[width, noise]),
                "steps": found[width, noise][0]["steps"],
                **{
                    f"{name}_accuracy": sum(own[name] for own in found[width, noise]) / len(found[width, noise])
                    for name in ("train", "validation", "test")
                },
            }
            for width in self.config.widths
            for noise in self.noises
        ]
        best = best_widths(rows, self.config.tie)
        self.folder.write_table("noise_capacity.csv", rows)
        self.folder.write_table("best_width.csv", best)
        self.folder.write_summary(
            {
                "study": self.config.study,
                "rows": rows,
                "best": best,
                **{f"log2_best_width_{kind}": over_clean(best, kind) for kind in (*self.config.kinds, REMOVED)},
                "tie": self.config.tie,
                "data": self.inputs.bank.name,
                "images": len(self.inputs.image_ids),
                "validation_images": len(self.validation_ids),
                "label_classes": self.num_classes,
                "augment": self.config.augment,
                "networks": self.config.networks,
                "epochs": self.config.epochs,
                "steps": rows[0]["steps"],
                "parameters": rows[-1]["parameters"],
                "seed": self.config.seed,
                "seconds": round(seconds, 2),
            }
        )


def best_widths(rows: Sequence[dict[str, Any]], tie: float) -> list[dict[str, Any]]:
    """For each curve the smallest width whose validation accuracy is within `tie` of the highest.

    Args:
        rows: those of noise_capacity.csv.
        tie: accuracy that tells nothing apart.

    Returns:
        Dicts of `kind`, `level`, `best_width`, its `validation_accuracy` and `test_accuracy`, and `highest_width`, at
        which the accuracy is highest.
    """
    found = []
    for kind, level in dict.fromkeys((row["kind"], row["level"]) for row in rows):
        curve = sorted((r for r in rows if (r["kind"], r["level"]) == (kind, level)), key=lambda r: r["width"])
        highest = max(curve, key=lambda r: (r["validation_accuracy"], -r["width"]))
        # A hair more than the tie, so that the rounding of a difference decides nothing.
        best = next(r for r in curve if r["validation_accuracy"] >= highest["validation_accuracy"] - tie - 1e-12)
        found.append(
            {
                "kind": kind,
                "level": level,
                "best_width": best["width"],
                "validation_accuracy": best["validation_accuracy"],
                "test_accuracy": best["test_accuracy"],
                "highest_width": highest["width"],
            }
        )
    return found


def over_clean(best: Sequence[dict[str, Any]], kind: str) -> float | None:
    """Mean over the levels of a kind of log2(its best width / that of real data); None where there is no such curve."""
    (clean,) = (row["best_width"] for row in best if row["kind"] == CLEAN)
    own = [math.log2(row["best_width"] / clean) for row in best if row["kind"] == kind]
    return sum(own) / len(own) if own else None
