"""What is left afterwards: transfer to another task; and what the size of a network does to single examples."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report import figures
from rote.report.conditions import Condition
from rote.report.gallery import Gallery
from rote.report.gathering import gather
from rote.report.layout import detail_among, grid, how_to_read, section
from rote.report.rows import Row, distinct
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
    return section("transfer", "Is it of use?", lead, grid(panels) + how_to_read("transfer"))


def size(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """Memorization of single examples against width; time to fit and held-out accuracy under noise."""
    panels, aids = [], []

    def detail_of(condition: Condition, table: str) -> str:
        """Told apart are runs that have the same table: each of the three studies has figures of its own."""
        return detail_among(condition, [other for other in conditions if table in other.first.tables])

    for condition in conditions:
        if rows := gather(condition.runs, "size.csv"):
            aids.append("size")
            panels.append(
                gallery.panel(
                    "size",
                    lambda rows=rows: figures.plot_size(rows),
                    title="Memorization of single examples, by width",
                    detail=detail_of(condition, "size.csv"),
                    finding=story.size_finding(rows),
                )
            )
        if rows := gather(condition.runs, "convergence.csv"):
            aids.append("convergence")
            panels += _convergence(rows, detail_of(condition, "convergence.csv"), gallery)
        if rows := gather(condition.runs, "noise_capacity.csv"):
            aids.append("noise-capacity")
            detail = detail_of(condition, "noise_capacity.csv")
            panels += _noise_capacity(rows, gather(condition.runs, "best_width.csv"), detail, gallery)
    if not panels:
        return ""
    lead = "How much does a network's answer to an image hang on having seen that very image?"
    if set(aids) != {"size"}:
        lead = "How large must a network be to fit what it is given, and what does noise change of that?"
    return section("size", "Does size matter?", lead, grid(panels) + how_to_read(*dict.fromkeys(aids)))


def _convergence(rows: Sequence[Row], detail: str, gallery: Gallery) -> list[str]:
    titles = {"width": "Epochs to fit everything, by width", "images": "Epochs to fit everything, by number of images"}
    panels = []
    for sweep, title in titles.items():
        if len(distinct([row for row in rows if row["sweep"] == sweep], sweep)) < 2:
            continue
        panels.append(
            gallery.panel(
                f"convergence-{sweep}",
                lambda sweep=sweep: figures.plot_convergence(rows, sweep=sweep),
                title=title,
                detail=detail,
                finding=story.convergence_finding(rows, sweep),
            )
        )
    return panels


def _noise_capacity(rows: Sequence[Row], best: Sequence[Row], detail: str, gallery: Gallery) -> list[str]:
    return [
        gallery.panel(
            f"noise-capacity-{kind}",
            lambda kind=kind: figures.plot_noise_capacity(rows, kind=kind),
            title=f"Held-out accuracy under noisy {kind}, by width",
            detail=detail,
            finding=story.best_width_finding(best, kind),
        )
        for kind in ("inputs", "labels")
        if kind in distinct(rows, "kind")
    ]
