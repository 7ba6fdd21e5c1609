"""`rote claims RUN... [--format text|markdown|csv|html] [--out FILE] [--store DIR]`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from rote.cli.options import parse
from rote.cli.report import run_folders


@dataclass(frozen=True)
class ClaimsOptions:
    """Options of `rote claims`."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Run folders, or folders of run folders; stored results as well."""
    format: Literal["text", "markdown", "csv", "html"] = "text"
    """Form of the table."""
    out: Path | None = None
    """File to write the table to, in place of printing it."""
    store: Path | None = None
    """Folder to store the results in: config, summary and small tables of each run, and claims.csv, claims.md."""


def run(arguments: Sequence[str]) -> int:
    """Prints the table of claims over the given runs."""
    options = parse(
        ClaimsOptions,
        arguments,
        prog="rote claims",
        description="Judges the claims by run folders: each with its measured values, 95 % intervals over seeds, "
        "scale, criterion and command. holds, fails, undecided, or not run with the reason.",
    )
    from rote import claims
    from rote.runs.whole_files import write_bytes

    folders = run_folders(options.runs, command="rote claims")
    lines = claims.claims_table(folders)
    forms = {
        "text": claims.as_text,
        "markdown": claims.as_markdown,
        "csv": claims.as_csv,
        "html": claims.as_html,
    }
    table = forms[options.format](lines)
    if options.store is not None:
        stored = claims.store(folders, options.store)
        write_tables(options.store, lines)
        print(f"stored: {len(stored)} runs in {options.store}")
    if options.out is not None:
        write_bytes(options.out, table.encode("utf-8"))
        print(f"table: {options.out}")
    else:
        print(table.rstrip("\n"))
    return 0


def write_tables(folder: Path, lines: Sequence) -> None:
    """Writes claims.csv and claims.md."""
    from rote import claims
    from rote.runs.whole_files import write_bytes

    write_bytes(folder / "claims.csv", claims.as_csv(lines).encode("utf-8"))
    write_bytes(folder / "claims.md", claims.as_markdown(lines).encode("utf-8"))
