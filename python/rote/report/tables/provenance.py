"""Where and with what the runs were made."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path

from rote.report import numbers
from rote.report.records import Run
from rote.report.tables.html import plain, table

MANY = 24  # runs from which on lists of them are folded


def environment_table(runs: Sequence[Run]) -> str:
    """Where and with what the runs were made; what all share is said once."""
    rows: list[list[object]] = []
    keys = dict.fromkeys(key for run in runs for key in run.environment if key not in ("command", "identity", "hash"))
    for key in keys:
        found = dict.fromkeys(plain(run.environment[key]) for run in runs if key in run.environment)
        values = [value for value in found if value]  # a recipe without operations says nothing
        if values:
            shown = values[0] if len(values) == 1 else _range(key, values)
            rows.append([key.replace("_", " "), shown])
    total = sum(run.number("seconds") or 0.0 for run in runs)
    if total:
        rows.append(["time of all runs", numbers.seconds(total)])
    return table([("what", False), ("value", False)], rows, caption="Where it was run")


def commands_list(runs: Sequence[Run]) -> str:
    """The command line of every run, each once."""
    lines = []
    for run in runs:
        command = run.environment.get("command")
        if isinstance(command, (list, tuple)) and command:  # sys.argv: where the program lies is of no interest
            program = Path(str(command[0])).name
            program = "rote" if program == "__main__.py" else program  # python -m rote
            command = shlex.join([program, *map(str, command[1:])])
        lines.append(str(command) if command else f"# {run.folder.name}: no command recorded")
    return "<pre class='commands' tabindex='0'>" + escape("\n".join(dict.fromkeys(lines))) + "</pre>"


def settings_details(runs: Sequence[Run]) -> str:
    """The complete settings of every run, folded away; of many runs by experiment."""
    parts: dict[str, list[str]] = {}
    for run in runs:
        text = json.dumps(dict(run.config), indent=1, sort_keys=True, default=str, ensure_ascii=False)
        parts.setdefault(run.experiment, []).append(
            f"<details><summary>{escape(run.folder.name)}</summary><pre tabindex='0'>{escape(text)}</pre></details>"
        )
    if len(runs) <= MANY:
        return "".join(part for own in parts.values() for part in own)
    return "".join(
        f"<details><summary>{numbers.several(len(own), 'run')} of {escape(kind)}</summary>{''.join(own)}</details>"
        for kind, own in parts.items()
    )


def _range(key: str, values: Sequence[str]) -> str:
    if key in ("created", "opened", "started", "finished", "date"):
        return f"{min(values)} to {max(values)}"
    return " | ".join(values[:4]) + (f" | and {len(values) - 4} more" if len(values) > 4 else "")
