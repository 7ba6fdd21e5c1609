"""Synthetic run folders of every experiment, with the configs of real ones and chosen results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rote.data.cifar10 import CLASSES
from rote.experiments import BenignConfig, CapacityConfig
from rote.runs.whole_files import plain, write_csv

SEEDS = (0, 1, 2, 3, 4)
# What a small convolutional net gives on real images, roughly; tests change single numbers of it.
SUMMARY = {
    "data": "folder",
    "images": 512,
    "label_classes": 10,
    "steps": 3600,
    "epochs": 900,
    "train_accuracy": 1.0,
    "train_accuracy_fresh_views": 0.98,
    "probe_accuracy_raw": 0.353,
    "probe_accuracy_init": 0.387,
    "probe_accuracy": 0.495,
}
SPREAD = (0.0, 0.004, -0.004, 0.002, -0.002)


class Runs:
    """Writes run folders below `root`.

    Args:
        root: the folder of runs.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def folders(self) -> list[Path]:
        return sorted(path.parent for path in self.root.glob("*/config.json"))

    def write(
        self,
        experiment: str,
        config: dict[str, Any],
        summary: dict[str, Any],
        tables: dict[str, list[dict]] | None = None,
    ) -> Path:
        folder = self.root / f"{experiment}-{len(list(self.root.iterdir())) if self.root.exists() else 0:04d}"
        folder.mkdir(parents=True)
        record = {
            "experiment": experiment,
            "config": config,
            "command": ["/opt/somewhere/bin/rote", "run", experiment],
            "identity": {"experiment": experiment, "semantics": 1, "data": config["data"] + "-fingerprint"},
            "hash": folder.name[-4:],
            "versions": {"rote": "0.1.0"},
            "platform": "Linux-of-somebody",
            "device": {"type": "cpu"},
            "classes": list(CLASSES) if config["data"] == "folder" else [str(digit) for digit in range(10)],
            "source": {"root": "/home/somebody/pictures"},
        }
        (folder / "config.json").write_text(json.dumps(plain(record)))
        (folder / "summary.json").write_text(json.dumps(plain(summary)))
        for name, rows in (tables or {}).items():
            write_csv(folder / name, rows)
        return folder

    def benign(self, seeds=SEEDS, *, experiment="benign", tables=None, extra=None, summary=None, **config: Any) -> None:
        """A run for each seed; `summary` holds numbers, or lists of one number a seed."""
        for position, seed in enumerate(seeds):
            resolved = benign_config(seed, **config) | (extra or {})
            numbers = {**SUMMARY, "data": resolved["data"], "probe_accuracy": 0.495 + SPREAD[position]}
            if resolved["labels"] == "exemplar":
                numbers["label_classes"] = numbers["images"]
            elif resolved["label_classes"]:
                numbers["label_classes"] = resolved["label_classes"]
            for name, value in (summary or {}).items():
                numbers[name] = value[position] if isinstance(value, (list, tuple)) else value
            written = {name: rows(position) for name, rows in (tables or {}).items()}
            self.write(experiment, resolved, numbers, written)

    def layers(
        self, *, augment="benign-mild", encoder=0.49, projector=0.3, logits=0.19, loo=0.11, loo_logits=0.98, **more
    ):
        def table(position: int) -> list[dict]:
            row = {"depth": 0, "moment": "final", "labels": "true", "method": "knn", "queries": "test", "chance": 0.1}
            rows = [
                row | {"layer": "pixels", "part": "pixels", "accuracy": 0.353},
                row | {"layer": "stage2", "part": "encoder", "accuracy": encoder + SPREAD[position]},
                row | {"layer": "encoder", "part": "encoder", "accuracy": encoder - 0.02},
                row | {"layer": "projector.hidden", "part": "projector", "accuracy": projector},
                row | {"layer": "logits", "part": "projector", "accuracy": logits},
            ]
            used = {"layer": "encoder", "part": "encoder", "labels": "used", "queries": "train-loo", "accuracy": loo}
            return [*rows, row | used]

        summary = {
            "best_encoder_probe": [encoder + spread for spread in SPREAD],
            "logits_probe": logits,
            "used_loo_encoder": [loo + spread for spread in SPREAD],
            "used_loo_logits": [loo_logits + spread for spread in SPREAD],
        }
        self.benign(experiment="layers", augment=augment, summary=summary, tables={"layers.csv": table}, **more)

    def invariance(self, *, augment: str, gain: float, retrieval: float | None = None, **more) -> None:
        summary = {"invariance_encoder_init": 0.4, "retrieval_encoder_init": 0.2}
        summary["invariance_encoder"] = [0.4 + gain + spread for spread in SPREAD]
        summary["retrieval_encoder"] = [0.2 + (gain if retrieval is None else retrieval) + s for s in SPREAD]
        self.benign(experiment="invariance", augment=augment, summary=summary, **more)

    def location(self, *, noise: float, last_minus_best: float, spread: float = 1.0, **more) -> None:
        """The last block against the best other, by rewinding."""
        summary = {
            "last_minus_best_other": [last_minus_best + spread * s for s in SPREAD],
            "last_minus_best_other_init": 0.02,
            "rewound_epoch": 15,
            "best_other_block": "stage3",
        }
        parts = {"parts": ["rewinding"]}
        self.benign(experiment="location", augment="none", noise=noise, summary=summary, extra=parts, **more)

    def diversity(self, probes, steps, strengths=(0.0, 0.25, 0.5, 0.75, 1.0), **more) -> None:
        def table(position: int) -> list[dict]:
            return [
                {
                    "recipe": f"strength-{s:g}",
                    "strength": s,
                    "steps_to_90": step,
                    "probe_accuracy": probe + SPREAD[position] * 0.3 * (1 + number),
                }
                for number, (s, probe, step) in enumerate(zip(strengths, probes, steps, strict=True))
            ]

        extra = {"strengths": list(strengths)}
        self.benign(experiment="diversity", extra=extra, tables={"diversity.csv": table}, **more)

    def ideal(self, difference: float, spread: float = 1.0, **more) -> None:
        summary = {"difference": [difference + spread * s for s in SPREAD]}
        self.benign(experiment="ideal", augment="benign-full", summary=summary, **more)

    def capacity(self, rows: list[dict], *, seeds=SEEDS[:3], spread: float = 1.0, frontier=None) -> None:
        """Rows of capacity.csv; the accuracy of each varies a little over the seeds."""
        for position, seed in enumerate(seeds):
            config = CapacityConfig(seed=seed).resolved().as_dict()
            base = {"images": 64, "parameters": 4000, "width": 4, "depth": None, "budget": "visits"}
            table = [
                base | row | {"accuracy_pool": min(1.0, row["accuracy_pool"] + spread * SPREAD[position])}
                for row in rows
            ]
            tables = {"capacity.csv": table}
            if frontier is not None:
                tables["frontier.csv"] = [row | {"seed": seed} for row in frontier(position)]
            self.write("capacity", config, {"data": "digits", "images": 64, "epochs": 1600}, tables)


def benign_config(seed: int, **config: Any) -> dict[str, Any]:
    """The resolved options of a run on a folder of pictures."""
    defaults = {"data": "folder", "root": Path("/home/somebody/pictures"), "images": 512, "seed": seed}
    return BenignConfig(**{**defaults, **config}).resolved().as_dict()
