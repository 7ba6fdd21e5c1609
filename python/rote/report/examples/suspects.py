"""A page of suspicious labels: the pictures that are most so, each beside its nearest neighbours. No script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from rote.report import numbers
from rote.report.embed import prose
from rote.report.examples.page import page_head
from rote.report.examples.pictures import png_uri, smaller
from rote.runs.whole_files import write_bytes

_SHOWN = ("knn_disagreement", "self_confidence", "probability_margin", "aum", "confidence")


def write_suspects_page(
    ranked: Mapping[str, Any],
    neighbours: np.ndarray,
    labels: np.ndarray,
    out: Path | str,
    *,
    images: Mapping[int, np.ndarray] | None = None,
    classes: Sequence[str] = (),
    title: str = "Suspicious labels",
    about: str = "",
) -> Path:
    """Writes the page.

    Args:
        ranked: columns [S] of the examples to show, most suspicious first, as `LabelErrors.ranked(S)` gives them.
        neighbours: int [S, K], the rows of each one's nearest others, nearest first; -1 for none.
        labels: int [N], the labels of all examples, by row.
        out: the HTML file; it appears whole.
        images: uint8 [H, W, 3] by row, of what is shown; None for none.
        classes: names of the classes.
        title, about: headline, and a sentence under it.

    Raises:
        ValueError: `ranked` lacks row, label or suggested_label, or lengths that differ.
    """
    missing = [name for name in ("row", "label", "suggested_label") if name not in ranked]
    if missing:
        raise ValueError(f"ranked must hold the columns row, label, suggested_label; lacks {', '.join(missing)}")
    if neighbours.ndim != 2 or len(neighbours) != len(ranked["row"]):
        raise ValueError(f"neighbours must be int [{len(ranked['row'])}, K]; got {list(neighbours.shape)}")

    def name(label: int) -> str:
        return str(classes[label]) if 0 <= label < len(classes) else str(label)

    def cell(row: int, kind: str = "") -> str:
        words = f"{name(int(labels[row]))}"
        shown = _image(images, row, f"example {row}, labelled {words}")
        return f"<div class='cell {kind}'>{shown}<b>{escape(words)}</b><i>{row}</i></div>"

    rows = []
    for i, row in enumerate(int(value) for value in ranked["row"]):
        label, suggested = int(ranked["label"][i]), int(ranked["suggested_label"][i])
        near = [int(other) for other in neighbours[i] if other >= 0]
        cells = "".join(cell(other, "" if labels[other] == label else "other") for other in near)
        says = f"labelled <b>{escape(name(label))}</b>"
        if suggested >= 0 and suggested != label:
            says += f", its neighbours say <b class='other'>{escape(name(suggested))}</b>"
        facts = " · ".join(
            f"{escape(column.replace('_', ' '))} {_number(float(ranked[column][i]))}"
            for column in _SHOWN
            if column in ranked and np.isfinite(float(ranked[column][i]))
        )
        rows.append(
            f"<article class='suspect' data-row='{row}'><header><span class='rank'>{i + 1}</span><p>{says}"
            f"<small>{facts}</small></p></header><div class='cells'>{cell(row, 'own')}{cells}</div></article>"
        )
    lead = f"<p class='about'>{prose(about)}</p>" if about else ""
    page = (
        f"{page_head(title)}<body><header class='top'><p class='kicker'>Rote · label errors</p><h1>{escape(title)}</h1>"
        f"{lead}<p class='hint'>Each row: the example, then its nearest neighbours, the nearest first; neighbours with "
        f"another label are marked. Numbers under pictures are rows of the table.</p></header><main>{''.join(rows)}"
        "</main><footer><p>Made by Rote.</p></footer></body></html>\n"
    )
    write_bytes(Path(out), page.encode("utf-8"))
    return Path(out)


def _number(value: float) -> str:
    return numbers.significant(value).replace("-", "\u2212")


def _image(images: Mapping[int, np.ndarray] | None, row: int, words: str) -> str:
    if images is None or row not in images:
        return ""
    return f"<img src='{png_uri(smaller(images[row][None])[0])}' alt='{escape(words, quote=True)}'>"
