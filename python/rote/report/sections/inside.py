"""Where in the network: the double probe by layer, and invariance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rote.report import figures
from rote.report.conditions import Condition, Study
from rote.report.gallery import Gallery
from rote.report.gathering import gather
from rote.report.layout import condition_title, detail_among, grid, how_to_read, panel_detail, panel_title, section
from rote.report.records import in_projector
from rote.report.rows import distinct
from rote.report.story import inside as story


def layers(studies: Sequence[Study], examined: Sequence[Condition], gallery: Gallery) -> str:
    """The probes by layer, before and after: of `layers` runs, else true classes alone of `benign` runs."""
    panels, keys = [], ["layers"]
    for condition in examined:
        rows = gather(condition.runs, "layers.csv")
        if not rows:
            continue
        keys = ["layers", "double"]
        for method in (name for name in ("knn", "linear", "finetuned") if name in distinct(rows, "method")):
            panels.append(_double_panel(condition, examined, rows, method, gallery))
    covered = {(c.first.data, c.labels, c.augmented) for c in examined}
    for study in studies:
        for condition in study.random() or study.conditions:
            if len(condition.layers) < 2 or (study.data, condition.labels, condition.augmented) in covered:
                continue
            rows = probe_rows(condition)
            panels.append(
                gallery.panel(
                    f"layers-{'with' if condition.augmented else 'without'}-augmentation",
                    lambda rows=rows: figures.plot_layers(rows),
                    title=panel_title(study, condition),
                    detail=panel_detail(study, condition, studies),
                    finding=story.layer_finding(rows),
                )
            )
    if not panels:
        return ""
    lead = "The same question, asked of each layer in turn: can true classes be told from what it passes on?"
    if "double" in keys:
        lead += " And can the labels drawn by lot?"
    return section("layers", "Where in the network", lead, grid(panels) + how_to_read(*keys))


def probe_rows(condition: Condition) -> list[dict[str, Any]]:
    """The probes that a `benign` run itself makes, in the columns of layers.csv."""
    rows = []
    for run in condition.runs:
        seed = run.folder.name if run.seeds is None else run.seeds
        place = {"labels": "true", "method": "knn", "queries": "test", "seed": seed}
        for depth, layer in enumerate(run.layers, 1):
            part = "projector" if in_projector(layer) else "encoder"
            for moment in ("init", "final"):
                accuracy = run.layer_probe(layer, moment)
                where = {"layer": layer, "depth": depth, "part": part, "moment": moment}
                rows.append({**place, **where, "accuracy": accuracy})
        pixels = {"layer": "pixels", "depth": 0, "part": "pixels", "moment": "init"}
        rows.append({**place, **pixels, "accuracy": run.raw_probe})
    return rows


def invariance(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """Invariance and retrieval by layer, and by operation."""
    panels = []
    for condition in sorted(conditions, key=lambda condition: not condition.augmented):
        rows = gather(condition.runs, "invariance.csv")
        if not rows:
            continue
        title, detail = _title(condition, conditions)
        name = f"invariance-{'with' if condition.augmented else 'without'}-augmentation"
        if "recipe" in distinct(rows, "operation"):
            panels.append(
                gallery.panel(
                    name,
                    lambda rows=rows: figures.plot_invariance(rows),
                    title=f"{title}: views made alike",
                    detail=detail,
                    finding=story.invariance_finding(rows),
                )
            )
            panels.append(
                gallery.panel(
                    name.replace("invariance", "retrieval"),
                    lambda rows=rows: figures.plot_invariance(rows, value="retrieval"),
                    title=f"{title}: images still told apart",
                    detail=detail,
                    finding="",
                )
            )
        if len(distinct(rows, "operation")) > 1:
            for value, words in (("invariance", "operation by operation"), ("retrieval", "told apart, by operation")):
                panels.append(
                    gallery.panel(
                        f"{name}-by-operation".replace("invariance", value),
                        lambda rows=rows, value=value: figures.plot_invariance_by_operation(rows, value=value),
                        title=f"{title}: {words}",
                        detail=" · ".join(part for part in (detail, "encoder's output") if part),
                        finding="",
                    )
                )
    if not panels:
        return ""
    lead = "What might such a network learn that is of use? That the views of an image are views of one image."
    return section("invariance", "What is learnt", lead, grid(panels) + how_to_read("invariance"))


def _double_panel(
    condition: Condition, examined: Sequence[Condition], rows: list[dict], method: str, gallery: Gallery
) -> str:
    title, detail = _title(condition, examined)
    words = {"knn": "nearest neighbours", "linear": "read out linearly", "finetuned": "after fine-tuning"}
    name = f"layers-{'with' if condition.augmented else 'without'}-augmentation"
    return gallery.panel(
        name if method == "knn" else f"{name}-{method}",
        lambda: figures.plot_layers(rows, method=method),
        title=f"{title}: {words[method]}",
        detail=detail,
        finding=story.layer_finding(rows) if method == "knn" else story.linear_finding(rows),
    )


def _title(condition: Condition, others: Sequence[Condition]) -> tuple[str, str]:
    """Title and detail of a condition among others of its experiment."""
    title = condition_title(condition)
    if condition.labels != "random":
        title = f"{condition.labels.capitalize()} labels, {title[0].lower()}{title[1:]}"
    return title, detail_among(condition, others)
