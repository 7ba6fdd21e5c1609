"""The tables of the page: every run with its settings and numbers, capacity rows, and where it was run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from rote.report import numbers
from rote.report.conditions import Condition
from rote.report.records import Run, finite

Column = tuple[str, bool]  # heading, whether its cells are numbers (aligned to the right)


def table(columns: Sequence[Column], rows: Sequence[Sequence[object]], *, caption: str = "") -> str:
    """An HTML table in a frame of its own that scrolls sideways where the screen is narrow."""
    head = "".join(f'<th scope="col"{_number(right)}>{escape(name)}</th>' for name, right in columns)
    body = "".join(
        "<tr>"
        + "".join(
            _cell(value, right, first=i == 0) for i, (value, (_, right)) in enumerate(zip(row, columns, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption or "table")}">'
        f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def badge(verdict: str) -> str:
    """A verdict as a coloured word."""
    if not verdict:
        return numbers.NONE
    kind = {"benign": "good", "malign": "bad"}.get(verdict, "open")
    return f'<span class="badge {kind}">{escape(verdict)}</span>'


class Html(str):
    """Text that is HTML already and must not be escaped again."""


def benign_table(runs: Sequence[Run]) -> str:
    """All `benign` runs, one row each."""
    columns: list[Column] = [
        ("labels", False),
        ("augmentation", False),
        ("seed", True),
        ("verdict", False),
        ("gain, points", True),
        ("95 % interval", True),
        ("train clean", True),
        ("train new views", True),
        ("train running", True),
        ("probe raw pixels", True),
        ("probe before", True),
        ("probe after", True),
        ("probe projector", True),
        ("images", True),
        ("steps", True),
        ("time", True),
        ("data", False),
        ("network", False),
        ("learning rate", True),
        ("batch", True),
        ("folder", False),
    ]
    rows = []
    for run in runs:
        if not run.finished:
            verdict: str = "unfinished"
        else:
            verdict = Html(badge(run.verdict)) if run.verdict else numbers.NONE
        accuracies = [
            numbers.percent(run.number(name))
            for name in (
                "train_accuracy",
                "train_accuracy_fresh_views",
                "train_accuracy_running",
                "probe_accuracy_raw",
                "probe_accuracy_init",
                "probe_accuracy",
                "probe_accuracy_projector",
            )
        ]
        images = run.number("images") or finite(run.setting("images"))
        rate = finite(run.setting("lr"))
        rows.append(
            [
                run.labels,
                run.augment,
                numbers.NONE if run.seed is None else str(run.seed),
                verdict,
                numbers.points(run.number("probe_gain")),
                numbers.points_interval(run.interval("probe_gain_interval")),
                *accuracies,
                numbers.count(images),
                numbers.count(run.steps),
                numbers.seconds(run.number("seconds")),
                run.data,
                run.setting("model", numbers.NONE),
                numbers.NONE if rate is None else f"{rate:g}",
                numbers.count(finite(run.setting("batch_size"))),
                run.folder.name,
            ]
        )
    return table(columns, rows, caption="Benign memorization: all runs")


def references_table(runs: Sequence[Run]) -> str:
    """The probe under other reference sets than the headline's; "" where no run measured any."""
    columns: list[Column] = [
        ("labels", False),
        ("augmentation", False),
        ("seed", True),
        ("references", False),
        ("images in it", True),
        ("k", True),
        ("batch norm", False),
        ("probe after", True),
    ]
    rows = [
        [
            run.labels,
            run.augment,
            numbers.NONE if run.seed is None else str(run.seed),
            m.extras.get("references", "all"),
            numbers.count(finite(m.extras.get("n_references"))),
            numbers.count(finite(m.extras.get("k"))),
            m.extras.get("bn") or numbers.NONE,
            numbers.percent(m.value),
        ]
        for run in runs
        if len(run.reference_probes) > 1
        for m in run.reference_probes
    ]
    return table(columns, rows, caption="The probe with other reference images") if rows else ""


