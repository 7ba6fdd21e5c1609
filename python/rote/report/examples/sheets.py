"""Contact sheets: the easiest, hardest, most forgotten and most memorized examples, and what scores mean."""

from __future__ import annotations

from html import escape

import numpy as np

from rote.report.examples.pictures import png_uri, smaller
from rote.report.examples.table import ExampleTable

#: Examples on a sheet.
SHOWN = 24
#: What a score says, in one line; the exact definitions stand in docs/scores.md.
ABOUT = {
    "aum": "mean margin along training; low is suspicious",
    "confidence": "mean probability of the label along training",
    "variability": "spread of that probability along training",
    "correctness": "how often, or in what share of looks, it was right",
    "forgetting_events": "how often it was right and at its next look wrong",
    "forgetfulness": "how often it was right and at its next look wrong",
    "never_learned": "never once right",
    "unforgettable": "learned, and never forgotten",
    "first_learned": "the presentation at which it was first right",
    "learned_epoch": "the epoch from which on it was always right",
    "el2n": "length of the error of its probabilities",
    "mean_el2n": "the same, averaged along training",
    "grand": "norm of its own gradient",
    "mean_loss": "its loss, averaged along training",
    "loss": "its loss at the last look",
    "margin": "the label's logit minus the largest other, at the last look",
    "p_true": "probability of its label at the last look",
    "memorization": "right when trained on it minus right when not (Feldman and Zhang)",
    "memorization_score": "right when trained on it minus right when not (Feldman and Zhang)",
    "prediction_depth": "the layer from which on k-NN probes agree with the network",
    "curvature": "curvature of its loss in the input",
    "knn_disagreement": "share of its nearest neighbours with another label",
    "knn_disagreement_weighted": "the same, nearer neighbours weighing more",
    "suspicion": "mean place in the rankings of suspicion",
    "suggested_share": "share of neighbours with the label they suggest",
    "self_confidence": "probability of its label by a model that has not seen it",
    "probability_margin": "that probability minus the largest other",
    "is_corrupted": "its label is not the true one",
    "suspected": "most of its neighbours have one and the same other label",
}
# (title, what it says, columns to sort by in order of preference, largest first)
_SHEETS = (
    ("Easiest", "the largest {}", ("confidence", "aum", "p_true"), True),
    ("Hardest", "the smallest {}", ("confidence", "aum", "p_true"), False),
    ("Most forgotten", "the most {}", ("forgetting_events", "forgetfulness"), True),
    ("Most memorized", "the largest {}", ("memorization", "memorization_score", "score", "curvature"), True),
    ("Most suspicious", "the largest {}", ("suspicion", "knn_disagreement"), True),
)


def contact_sheets(table: ExampleTable, shown: int = SHOWN) -> str:
    """The sheets that the table has scores for, as HTML; "" without pictures."""
    if table.images is None:
        return ""
    parts = []
    for title, says, names, largest in _SHEETS:
        name = next((name for name in names if name in table.columns), None)
        if name is None or table.columns[name].dtype.kind not in "iuf":
            continue
        values = table.columns[name].astype(np.float64)
        rows = np.flatnonzero(np.isfinite(values))
        rows = rows[np.lexsort((table.columns["id"][rows], -values[rows] if largest else values[rows]))][:shown]
        if title == "Most forgotten":
            rows = rows[values[rows] > 0]
        if not len(rows):
            continue
        pictures = "".join(_picture(table, int(row), name) for row in rows)
        link = f"#sort={name}&amp;{'desc' if largest else 'asc'}"
        says = escape(says.format(name.replace("_", " ")))
        parts.append(
            f"<section class='sheet'><h3><a href='{link}'>{title}</a> <span>{says}</span></h3>"
            f"<div class='strip'>{pictures}</div></section>"
        )
    if parts and "is_corrupted" in table.columns:
        parts.append("<p class='hint'>A label in orange is not the true one.</p>")
    return "".join(parts)


def _picture(table: ExampleTable, row: int, score: str) -> str:
    label = _label(table, row)
    value = table.columns[score][row]
    words = escape(f"example {table.columns['id'][row]}, {label}, {score} {value:.4g}", quote=True)
    pixels = smaller(table.images[row : row + 1])[0]
    wrong = " class='wrong'" if "is_corrupted" in table.columns and table.columns["is_corrupted"][row] else ""
    return (
        f"<a href='#id={table.columns['id'][row]}'{wrong} title='{words}'>"
        f"<img src='{png_uri(pixels)}' alt='{words}'><i>{escape(label)}</i></a>"
    )


def _label(table: ExampleTable, row: int) -> str:
    for name in ("label_used", "label", "label_true"):
        if name in table.columns:
            return table.class_name(int(table.columns[name][row]))
    return ""
