"""What is left afterwards: transfer to another task; and what the size of a network does to single examples."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report import figures
from rote.report.conditions import Condition
from rote.report.gallery import Gallery
from rote.report.gathering import gather
from rote.report.layout import detail_among, grid, how_to_read, section
from rote.report.rows import distinct
from rote.report.story import after as story


def transfer(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """The second training by start, and the alignment of the first layer."""
    panels = []
    for condition in conditions:
        rows, aligned = (gather(condition.runs, name) for name in ("transfer.csv", "alignment.csv"))
        detail = detail_among(condition, conditions)
        for labels in distinct(rows, "labels"):
            value = "test_accuracy" if labels == "true" else "train_accuracy"
            panels.append(
                gallery.panel(
                    f"transfer-{labels}",
                    lambda rows=rows, labels=labels, value=value: figures.plot_transfer(
                        rows, labels=labels, value=value
                    ),
                    title=f"The second training, on {labels} labels",
                    detail=detail,
                    finding=story.transfer_finding(rows, labels),
                )
            )
        if aligned:
            panels.append(
                gallery.panel(
                    "alignment",
                    lambda aligned=aligned: figures.plot_alignment(aligned),
                    title="The first layer and the directions of the data",
                    detail=detail,
                    finding=story.alignment_finding(aligned),
                )
            )
    if not panels:
        return ""
    lead = "First random labels were learnt on one half of the images. Does that help with the other half?"
    return section("transfer", "Is it of use", lead, grid(panels) + how_to_read("transfer"))


def size(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """Memorization of single examples against width."""
    panels = [
        gallery.panel(
            "size",
            lambda rows=rows: figures.plot_size(rows),
            title="Memorization of single examples, by width",
            detail=detail_among(condition, conditions),
            finding=story.size_finding(rows),
        )
        for condition in conditions
        if (rows := gather(condition.runs, "size.csv"))
    ]
    if not panels:
        return ""
    lead = "How much does a network's answer to an image hang on having seen that very image?"
    return section("size", "Does size matter", lead, grid(panels) + how_to_read("size"))
