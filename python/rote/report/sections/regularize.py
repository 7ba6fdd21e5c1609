"""Regularizers: what they keep from being memorized."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report import figures
from rote.report.conditions import Condition
from rote.report.gallery import Gallery
from rote.report.gathering import gather
from rote.report.layout import detail_among, grid, how_to_read, section
from rote.report.rows import distinct
from rote.report.story import regularize as story


def regularize(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """The trade-off of all techniques, and the loss along training on random and on true labels."""
    panels = []
    for condition in conditions:
        rows, falls, losses = (
            gather(condition.runs, name) for name in ("regularize.csv", "falls.csv", "loss_curves.csv")
        )
        if not rows:
            continue
        detail = detail_among(condition, conditions)
        cost = condition.first.number("allowed_cost")
        panels.append(
            gallery.panel(
                "regularizer-trade-off",
                lambda rows=rows, cost=cost: figures.plot_regularizer_tradeoff(rows, allowed_cost=cost),
                title="What is memorized, and what it costs",
                detail=detail,
                finding=story.falls_finding(falls),
            )
        )
        for labels in ("random", "true"):
            if labels in distinct(losses, "labels"):
                panels.append(
                    gallery.panel(
                        f"regularizer-loss-{labels}",
                        lambda losses=losses, labels=labels: figures.plot_regularizer_losses(losses, labels=labels),
                        title=f"The loss along training, {labels} labels",
                        detail=detail,
                        finding=story.losses_finding(losses, labels),
                    )
                )
    if not panels:
        return ""
    lead = "Can a network be kept from learning noise by heart without losing what it learns of real data?"
    return section("regularize", "What keeps noise out", lead, grid(panels) + how_to_read("regularize"))
