"""`rote report RUN... [--out FILE] [--formats svg,pdf,csv,tex] [--claims]`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from rote.cli.options import parse


@dataclass(frozen=True)
class ReportOptions:
    """Options of `rote report`."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Run folders, or folders of run folders."""
    out: Path = Path("report.html")
    """The page; its figures are written to figures/ beside it."""
    formats: tuple[Literal["svg", "pdf", "png", "csv", "tex"], ...] = ("svg", "png", "csv")
    """Files of each figure: drawings (svg, pdf, png), and the numbers drawn (csv, or tex: a booktabs table)."""
    claims: bool = False
    """Judge the claims by these runs and show the table of them on the page."""


def run(arguments: Sequence[str]) -> int:
    """Writes one page over the given runs."""
    options = parse(
        ReportOptions, arguments, prog="rote report", description="Tables and figures of run folders as one HTML page."
    )
    from rote.report import write_page

    folders = run_folders(options.runs)
    judged = []
    if options.claims:
        from rote.claims import claims_table
        from rote.claims.table import cells

        judged = [cells(line) for line in claims_table(folders)]
    page = write_page(folders, options.out, formats=options.formats, claims=judged)
    print(f"page: {page}")
    return 0


def run_folders(given: Sequence[Path], *, command: str = "rote report") -> list[Path]:
    """The run folders among and directly inside the given folders, in order.

    Args:
        given: the folders.
        command: who asks, for the error text.

    Raises:
        ValueError: none given, or a folder that neither is a run nor holds one.
    """
    if not given:
        raise ValueError(f"{command} needs at least one run folder")
    found: list[Path] = []
    for folder in given:
        if (folder / "config.json").exists():
            inside = [folder]
        else:
            inside = sorted(path.parent for path in folder.glob("*/config.json"))
        if not inside:
            raise ValueError(f"{folder} is not a run folder and holds none")
        found += [path for path in inside if path not in found]
    return found
