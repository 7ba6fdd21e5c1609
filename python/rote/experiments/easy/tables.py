"""The tables of `easy`, from what every network got wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rote.metrics.error_rates import binomial_rates, over_dispersion, over_dispersion_within
from rote.metrics.split_half import reliability

BINOMIAL = "binomial"
# Points of a curve; with 1,000 examples each is a mean of ten.
BINS = 100
# Examples of either end that are named.
NAMED = 32


def kind_row(kind: str, wrong: np.ndarray, half: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """The row of easy.csv of one kind.

    Args:
        kind: its name.
        wrong: bool [R, N], whether network r was wrong about example i.
        half: bool [R], the networks that examples are sorted by.
        labels: int64 [N], the labels trained on.
    """
    runs, examples = wrong.shape
    rates = wrong.mean(0)
    p = float(rates.mean())
    found = over_dispersion(wrong)
    return {
        "kind": kind,
        "runs": runs,
        "examples": examples,
        "error_rate": p,
        "variance": float(rates.var(ddof=1)),
        "variance_binomial": p * (1 - p) / runs,
        "over_dispersion": found.ratio,
        "over_dispersion_low": found.low,
        "over_dispersion_high": found.high,
        "over_dispersion_within": over_dispersion_within(wrong, labels),
        "split_half": reliability(wrong, half).reliability,
        "always_right": float((rates == 0).mean()),
        "always_wrong": float((rates == 1).mean()),
    }


def curve_rows(wrong: Mapping[str, np.ndarray], half: np.ndarray) -> list[dict[str, Any]]:
    """The rows of easy_curve.csv: sorted error rates, and those of equally hard examples.

    `error_rate` is sorted by one half of the networks and measured in the other, so that chance shows no order;
    `error_rate_sorted` is sorted by itself, all networks, as the paper draws it. The binomial has the mean error rate
    under randX (of the first kind, where randX was not run); sorted by another half it is flat.
    """
    rows = []
    for kind, errors in wrong.items():
        order = np.argsort(errors[half].mean(0), kind="stable")
        rows += _points(kind, errors[~half].mean(0)[order], np.sort(errors.mean(0)))
    reference = wrong.get("randX", next(iter(wrong.values())))
    runs, examples = reference.shape
    p = float(reference.mean())
    return rows + _points(BINOMIAL, np.full(examples, p), binomial_rates(runs, p, examples))


def extreme_rows(
    wrong: Mapping[str, np.ndarray],
    half: np.ndarray,
    examples: Mapping[str, np.ndarray],
    used: Mapping[str, np.ndarray],
) -> list[dict[str, Any]]:
    """The rows of easy_extremes.csv: easiest and hardest examples by one half, with their rates in the other.

    Args:
        wrong: per kind bool [R, N].
        half: bool [R].
        examples: `id` and `label_true`, int64 [N].
        used: per kind the labels trained on, int64 [N].
    """
    rows = []
    for kind, errors in wrong.items():
        sorting, other = errors[half].mean(0), errors[~half].mean(0)
        order = np.argsort(sorting, kind="stable")
        ends = {"easiest": order[:NAMED], "hardest": order[::-1][:NAMED]}
        for end, chosen in ends.items():
            rows += [
                {
                    "kind": kind,
                    "end": end,
                    "place": place,
                    "id": int(examples["id"][n]),
                    "label_true": int(examples["label_true"][n]),
                    "label_used": int(used[kind][n]),
                    "error_rate_sorted_by": float(sorting[n]),
                    "error_rate": float(other[n]),
                }
                for place, n in enumerate(chosen, start=1)
            ]
    return rows


def _points(kind: str, held_out: np.ndarray, own: np.ndarray) -> list[dict[str, Any]]:
    bins = np.array_split(np.arange(len(own)), min(BINS, len(own)))
    return [
        {
            "kind": kind,
            "share": float((members.mean() + 0.5) / len(own)),
            "error_rate": float(held_out[members].mean()),
            "error_rate_sorted": float(own[members].mean()),
        }
        for members in bins
    ]
