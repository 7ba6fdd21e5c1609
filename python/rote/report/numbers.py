"""Numbers as the page writes them: one form for each kind, so that a number reads the same everywhere."""

from __future__ import annotations

from rote.report.conditions import Estimate

NONE = "–"  # an en dash where nothing was measured


def percent(value: float | None) -> str:
    """0.9139 -> "91.4 %" (with a no-break space)."""
    return NONE if value is None else f"{100 * value:.1f}\u00a0%".replace("-", "\u2212")


def points(value: float | None) -> str:
    """0.1556 -> "+15.6", a difference of two percentages, with a true minus sign."""
    if value is None:
        return NONE
    text = f"{100 * value:+.1f}"
    return text.replace("-", "\u2212") if float(text) else "0.0"


def points_interval(interval: tuple[float, float] | None) -> str:
    """(0.115, 0.197) -> "+11.5 to +19.7"."""
    return NONE if interval is None else f"{points(interval[0])} to {points(interval[1])}"


def estimate_percent(found: Estimate | None) -> str:
    """Mean, with the half width of the 95 % interval where there are three seeds or more."""
    if found is None:
        return NONE
    if found.interval is None:
        return percent(found.mean)
    half = (found.interval[1] - found.interval[0]) / 2
    if half < 0.0005:
        return percent(found.mean)
    return f"{100 * found.mean:.1f}\u00a0±\u00a0{100 * half:.1f}\u00a0%"


def count(value: float | int | None) -> str:
    """3600 -> "3,600"."""
    return NONE if value is None else f"{value:,.0f}"


def seconds(value: float | None) -> str:
    """21.4 -> "21 s", 312 -> "5 min 12 s"."""
    if value is None:
        return NONE
    whole = round(value)
    if whole < 60:
        return f"{value:.1f}\u00a0s" if value < 10 else f"{whole}\u00a0s"
    if whole < 3600:
        return f"{whole // 60}\u00a0min {whole % 60:02d}\u00a0s"
    return f"{whole // 3600}\u00a0h {whole % 3600 // 60:02d}\u00a0min"


def significant(value: float | None, digits: int = 3) -> str:
    """0.71234 -> "0.712", with a true minus sign (in an exponent, too)."""
    if value is None:
        return NONE
    return (f"{value:.{digits}g}" if abs(value) < 1000 else count(value)).replace("-", "\u2212")


def several(n: int, one: str, many: str | None = None) -> str:
    """(1, "run") -> "1 run"; (3, "run") -> "3 runs"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
