"""How noise is fitted: which examples a training hangs on, and how dense the boundaries get."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report import figures
from rote.report.conditions import Condition
from rote.report.gallery import Gallery
from rote.report.gathering import gather
from rote.report.layout import detail_among, grid, how_to_read, section
from rote.report.rows import distinct
from rote.report.story import noise_fitting as story


def sensitivity(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """Gini coefficients along training and the matrices of classes."""
    panels = []
    for condition in conditions:
        rows = gather(condition.runs, "sensitivity.csv")
        if not rows:
            continue
        detail = detail_among(condition, conditions)
        panels.append(
            gallery.panel(
                "gini",
                lambda rows=rows: figures.plot_gini(rows),
                title="How few examples matter",
                detail=detail,
                finding=story.gini_finding(rows),
            )
        )
        cells = gather(condition.runs, "sensitivity_classes.csv")
        for inputs in distinct(cells, "inputs"):
            name = "real images" if inputs == "real" else "Gaussian noise"
            panels.append(
                gallery.panel(
                    f"class-matrix-{inputs}",
                    lambda cells=cells, inputs=inputs: figures.plot_class_matrix(cells, inputs=inputs),
                    title=f"Whose loss an example matters to: {name}",
                    detail=detail,
                    finding=story.matrix_finding(rows, inputs),
                )
            )
    if not panels:
        return ""
    lead = "A pixel of a training image changes every later update. How much would the loss be another one?"
    return section("sensitivity", "What it hangs on", lead, grid(panels) + how_to_read("sensitivity"))


def csr(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """Critical samples along training, at equal accuracy, and against the share of noise."""
    panels = []
    for condition in conditions:
        rows = gather(condition.runs, "csr.csv")
        if not rows:
            continue
        detail = detail_among(condition, conditions)
        matched = gather(condition.runs, "csr_matched.csv")
        whole = [row for row in rows if row["share"] in (0, 1)]
        if len(distinct(whole, "condition")) > 1:
            for against, title in (("epoch", "along training"), ("train_accuracy", "at equal training accuracy")):
                panels.append(
                    gallery.panel(
                        "csr" if against == "epoch" else "csr-accuracy",
                        lambda rows=rows, against=against: figures.plot_csr(rows, against=against),
                        title=f"Critical samples {title}",
                        detail=detail,
                        finding=story.csr_finding(rows, matched) if against == "epoch" else "",
                    )
                )
        if len(distinct(rows, "share")) > 2:
            for value, title in (("csr", "Critical samples"), ("test_accuracy", "Test accuracy")):
                panels.append(
                    gallery.panel(
                        f"noise-share-{value.replace('_', '-')}",
                        lambda rows=rows, value=value: figures.plot_csr_against_noise(rows, value=value),
                        title=f"{title} by the share of noise",
                        detail=detail,
                        finding=story.shares_finding(rows, value),
                    )
                )
    if not panels:
        return ""
    lead = "Is the function that fits noise a more complicated one? Counted are the test inputs next to another answer."
    return section("csr", "How close other answers are", lead, grid(panels) + how_to_read("csr"))
