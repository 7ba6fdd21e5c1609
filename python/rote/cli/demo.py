"""`rote demo`: from nothing to a page that shows memorization turn benign."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from rote.cli.options import parse


def run(arguments: Sequence[str]) -> int:
    """Makes every run of the grid and one page over all of them."""
    from rote.experiments.base.stopping import Stopped
    from rote.experiments.demo import DemoConfig, demo
    from rote.experiments.probing.headline import headline

    config = parse(
        DemoConfig,
        arguments,
        prog="rote demo",
        description="Random, true and fresh labels on real digits, with and without augmentation, and the capacity of "
        "a tiny network: a few minutes on two CPU cores. What is there already is not run again.",
    )
    begin = time.monotonic()
    runs = []
    try:
        for finished in demo(config):
            runs.append(finished)
            print("\n".join(headline(finished)), flush=True)
    except Stopped as stopped:
        print(f"rote: {stopped}", file=sys.stderr)
        return 130

    from rote.report import write_page

    page = write_page([finished.dir for finished in runs], config.out / "report.html")
    print(f"{len(runs)} runs in {time.monotonic() - begin:.0f} seconds")
    print(f"page: {page}")
    return 0
