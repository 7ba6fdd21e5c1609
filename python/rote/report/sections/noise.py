"""True, corrupted and random data: how fast they are fitted, and what that leaves."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report import figures
from rote.report.conditions import Condition
from rote.report.figures.corruption import levels
from rote.report.figures.noise import whole_conditions
from rote.report.gallery import Gallery
from rote.report.gathering import gather
from rote.report.layout import detail_among, grid, how_to_read, section
from rote.report.rows import Row, distinct
from rote.report.story import noise as story


def noise(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """Loss curves and order of the conditions, levels of corruption, regularizers."""
    panels: list[str] = []
    tables = [(condition, rows) for condition in conditions if (rows := gather(condition.runs, "noise.csv"))]
    for condition, rows in tables:
        panels += _panels(condition, rows, detail_among(condition, [other for other, _ in tables]), gallery)
    if not panels:
        return ""
    lead = (
        "The same network is given true labels, labels drawn by lot, or noise in the place of images. Does it fit them "
        "all, how much longer does that take, and what is left for new images?"
    )
    return section("noise", "What can be fitted", lead, grid(panels) + how_to_read("noise"))


def _panels(condition: Condition, rows: list[Row], detail: str, gallery: Gallery) -> list[str]:
    panels = []
    whole = whole_conditions(rows)
    if len(distinct(whole, "condition")) > 1:
        measured = gather(condition.runs, "metrics.jsonl")
        if any(row["metric"] == "loss" for row in whole_conditions(measured)):
            threshold = condition.first.number("threshold") or 0.1
            panels.append(
                gallery.panel(
                    "noise-curves",
                    lambda: figures.plot_noise_curves(measured, threshold=threshold),
                    title="The loss along training",
                    detail=detail,
                    finding=story.fitted_finding(rows),
                )
            )
        if any(row["steps_to_loss"] is not None for row in whole):
            panels.append(
                gallery.panel(
                    "fitting-order",
                    lambda: figures.plot_fitting_order(rows),
                    title="The order of fitting",
                    detail=detail,
                    finding=story.order_finding(rows),
                )
            )
    about = next((row["condition"] for row in rows if 0 < row["corruption"] < 1), None)
    if about is not None:
        panels += _levels(rows, about, detail, gallery)
    if {row["crop"] for row in rows} == {False, True}:
        panels.append(
            gallery.panel(
                "regularizers",
                lambda: figures.plot_regularizers(rows),
                title="Random crops and weight decay",
                detail=detail,
                finding=story.regularizers_finding(rows),
            )
        )
    return panels


def _levels(rows: list[Row], about: str, detail: str, gallery: Gallery) -> list[str]:
    own = levels(rows, about)
    panels = []
    if any(row["corruption"] == 0 and row["epochs_to_99"] is not None for row in own):
        panels.append(
            gallery.panel(
                "corruption-time",
                lambda: figures.plot_corruption(rows, value="relative_time", condition=about),
                title="Time to fit, against corruption",
                detail=detail,
                finding=story.time_finding(rows, about),
            )
        )
    if len({row["corruption"] for row in own if row["test_accuracy"] is not None}) > 1:
        panels.append(
            gallery.panel(
                "corruption-error",
                lambda: figures.plot_corruption(rows, condition=about),
                title="Test error, against corruption",
                detail=detail,
                finding=story.error_finding(rows, about),
            )
        )
    return panels
