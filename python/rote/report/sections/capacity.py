"""How much fits by heart: pools of views, sizes of networks, the frontier."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from rote.report import figures, numbers
from rote.report.conditions import Condition
from rote.report.gallery import Gallery
from rote.report.gathering import gather
from rote.report.layout import grid, how_to_read, section
from rote.report.rows import distinct
from rote.report.story import capacity as story
from rote.report.tables.runs import capacity_table


def capacity(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """How many labels fit into a network, against the number of views per image and the size of the network."""
    body, keys = [], []
    for condition in conditions:
        rows = gather(condition.runs, "capacity.csv")
        frontier = gather(condition.runs, "frontier.csv") or _frontier_of_summaries(condition)
        if not rows and not frontier:
            continue
        panels = [panel for group in _networks(rows) for panel in _pool_panels(condition, group, gallery)]
        keys += ["capacity", "bits"] if panels else []
        if len(distinct(rows, "parameters")) > 1:
            panels += _size_panels(rows, gallery)
            keys.append("sizes")
        if frontier:
            panels.append(_frontier_panel(frontier, gallery))
            keys.append("frontier")
        folded = f"<details><summary>The numbers of the curve</summary>{capacity_table(rows)}</details>" if rows else ""
        body.append(f"<h3>{escape(_where(condition, rows or frontier))}</h3>{grid(panels)}{folded}")
    if not body:
        return ""
    lead = (
        "Why should augmentation change anything? Because it multiplies what would have to be learnt by heart. Here "
        "the number of views is limited to B for each image and then raised, to see when a network is full."
    )
    aids = how_to_read(*dict.fromkeys(keys))
    return section("capacity", "How much fits by heart", lead, "".join(body) + aids)


def _networks(rows: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The rows that belong into one curve against B: of each network, N and budget with two numbers of views.

    Of several sizes the middle one has a curve of its own; all are in the figure against size.
    """
    names = ("parameters", "width", "depth", "images", "budget")
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(name) for name in names), []).append(row)
    curves = [group for group in groups.values() if len(distinct(group, "views")) > 1]
    if len(groups) == 1:
        return list(groups.values())
    sizes = sorted(distinct([row for group in curves for row in group], "parameters"))
    if len(sizes) > 1:
        curves = [group for group in curves if group[0]["parameters"] == sizes[len(sizes) // 2]]
    return curves


def _pool_panels(condition: Condition, rows: list[dict[str, Any]], gallery: Gallery) -> list[str]:
    """Accuracy and bits against B, of one network."""
    several = len(distinct(gather(condition.runs, "capacity.csv"), "parameters")) > 1
    budgets = len(distinct(gather(condition.runs, "capacity.csv"), "budget")) > 1
    first = rows[0]
    parts = [f"{numbers.count(first.get('parameters'))} parameters"] if several else []
    parts += [f"equal {first['budget']}"] if budgets and first.get("budget") else []
    images = distinct(gather(condition.runs, "capacity.csv"), "images")
    parts += [f"{numbers.count(first.get('images'))} images"] if len(images) > 1 else []
    detail = ", ".join(parts)
    panels = [
        gallery.panel(
            "capacity",
            lambda: figures.plot_capacity(rows, chance=condition.chance()),
            title="How much of the pool is known by heart",
            detail=detail,
            finding=story.capacity_finding(rows),
        )
    ]
    if any(row.get("bits_per_parameter") is not None for row in rows if row["label_mode"] == "random"):
        panels.append(
            gallery.panel(
                "bits-per-parameter",
                lambda: figures.plot_bits(rows),
                title="Bits held per parameter",
                detail=detail,
                finding=story.bits_finding(rows),
            )
        )
    return panels


def _size_panels(rows: Sequence[dict[str, Any]], gallery: Gallery) -> list[str]:
    """Accuracy against the size of the network, one line for each B, and against width where it was turned alone."""
    images = max(distinct(rows, "images") or [None], key=lambda n: sum(row.get("images") == n for row in rows))
    budgets = distinct(rows, "budget")
    own = [r for r in rows if r.get("images") == images and (not budgets or r.get("budget") == budgets[0])]
    random = [row for row in own if row["label_mode"] == "random"]
    if not random:
        return []
    detail = f"equal {budgets[0]}" if len(budgets) > 1 else ""
    axes = ["parameters"]
    axes += ["width"] if len(distinct(random, "depth")) <= 1 and len(distinct(random, "width")) > 1 else []
    return [
        gallery.panel(
            f"capacity-against-{against}",
            lambda against=against: figures.plot_capacity_by_size(own, against=against),
            title=f"Own labels, against the {'size' if against == 'parameters' else against} of the network",
            detail=detail,
            finding=story.sizes_finding(own) if against == "parameters" else "",
        )
        for against in axes
        if _repeats_seeds_alone(random, against)
    ]


def _repeats_seeds_alone(rows: Sequence[dict[str, Any]], against: str) -> bool:
    """Whether rows of one size and B differ in their seeds alone: other shapes of equal size cannot share a line."""
    places = [(row.get(against), row["views"], row.get("seed")) for row in rows]
    return len(set(places)) == len(places)


def _frontier_panel(rows: Sequence[dict[str, Any]], gallery: Gallery) -> str:
    return gallery.panel(
        "frontier",
        lambda: figures.plot_frontier(rows),
        title="The frontier: the most that fits, by size",
        finding=story.frontier_finding(rows),
    )


def _frontier_of_summaries(condition: Condition) -> list[dict[str, Any]]:
    """The frontier's rows where only the summaries hold them."""
    return [
        {"seed": run.seeds, **row}
        for run in condition.runs
        for row in run.summary.get("frontier") or ()
        if isinstance(row, dict)
    ]


def _where(condition: Condition, rows: Sequence[dict[str, Any]]) -> str:
    """Data, images and sizes in one line."""
    sizes, images = sorted(distinct(rows, "parameters")), distinct(rows, "images")
    parts = [condition.first.data]
    if len(images) == 1:
        parts.append(f"{numbers.count(images[0])} images")
    if sizes:
        span = [sizes[0]] if len(sizes) == 1 else [sizes[0], sizes[-1]]
        parts.append(" to ".join(numbers.count(size) for size in span) + " parameters")
    return ", ".join(parts)
