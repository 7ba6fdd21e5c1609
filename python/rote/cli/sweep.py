"""`rote sweep EXPERIMENT --grid FIELD=VALUE,VALUE ... --seeds N [options of the experiment]`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rote.cli.main import complain
from rote.cli.options import parse

if TYPE_CHECKING:
    from rote.experiments import ExperimentConfig
    from rote.experiments.sweep import SweepOptions, SweepPlan

_USAGE = """usage: rote sweep EXPERIMENT --grid FIELD=VALUE[,VALUE...] [--grid ...] [--seeds N] [options]

A grid of runs of one experiment. Finished runs are recognised by their folders and skipped; the same command goes on.
Values are separated by commas; where a value itself is a list (--grid "widths=4,8;16,32") by semicolons.
"""


def run(arguments: Sequence[str]) -> int:
    """Plans the sweep, prints its cost, makes what is missing, and writes the tables."""
    from rote import experiments
    from rote.experiments import sweep

    names = experiments.CONFIGS
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_USAGE + "\nexperiments: " + ", ".join(names))
        return 0 if arguments else 2
    name, words = arguments[0], list(arguments[1:])
    if name not in names:
        return complain(f"no experiment {name!r}; there are {', '.join(names)}")
    if {"-h", "--help"} & set(words):
        print(f"{_USAGE}The experiment's own options: rote run {name} --help.\n")
        parse(sweep.SweepOptions, ["--help"], prog=f"rote sweep {name}", description="Options of the sweep.")
        return 0
    words, grids = _take_all(words, "--grid")
    words, presets = _take_all(words, "--preset")
    kind = names[name]
    default = experiments.preset(presets[-1], name) if presets else kind()
    own, rest = _split(words, sweep.SweepOptions)
    options = parse(sweep.SweepOptions, own, prog=f"rote sweep {name}", description=_USAGE)
    default = parse(kind, rest, prog=f"rote sweep {name}", description=kind.title, default=default)
    plan = sweep.sweep_plan(default, _grid(grids, default), options.seeds)
    return _make(plan, options)


def _make(plan: SweepPlan, options: SweepOptions) -> int:
    from rote.experiments import Stopped, sweep
    from rote.experiments.sweep.cost import cost_lines

    print("\n".join(cost_lines(plan, workers=options.workers, forecast=not options.no_forecast)))
    print(f"  sweep folder: {plan.folder}", flush=True)
    if options.dry_run:
        for item in plan.runs:
            print(f"  {item.run_id:>5}  {item.words}  {item.folder.name}{'  (there)' if item.finished else ''}")
        return 0
    try:
        result = sweep.make(plan, options)
    except Stopped as stopped:
        print(f"rote: {stopped}", file=sys.stderr)
        return 130
    if result.skipped + result.made:
        for path in sweep.write_tables(plan, options.metrics):
            print(f"table: {path}")
    print(f"runs: {result.made} made, {result.skipped} there before, {len(result.failed)} failed")
    for item, message in result.failed:
        print(f"rote: {item.words}: {message}", file=sys.stderr)
    return 1 if result.failed else 0


def _grid(texts: Sequence[str], default: ExperimentConfig) -> dict[str, tuple[Any, ...]]:
    """FIELD=VALUE,VALUE of every --grid, each value read as the experiment's own option reads it."""
    grid: dict[str, tuple[Any, ...]] = {}
    fields = {field.name for field in dataclasses.fields(default)}
    for text in texts:
        field, equals, values = text.partition("=")
        field = field.strip().lstrip("-").replace("-", "_")
        if not equals or not values.strip():
            raise ValueError(f"--grid must be like lr=1e-3,3e-3; got {text!r}")
        if field not in fields:
            raise ValueError(f"--grid {field}: {default.name_of_experiment} has no such option")
        if field in grid:
            raise ValueError(f"--grid {field} is given twice")
        grid[field] = tuple(
            _value(default, field, value.strip()) for value in values.split(";" if ";" in values else ",")
        )
    return grid


def _value(default: ExperimentConfig, field: str, text: str) -> Any:
    option = "--" + field.replace("_", "-")
    current = getattr(default, field)
    if isinstance(current, bool):
        if text.lower() not in ("true", "false"):
            raise ValueError(f"--grid {field} must be of true and false; got {text!r}")
        return text.lower() == "true"
    parsed = parse(
        type(default), [option, text], prog=f"rote sweep {default.name_of_experiment}", description="", default=default
    )
    return getattr(parsed, field)


def _take_all(words: Sequence[str], option: str) -> tuple[list[str], list[str]]:
    """Takes every `option VALUE` and `option=VALUE` out of the words."""
    left, values = [], []
    rest = iter(words)
    for word in rest:
        if word == option:
            value = next(rest, None)
            if value is None or value.startswith("--"):
                raise ValueError(f"{option} needs a value")
            values.append(value)
        elif word.startswith(option + "="):
            values.append(word[len(option) + 1 :])
        else:
            left.append(word)
    return left, values


def _split(words: Sequence[str], kind: type) -> tuple[list[str], list[str]]:
    """The words of the sweep's own options, and those of the experiment."""
    names = {"--" + field.name.replace("_", "-") for field in dataclasses.fields(kind)}
    own: list[str] = []
    rest: list[str] = []
    target = rest
    for word in words:
        if word.startswith("--"):
            target = own if word.partition("=")[0].replace("_", "-") in names else rest
        target.append(word)
    return own, rest
