"""Figures at the top of the page of examples: what of data map, AUM, forgetting and correlations the columns allow."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from rote.report import embed, figures
from rote.report.examples.table import ExampleTable
from rote.report.figures.score_correlations import SCORES

# Points of the data map that stand in the page.
_POINTS = 1500
# (title, what it shows, columns it needs, how it is drawn)
_FIGURES: tuple[tuple[str, str, tuple[str, ...], Callable[[dict[str, Any]], Axes]], ...] = (
    (
        "Data map",
        "Easy examples lie at the upper left, hard ones at the lower left, those in doubt at the right.",
        ("variability", "confidence", "correctness"),
        lambda columns: figures.plot_data_map(columns, most=_POINTS),
    ),
    (
        "Area under the margin",
        "Wrong labels lie low: the network keeps preferring another class.",
        ("aum",),
        lambda columns: figures.plot_aum(columns),
    ),
    (
        "Forgetting",
        "Right at one look and wrong at the next; examples never learned have no count.",
        ("forgetting_events", "never_learned"),
        lambda columns: figures.plot_forgetting(columns),
    ),
    (
        "How scores agree",
        "Spearman's rank correlation over the examples.",
        (),
        lambda columns: figures.plot_score_correlations(columns),
    ),
)


def overview(table: ExampleTable) -> str:
    """The figures as HTML; "" where no column is there for any."""
    columns = {name: value for name, value in table.columns.items() if value.dtype.kind in "biuf"}
    drawn = []
    for number, (title, says, needed, draw) in enumerate(_FIGURES):
        if not _drawable(columns, needed):
            continue
        svg = embed.inline_svg(embed.svg_text(draw(columns).figure, f"figure-{number}"), f"{title}. {says}")
        drawn.append(
            f"<figure><figcaption>{escape(title)}</figcaption>{svg}<p class='hint'>{escape(says)}</p></figure>"
        )
    return f"<div class='overview'>{''.join(drawn)}</div>" if drawn else ""


def _drawable(columns: dict[str, np.ndarray], needed: tuple[str, ...]) -> bool:
    if not needed:
        varied = [name for name in SCORES if name in columns and _varies(columns[name])]
        return len(varied) > 1
    return all(name in columns and np.isfinite(columns[name].astype(np.float64)).any() for name in needed)


def _varies(column: np.ndarray) -> bool:
    values = column.astype(np.float64)
    values = values[np.isfinite(values)]
    return len(values) > 1 and bool(np.ptp(values) > 0)