def capacity_rows_table(condition: Condition) -> str:
    """Every row of the capacity runs of one condition."""
    columns: list[Column] = [
        ("views B", True),
        ("labels", False),
        ("pool N × B", True),
        ("accuracy on the pool", True),
        ("bits (Fano)", True),
        ("bits (code length)", True),
        ("bits per parameter", True),
        ("parameters", True),
        ("steps", True),
        ("visits of an image", True),
        ("visits of a view", True),
        ("distinct views", True),
        ("ceiling by collisions", True),
        ("budget-limited", False),
        ("seed", True),
    ]
    words = {"same": "one per image", "random": "one per view"}
    rows = [
        [
            numbers.count(finite(row.get("views"))),
            words.get(str(row["label_mode"]), str(row["label_mode"])),
            numbers.count(finite(row.get("pool"))),
            numbers.percent(finite(row.get("accuracy_pool"))),
            numbers.count(finite(row.get("bits_fano"))),
            numbers.count(finite(row.get("bits_code_length"))),
            numbers.significant(finite(row.get("bits_per_parameter"))),
            numbers.count(finite(row.get("parameters"))),
            numbers.count(finite(row.get("steps"))),
            numbers.count(finite(row.get("visits"))),
            numbers.count(finite(row.get("visits_per_view"))),
            numbers.count(finite(row.get("distinct_views"))),
            numbers.percent(finite(row.get("accuracy_ceiling"))),
            {True: "yes", False: "no"}.get(row.get("budget_limited"), numbers.NONE),
            numbers.NONE if run.seed is None else str(run.seed),
        ]
        for run in condition.runs
        for row in run.rows
    ]
    return table(columns, rows, caption="Capacity: every point of the curve")


def other_table(run: Run) -> str:
    """The headline numbers of an experiment that has no section of its own."""
    flat = [(key, value) for key, value in run.summary.items() if not isinstance(value, (dict, list))]
    rows = [[key, _plain(value)] for key, value in flat]
    return table([("number", False), ("value", True)], rows, caption=f"{run.experiment}: {run.folder.name}")


def environment_table(runs: Sequence[Run]) -> str:
    """Where and with what the runs were made; what all share is said once."""
    rows: list[list[object]] = []
    keys = dict.fromkeys(key for run in runs for key in run.environment if key not in ("command", "identity", "hash"))
    for key in keys:
        values = list(dict.fromkeys(_plain(run.environment[key]) for run in runs if key in run.environment))
        shown = values[0] if len(values) == 1 else _range(key, values)
        if shown:
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
    """The complete settings of every run, folded away."""
    parts = []
    for run in runs:
        text = json.dumps(dict(run.config), indent=1, sort_keys=True, default=str, ensure_ascii=False)
        parts.append(
            f"<details><summary>{escape(run.folder.name)}</summary><pre tabindex='0'>{escape(text)}</pre></details>"
        )
    return "".join(parts)


def _range(key: str, values: Sequence[str]) -> str:
    if key in ("created", "opened", "started", "finished", "date"):
        return f"{min(values)} to {max(values)}"
    return " | ".join(values[:4]) + (f" | and {len(values) - 4} more" if len(values) > 4 else "")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        items = {key: _plain(item) for key, item in value.items()}
        return ", ".join(f"{key} {text}" for key, text in items.items() if text)
    if isinstance(value, (list, tuple)):
        return ("; " if any(isinstance(item, Mapping) for item in value) else ", ").join(map(_plain, value))
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _number(right: bool) -> str:
    return ' class="n"' if right else ""


def _cell(value: object, right: bool, *, first: bool) -> str:
    content = value if isinstance(value, Html) else escape(str(value))
    return f'<th scope="row"{_number(right)}>{content}</th>' if first else f"<td{_number(right)}>{content}</td>"
