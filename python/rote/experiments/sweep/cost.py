"""What a sweep will cost, told before it starts."""

from __future__ import annotations

from rote.experiments.forecasting.forecaster import Forecaster, duration
from rote.experiments.sweep.plan import SweepPlan


def cost_lines(plan: SweepPlan, *, workers: int = 1, forecast: bool = True) -> list[str]:
    """Runs in all, those that are there, and the time expected for the others.

    Args:
        plan: the sweep.
        workers: processes that share the work.
        forecast: whether to time a few steps of one seed of every combination.
    """
    missing = [run for run in plan.runs if not run.finished]
    dials = " x ".join(f"{len(values)} {name}" for name, values in plan.grid.items()) or "one combination"
    lines = [
        f"sweep of {plan.experiment}: {len(plan.runs):,} runs ({dials}, {plan.seeds} seeds), "
        f"{len(plan.runs) - len(missing):,} of them there"
    ]
    if not forecast or not missing:
        return lines
    forecaster = Forecaster(same_process=True)
    total, unknown, at_most = 0.0, 0, False
    for combination in plan.combinations:
        own = [run for run in combination if not run.finished]
        if not own:
            continue
        try:
            expected = forecaster.forecast(own[0].config)
        except ValueError:
            unknown += len(own)
            continue
        at_most |= expected.at_most
        unknown += len(own) * any(part.seconds is None for part in expected.parts)
        total += len(own) * sum(part.seconds or 0.0 for part in expected.parts)
    if total:
        shared = f" by {workers} workers" if workers > 1 else ""
        lines.append(f"  {'at most' if at_most else 'about'} {duration(total / workers)}{shared}, timed on a few steps")
    if unknown:
        lines.append(f"  of {unknown:,} runs {'(a part of) ' if total else ''}the time is not known before")
    return lines
