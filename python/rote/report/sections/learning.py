"""In which order examples are learnt: the easy ones, clean and wrong labels along training, and what depth does."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report import figures
from rote.report.conditions import Condition
from rote.report.gallery import Gallery
from rote.report.gathering import gather
from rote.report.layout import detail_among, grid, how_to_read, section
from rote.report.reading import read_arrays
from rote.report.rows import distinct
from rote.report.story import learning as story

FILTERS, HEAT_MAP = "filters.npz", "trajectories_heatmap.parquet"


def easy(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """Sorted error rates, by the other half of the networks and by themselves; the first run's filters."""
    panels = []
    for condition in conditions:
        curve, rows = (gather(condition.runs, name) for name in ("easy_curve.csv", "easy.csv"))
        if not curve:
            continue
        detail = detail_among(condition, conditions)
        panels += [
            gallery.panel(
                "easy",
                lambda curve=curve: figures.plot_easy(curve),
                title="Examples sorted by one half of the networks, shown in the other",
                detail=detail,
                finding=story.easy_finding(rows),
            ),
            gallery.panel(
                "easy-sorted-by-itself",
                lambda curve=curve: figures.plot_easy(curve, sorted_by="itself"),
                title="Examples sorted by what is shown",
                detail=detail,
                finding=story.reliability_finding(rows),
            ),
        ]
        filters = read_arrays(condition.first.folder / FILTERS, "init", "real", "randY")
        if filters is not None:
            panels.append(
                gallery.panel(
                    "first-layer-filters",
                    lambda filters=filters: figures.plot_filters(filters),
                    title="Filters of the first layer",
                    detail=detail,
                    finding=story.filters_finding(filters),
                )
            )
    if not panels:
        return ""
    lead = "After one look at every image: do all networks get the same examples right, or each its own?"
    return section("easy", "Are some examples easy?", lead, grid(panels) + how_to_read("easy"))


def trajectories(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """Clean and wrong labels along training, with early stopping; losses by ease; how fast labels are fitted."""
    panels = []
    for condition in conditions:
        rows, levels = (gather(condition.runs, name) for name in ("trajectories.csv", "trajectories_levels.csv"))
        if not rows:
            continue
        detail = detail_among(condition, conditions)
        panels += [
            gallery.panel(
                f"trajectories-{noise:g}",
                lambda rows=rows, noise=noise: figures.plot_trajectories(rows, noise=noise),
                title=f"True and wrong labels, {100 * noise:.0f} % of them drawn by lot",
                detail=detail,
                finding=story.stopping_finding(levels, noise),
            )
            for noise in distinct(rows, "noise")
            if 0 < noise < 1
        ]
        bands = gather(condition.runs, HEAT_MAP)
        panels += [
            gallery.panel(
                f"sorted-losses-{noise:g}",
                lambda bands=bands, noise=noise: figures.plot_loss_bands(bands, noise=noise),
                title=f"Losses of single examples, {100 * noise:.0f} % of the labels drawn by lot",
                detail=detail,
                finding=story.bands_finding(bands, noise),
            )
            for noise in distinct(bands, "noise")
        ]
        if len(distinct(rows, "noise")) > 1:
            panels.append(
                gallery.panel(
                    "fitting",
                    lambda rows=rows: figures.plot_fitting(rows),
                    title="How fast labels are fitted",
                    detail=detail,
                    finding=story.fitting_finding(levels),
                )
            )
    if not panels:
        return ""
    lead = "Some labels are right and some are not, and nobody told the network which. Which does it learn first?"
    return section("trajectories", "What is learnt first", lead, grid(panels) + how_to_read("trajectories"))


def depth(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """Speed of memorizing, and generalization, against depth."""
    panels = []
    for condition in conditions:
        rows = gather(condition.runs, "depth.csv")
        if not rows:
            continue
        detail = detail_among(condition, conditions)
        panels += [
            gallery.panel(
                "depth-memorizing",
                lambda rows=rows: figures.plot_depth(rows),
                title="Random labels: how long until they are known",
                detail=detail,
                finding=story.speed_finding(rows),
            ),
            gallery.panel(
                "depth-generalizing",
                lambda rows=rows: figures.plot_depth(rows, value="test_accuracy"),
                title="True labels: what is got right on new images",
                detail=detail,
                finding=story.generalization_finding(rows),
            ),
        ]
    if not panels:
        return ""
    lead = "Do deeper networks learn by heart faster, and does it cost them on new images?"
    return section("depth", "Does depth matter?", lead, grid(panels) + how_to_read("depth"))
