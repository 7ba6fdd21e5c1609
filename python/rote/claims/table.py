"""The table of claims: made from run folders, printed as text, Markdown, CSV or HTML."""

from __future__ import annotations

import csv
import html
import io
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from rote.claims import (
    rows_benign,
    rows_capacity,
    rows_csr,
    rows_depth,
    rows_easy,
    rows_inside,
    rows_location,
    rows_noise,
    rows_recipes,
    rows_regularize,
    rows_sensitivity,
    rows_size,
    rows_trajectories,
)
from rote.claims.criteria import CRITERIA
from rote.claims.criterion import CIFAR, NARROW, Criterion
from rote.claims.evidence import Evidence
from rote.claims.judge import STATES
from rote.claims.line import Line, not_run
from rote.claims.records import read_records

ROWS = {
    **rows_benign.ROWS,
    **rows_inside.ROWS,
    **rows_capacity.ROWS,
    **rows_recipes.ROWS,
    **rows_noise.ROWS,
    **rows_easy.ROWS,
    **rows_sensitivity.ROWS,
    **rows_csr.ROWS,
    **rows_trajectories.ROWS,
    **rows_depth.ROWS,
    **rows_regularize.ROWS,
    **rows_size.ROWS,
    **rows_location.ROWS,
}

COLUMNS = ("number", "claim", "measured", "seeds", "scale", "state", "reason", "criterion", "command")


def claims_table(folders: Iterable[Path | str]) -> list[Line]:
    """Judges every claim by the finished runs in the given run folders.

    Args:
        folders: run folders; none is allowed, and then nothing was run.

    Returns:
        At least one line for each claim, by number; one for each data set, size and recipe where there are several.

    Raises:
        CorruptRunFile: a run's file is damaged or lacks what a claim reads.

    Example:
        >>> for line in rote.claims.claims_table(Path("runs").iterdir()):
        ...     print(line.criterion.number, line.state)
    """
    finished, unfinished = read_records([Path(folder) for folder in folders])
    evidence = Evidence(finished)
    lines: list[Line] = []
    for criterion in CRITERIA:
        own = list(ROWS[criterion.number](evidence)) if criterion.number in ROWS else []
        lines += own
        covered = {line.covers for line in own}
        lines += [
            not_run(criterion, scale, _why_not(criterion, scale, evidence, len(unfinished)))
            for scale in criterion.scales
            if scale not in covered
        ]
    return lines


def _why_not(criterion: Criterion, scale: str, evidence: Evidence, unfinished: int) -> str:
    reason = f"no runs: {criterion.needs}"
    if scale in (CIFAR, NARROW) and not any(run.data == CIFAR for run in evidence.records):
        reason = f"data: no run on {CIFAR}; it takes {criterion.needs}"
    return f"{reason} ({unfinished} given runs are not finished)" if unfinished else reason


def cells(line: Line) -> dict[str, str]:
    """The line as text, by column: number, claim, measured, seeds, scale, state, reason, criterion, command."""
    return {
        "number": str(line.criterion.number),
        "claim": line.criterion.claim,
        "measured": line.measured,
        "seeds": str(line.seeds),
        "scale": line.scale,
        "state": line.state,
        "reason": line.reason,
        "criterion": line.criterion.holds_when,
        "command": "; ".join(line.commands),
    }


def as_csv(lines: Sequence[Line]) -> str:
    """The table as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells(line) for line in lines)
    return out.getvalue()


def as_markdown(lines: Sequence[Line]) -> str:
    """The table as GitHub's Markdown, and the commands below it."""
    shown = ("number", "claim", "measured", "seeds", "scale", "state", "criterion")
    head = ("#", "claim", "measured, mean [95 % t interval]", "seeds", "scale", "state", "holds when")
    text = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for line in lines:
        own = cells(line)
        own["state"] = f"**{line.state}**" + (f": {line.reason}" if line.reason else "")
        text.append("| " + " | ".join(_markdown_cell(own[key]) for key in shown) + " |")
    commands = list(dict.fromkeys(command for line in lines for command in line.commands))
    if commands:
        text += ["", "The runs are made by:", "", "```", *commands, "```"]
    return "\n".join([*text, ""])


def as_html(lines: Sequence[Line]) -> str:
    """The table as an HTML fragment, for a page."""
    rows = []
    for line in lines:
        own = {key: html.escape(value) for key, value in cells(line).items()}
        state = f"<strong>{own['state']}</strong>" + (f"<br><small>{own['reason']}</small>" if line.reason else "")
        command = f"<br><details><summary>command</summary><code>{own['command']}</code></details>"
        rows.append(
            f"<tr class='claim-{line.state.replace(' ', '-')}'><td>{own['number']}</td>"
            f"<td>{own['claim']}<br><small>{own['criterion']}</small></td>"
            f"<td>{own['measured']}{command if line.commands else ''}</td><td>{own['seeds']}</td>"
            f"<td>{own['scale']}</td><td>{state}</td></tr>"
        )
    head = "<th>#</th><th>Claim</th><th>Measured</th><th>Seeds</th><th>Scale</th><th>State</th>"
    return f"<table class='claims'><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def as_text(lines: Sequence[Line], *, width: int = 118) -> str:
    """The table for a terminal: a paragraph a line."""
    text = []
    for line in lines:
        own = cells(line)
        text.append(f"{own['number']:>2}  {line.state.upper():<9}  {own['claim']}")
        if line.measured:
            text += _wrapped(own["measured"], width)
            text += _wrapped(f"{own['seeds']} {'seed' if line.seeds == 1 else 'seeds'}, {own['scale']}", width)
        if line.reason:
            text += _wrapped(own["reason"] if line.measured else f"{own['scale']}: {own['reason']}", width)
        text += _wrapped(f"holds when: {own['criterion']}", width)
    text.append("")
    counts = {state: sum(line.state == state for line in lines) for state in STATES}
    text.append(", ".join(f"{count} {state}" for state, count in counts.items() if count))
    return "\n".join(text)


def _wrapped(text: str, width: int) -> list[str]:
    indent = " " * 15
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent + "  ")


def _markdown_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
