"""What the memorization runs show."""

from __future__ import annotations

from collections.abc import Sequence

from rote.report.numbers import count, percent
from rote.report.rows import Row

# Networks from which single scores may be quoted; the same number as in the command's own text.
SINGLE_SCORES_FROM = 1000


def caution(summaries: Sequence[Row]) -> str:
    """What must not be read from few networks."""
    fewest = min((row["runs"] for row in summaries), default=0)
    errors = [row["standard_error"] for row in summaries if row.get("standard_error") is not None]
    error = f", a standard error of {max(errors):.3f} an example" if errors else ""
    if fewest >= SINGLE_SCORES_FROM:
        return f"{count(fewest)} networks{error}."
    return f"{count(fewest)} networks{error}: enough to rank, and no single score is to be quoted."


def ranking_finding(summaries: Sequence[Row]) -> str:
    """How well planted errors are found, with its interval, and the mean scores."""
    ranked = [row for row in summaries if row.get("auc") is not None]
    if ranked:
        areas = ", ".join(f"{row['auc']:.3f}" for row in ranked)
        low, high = min(row["auc_low"] for row in ranked), max(row["auc_high"] for row in ranked)
        within = "95 % interval" if len(ranked) == 1 else "all 95 % intervals within"
        return (
            f"The scores rank wrong labels above right ones with an area under the curve of {areas} "
            f"({within} {low:.3f} to {high:.3f})."
        )
    means = [percent(row["memorization_mean"]) for row in summaries if row.get("memorization_mean") is not None]
    return f"Mean score {', '.join(means)}." if means else ""


def halves_finding(summaries: Sequence[Row]) -> str:
    """The correlation of the halves, and the reliability of all networks."""
    known = [row for row in summaries if row.get("half_correlation") is not None]
    texts = [
        f"correlation {row['half_correlation']:.2f}, reliability of all {count(row['runs'])} networks "
        f"{row['split_half']:.2f}"
        for row in known
    ]
    return ("; ".join(texts).capitalize() + ".").replace("-", "\u2212") if texts else ""


def influence_finding(summary: Row) -> str:
    """The number of pairs, beside the number that chance alone would make."""
    pairs, opposite = summary.get("influence_pairs"), summary.get("influence_pairs_opposite")
    if pairs is None or opposite is None:
        return ""
    chance = f"as large with the other sign, as chance makes them, {count(opposite)}"
    text = f"{count(pairs)} pairs of high influence; {chance}."
    return text + (" Most may be chance: more networks are needed." if 2 * opposite > pairs else "")
