"""Numbers measured in one or several seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from rote.statistics import t_quantile


@dataclass(frozen=True)
class Estimate:
    """A number measured in one or several seeds; `interval` is the 95 % t interval, from three seeds on."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        n = len(self.values)
        if n < 3:
            return None
        half = t_quantile(n - 1) * statistics.stdev(self.values) / math.sqrt(n)
        return self.mean - half, self.mean + half


def estimate(values: Iterable[float | None]) -> Estimate | None:
    """The estimate of the values that exist, None if there is none."""
    found = tuple(value for value in values if value is not None)
    return Estimate(found) if found else None


@dataclass(frozen=True)
class Line:
    """A least-squares line y = intercept + slope x, with 95 % t intervals (the textbook formulas)."""

    slope: float
    intercept: float
    slope_interval: tuple[float, float] | None
    n: int
    mean_x: float
    spread_x: float  # sum (x - mean)^2
    deviation: float  # residual standard deviation

    def at(self, x: float) -> float:
        return self.intercept + self.slope * x

    def interval_at(self, x: float) -> tuple[float, float] | None:
        """95 % interval of the line itself (not of a new point) at x."""
        if self.n < 3:
            return None
        half = t_quantile(self.n - 2) * self.deviation * math.sqrt(1 / self.n + (x - self.mean_x) ** 2 / self.spread_x)
        return self.at(x) - half, self.at(x) + half


def fit_line(x: Iterable[float], y: Iterable[float]) -> Line | None:
    """The least-squares line through points; None with fewer than two different x."""
    xs, ys = list(map(float, x)), list(map(float, y))
    n = len(xs)
    if len(set(xs)) < 2:
        return None
    mx, my = statistics.fmean(xs), statistics.fmean(ys)
    sxx = sum((a - mx) ** 2 for a in xs)
    slope = sum((a - mx) * (b - my) for a, b in zip(xs, ys, strict=True)) / sxx
    residual = sum((b - my - slope * (a - mx)) ** 2 for a, b in zip(xs, ys, strict=True))
    deviation = math.sqrt(residual / (n - 2)) if n > 2 else math.nan
    half = t_quantile(n - 2) * deviation / math.sqrt(sxx) if n > 2 else None
    interval = None if half is None else (slope - half, slope + half)
    return Line(slope, my - slope * mx, interval, n, mx, sxx, deviation)
