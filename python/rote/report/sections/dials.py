"""Dials of the main experiment: how many views, how strong, how real, and under which conventions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rote.report import figures
from rote.report.conditions import Condition, Study
from rote.report.figures.robustness import paired_cells
from rote.report.gallery import Gallery
from rote.report.gathering import gather
from rote.report.layout import detail_among, grid, how_to_read, section, where_of
from rote.report.protocols import dial, turning
from rote.report.rows import distinct
from rote.report.story import dials as story


def pool(studies: Sequence[Study], mains: Sequence[Study], gallery: Gallery) -> str:
    """The probe against the number of views each image has in training.

    Args:
        studies: all benign runs.
        mains: the main part of each.
        gallery: takes the figures.
    """
    panels = []
    for study, base in zip(studies, mains, strict=True):
        recipe = next((c.augment for c in base.find("random", True)), None)
        runs = turning(study, base, "views", keep=lambda c, recipe=recipe: c.labels == "random" and c.augment == recipe)
        rows = [{**row, "views": row.get("views") or None} for row in gather(runs, "summary.json")]
        rows = [row for row in rows if row.get("probe_accuracy") is not None]
        if len({row["views"] for row in rows}) < 2:
            continue
        panels.append(
            gallery.panel(
                "probe-against-views",
                lambda rows=rows: figures.plot_probe_against_views(rows),
                title="The probe as the number of views grows",
                detail=where_of(study, studies),
                finding=story.pool_finding(rows),
            )
        )
    if not panels:
        return ""
    lead = "Between always the same picture and always a new view lies a dial: B views of each image, made once."
    return section("pool", "How many views", lead, grid(panels) + how_to_read("pool"))


def diversity(strengths: Sequence[Condition], ideals: Sequence[Condition], gallery: Gallery) -> str:
    """The trade-off of strength, and ideal views."""
    panels, keys = [], []
    for condition in strengths:
        rows = gather(condition.runs, "diversity.csv")
        rows = [{**row, "probe_accuracy": row.get("probe_accuracy")} for row in rows]
        if not rows:
            continue
        detail = detail_among(condition, strengths)
        variants = [
            ("tradeoff", "steps_to_90", "probe_accuracy", "Features against the cost of memorizing"),
            ("diversity", "view_distance", "probe_accuracy", "Features against the diversity of views"),
            ("matched", "view_distance", "probe_at_matched", "The same where 90 % of the labels are known"),
        ]
        told = False
        for name, x, y, title in variants:
            if not any(row.get(x) is not None and row.get(y) is not None for row in rows):
                continue
            first, told = not told, True
            panels.append(
                gallery.panel(
                    name,
                    lambda rows=rows, x=x, y=y: figures.plot_tradeoff(rows, x=x, y=y),
                    title=title,
                    detail=detail,
                    finding=story.tradeoff_finding(rows) if first else "",
                )
            )
            keys = ["diversity"]
    for condition in ideals:
        rows = gather(condition.runs, "ideal.csv")
        if rows:
            panels.append(
                gallery.panel(
                    "ideal",
                    lambda rows=rows: figures.plot_ideal(rows),
                    title="Real augmentations, and ideal ones",
                    detail=detail_among(condition, ideals),
                    finding=story.ideal_finding(rows),
                )
            )
            keys = [*dict.fromkeys([*keys, "ideal"])]
    if not panels:
        return ""
    lead = "The stronger the changes, the harder a list is learnt by heart. Are the features the better for it?"
    return section("diversity", "How strong", lead, grid(panels) + how_to_read(*keys))


def robustness(studies: Sequence[Study], mains: Sequence[Study], gallery: Gallery) -> str:
    """The effect of augmentation under other losses, normalizations and numbers of label classes.

    Args:
        studies: all benign runs.
        mains: the main part of each.
        gallery: takes the figures.
    """
    panels = []
    for study, base in zip(studies, mains, strict=True):
        rows = _convention_rows(study, base)
        cells = paired_cells(rows) if rows else []
        if len(cells) < 2:
            continue
        panels.append(
            gallery.panel(
                "robustness",
                lambda rows=rows: figures.plot_robustness(rows),
                title="With minus without augmentation",
                detail=where_of(study, studies),
                finding=story.robustness_finding(cells),
            )
        )
    if not panels:
        return ""
    lead = "Does the effect hang on the loss, on the normalization, or on how many different labels there are?"
    return section("robustness", "Does it hold elsewhere?", lead, grid(panels) + how_to_read("robustness"))


def _convention_rows(study: Study, base: Study) -> list[dict[str, Any]]:
    recipe = next((c.augment for c in base.conditions if c.augmented), None)
    runs = turning(
        study,
        base,
        *("loss", "norm", "label_classes"),
        keep=lambda c: c.labels in ("random", "exemplar") and c.augment in (recipe, "none"),
    )
    rows = []
    for run in runs:
        for row in gather([run], "summary.json"):
            settings = {name: dial(run, name) for name in ("loss", "norm", "label_classes")}
            classes = settings["label_classes"] or run.num_classes
            if row.get("probe_accuracy") is not None and classes is not None:
                rows.append({**row, **settings, "label_classes": classes})
    names = ("loss", "norm", "label_classes", "augment", "seed", "steps")
    unique = {tuple(row.get(name) for name in names): row for row in rows}
    return list(unique.values()) if len(distinct(rows, "augment")) > 1 else []
