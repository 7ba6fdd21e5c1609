"""Single examples: how much each is known by heart, and whom it helps, from networks on random subsets."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report import figures
from rote.report.conditions import Condition
from rote.report.gallery import Gallery
from rote.report.gathering import gather
from rote.report.layout import detail_among, grid, how_to_read, section
from rote.report.reading import read_arrays
from rote.report.story import subsets as story

GRID = "influence.npz"


def memorization(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """Histogram of the scores, their split halves, and the pairs of highest influence as pictures."""
    panels, cautions = [], []
    for condition in conditions:
        summaries = gather(condition.runs, "summary.json")
        rows = gather(condition.runs, "memorization.csv")
        if not rows:
            continue
        detail = detail_among(condition, conditions)
        cautions.append(story.caution(summaries))
        panels.append(
            gallery.panel(
                "memorization",
                lambda rows=rows: figures.plot_memorization(rows),
                title="Memorization scores of single examples",
                detail=detail,
                finding=story.ranking_finding(summaries),
            )
        )
        first = condition.first
        halves, own = gather([first], "halves.csv"), gather([first], "summary.json")
        if halves:
            panels.append(
                gallery.panel(
                    "halves",
                    lambda halves=halves: figures.plot_halves(halves),
                    title="The same scores from either half of the networks",
                    detail=detail,
                    finding=story.halves_finding(own),
                )
            )
        pictures = read_arrays(first.folder / GRID, "test_id")
        if pictures is not None and len(pictures["test_id"]) and own:
            many = own[0]["runs"] >= story.SINGLE_SCORES_FROM
            panels.append(
                gallery.panel(
                    "influence",
                    lambda pictures=pictures, many=many: figures.plot_influence(pictures, single_scores=many),
                    title="Which training images a test image owes its answer to",
                    detail=detail,
                    finding=story.influence_finding(own[0]),
                )
            )
    if not panels:
        return ""
    lead = "Whom does a network know by heart, and whom does that help? " + " ".join(dict.fromkeys(cautions))
    return section("memorization", "Known by heart", lead, grid(panels) + how_to_read("memorization"))
