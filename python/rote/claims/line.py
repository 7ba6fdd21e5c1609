"""One line of the table: a claim at one scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rote.claims.command import command_of
from rote.claims.criteria import BY_NUMBER
from rote.claims.criterion import Criterion
from rote.claims.judge import NOT_RUN, UNDECIDED, Part, State, together
from rote.claims.records import RunRecord


@dataclass(frozen=True)
class Line:
    """A claim at one scale.

    Attributes:
        criterion: the claim.
        scale: data, images, network, recipe, steps.
        covers: which of the criterion's scales this is.
        measured: the measured quantities with their intervals.
        seeds: number of seeds they are over.
        state: holds, fails, undecided or not run.
        reason: why it is undecided or not run; empty otherwise.
        commands: what makes the runs.
    """

    criterion: Criterion
    scale: str
    covers: str
    measured: str
    seeds: int
    state: State
    reason: str
    commands: tuple[str, ...]


def line(
    number: int,
    parts: Sequence[Part],
    runs: Iterable[RunRecord],
    *,
    covers: str | None = None,
    scale: str | None = None,
    notes: str = "",
    doubt: str = "",
) -> Line:
    """A claim that was measured.

    Args:
        number: of the claim.
        parts: what was measured; the number of seeds is the smallest number of values.
        runs: the runs it was measured in.
        covers: the criterion's scale; the data of the runs by default.
        scale: text of the scale; made from the first run by default.
        notes: what stands behind the measured quantities.
        doubt: a reason why the criterion is not met as it is meant, which leaves the claim undecided.
    """
    criterion, runs = BY_NUMBER[number], list(runs)
    seeds = min(len(part.values) for part in parts)
    state, reason = together(part.state for part in parts), ""
    if seeds < criterion.min_seeds:
        state, reason = UNDECIDED, f"{seeds} of {criterion.min_seeds} seeds"
    elif doubt:
        state, reason = UNDECIDED, doubt
    elif state == UNDECIDED:
        reason = f"interval or runs on both sides: {', '.join(p.name for p in parts if p.state == UNDECIDED)}"
    measured = "; ".join(str(part) for part in parts) + (f" ({notes})" if notes else "")
    return Line(
        criterion=criterion,
        scale=scale or scale_of(runs[0]),
        covers=covers or runs[0].data,
        measured=measured,
        seeds=seeds,
        state=state,
        reason=reason,
        commands=command_of(runs),
    )


def not_run(criterion: Criterion, covers: str, reason: str) -> Line:
    """A claim that nothing given can decide."""
    return Line(criterion, covers, covers, "", 0, NOT_RUN, reason, ())


def scale_of(run: RunRecord, *, steps: str | None = None, recipe: str | None = None) -> str:
    """Data, images, network, recipe, steps."""
    config, summary = run.config, run.summary
    network = str(config.get("model"))
    if config.get("width"):
        network += f" width {config['width']}"
    parts = [run.data, f"{run.number('images'):,.0f} images", network, recipe or run.recipe]
    if config.get("mixup") not in (None, "none"):
        parts[-1] += f" + mixup of {config['mixup']}"
    if steps or isinstance(summary.get("steps"), int):
        parts.append(steps or f"{summary['steps']:,} steps")
    return ", ".join(parts)
