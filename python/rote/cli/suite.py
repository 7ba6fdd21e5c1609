"""`rote run suite`: all runs that the claims need, the table of claims and the page."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rote.cli.options import parse

if TYPE_CHECKING:
    from rote.experiments.suite.forecast import SuiteForecast
    from rote.experiments.suite.plan import Planned


def run(arguments: Sequence[str]) -> int:
    """Makes every run of the plan that is missing, then table and page."""
    from rote.experiments.base.stopping import Stopped
    from rote.experiments.suite.forecast import SuiteForecast, forecast_suite
    from rote.experiments.suite.plan import SuiteConfig, plan

    config = parse(
        SuiteConfig,
        arguments,
        prog="rote run suite",
        description="Makes all runs that the claims need, each once, the most telling first; what is there already "
        "is not run again. Ends with the table of claims (claims.csv, claims.md) and the page.",
    )
    planned = plan(config)
    expected = None if config.dry_run else SuiteForecast.remembered(config.out, planned)
    expected = expected or forecast_suite(config, planned)
    print("\n".join(expected.lines()), flush=True)
    if config.dry_run:
        return 0
    expected.remember(config.out)
    try:
        diverged = make(planned, expected, config.out)
    except Stopped as stopped:
        print(f"rote: {stopped}", file=sys.stderr)
        return 130
    finish(config.out)
    for line in diverged:
        print(f"rote: {line}", file=sys.stderr)
    return 1 if diverged else 0


def make(planned: Sequence[Planned], expected: SuiteForecast, out: Path) -> list[str]:
    """Makes the runs one after another and says how far the whole is.

    Returns:
        A line for each run that diverged; the others do not wait for it, and its claim has a seed less.

    Raises:
        Stopped: Ctrl-C; the state is saved, and the same command goes on.
    """
    from rote.experiments import EXPERIMENTS
    from rote.train import TrainingDiverged

    diverged = []
    for number, item in enumerate(planned, start=1):
        name = item.config.name_of_experiment
        left, claims = expected.left(number - 1), ", ".join(map(str, item.claims))
        print(
            f"rote: run {number} of {len(planned)}, {item.part} (claims {claims}), {left} left",
            file=sys.stderr,
        )
        begin = time.monotonic()
        try:
            EXPERIMENTS[name](item.config)
        except TrainingDiverged as error:
            diverged.append(f"run {number} of {len(planned)} ({item.part}, seed {item.config.seed}): {error}")
            print(f"rote: {diverged[-1]}", file=sys.stderr)
            continue
        expected.took(number - 1, time.monotonic() - begin)
        expected.remember(out)
    return diverged


def finish(out: Path) -> None:
    """Prints the table of claims over the runs in a folder, and writes it and the page beside them."""
    from rote import claims
    from rote.cli.claims import write_tables
    from rote.report import write_page

    folders = sorted(path.parent for path in out.glob("*/config.json"))
    lines = claims.claims_table(folders)
    write_tables(out, lines)
    print(claims.as_text(lines))
    print(f"\ntable: {out / 'claims.csv'}, {out / 'claims.md'}", flush=True)
    page = write_page(folders, out / "report.html", claims=[claims.cells(line) for line in lines])
    print(f"page: {page}")
