"""`rote bench`: runs the benchmark suites of a source checkout."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rote.cli.main import complain


def run(arguments: Sequence[str]) -> int:
    """Hands all words to pytest in the benchmarks folder; installed packages do not carry it."""
    if arguments and arguments[0] in ("-h", "--help"):
        print(
            "usage: rote bench [pytest options]\n\nRuns the suites of the benchmarks folder (pytest-benchmark) of a "
            "source checkout on this machine,\ne.g. `rote bench -k knn --benchmark-json=knn.json`."
        )
        return 0
    folder = benchmarks_folder()
    if folder is None:
        return complain("the benchmarks are part of the source checkout, not of the installed package; run it there")
    command = [sys.executable, "-m", "pytest", "-q", folder.name, *arguments]
    return subprocess.run(command, check=False, cwd=folder.parent).returncode


def benchmarks_folder() -> Path | None:
    """benchmarks/ of the checkout we stand in or run from; None where there is neither."""
    for root in (Path.cwd(), Path(__file__).resolve().parents[3]):
        if (root / "benchmarks").is_dir() and (root / "csrc").is_dir():
            return root / "benchmarks"
    return None
