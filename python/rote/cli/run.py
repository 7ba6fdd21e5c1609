"""`rote run EXPERIMENT [options]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rote.cli.main import complain

if TYPE_CHECKING:
    from rote.experiments import ExperimentConfig

SUITE = "suite"
_DEFAULTS = """

--preset paper|quick|laptop takes the options of a whole protocol as defaults; --from-run DIR those of an earlier run.
--dry-run prints steps, samples, time and memory expected on this machine, and starts nothing."""


def run(arguments: Sequence[str]) -> int:
    """Runs one experiment to its end, or goes on with it where it stopped."""
    from rote import experiments

    names = experiments.CONFIGS
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_usage(names))
        return 0 if arguments else 2
    name, words = arguments[0], list(arguments[1:])
    if name == SUITE:
        from rote.cli import suite

        return suite.run(words)
    if name not in names:
        return complain(f"no experiment {name!r}; there are {', '.join([*names, SUITE])}")
    words, earlier = _take_option(words, "--from-run", "the folder of a run")
    words, preset = _take_option(words, "--preset", f"one of {', '.join(experiments.PRESETS)}")
    dry = "--dry-run" in words
    words = [word for word in words if word != "--dry-run"]

    from rote.cli.options import parse
    from rote.train import first_process, torchrun_count

    config = parse(
        names[name],
        words,
        prog=f"rote run {name}",
        description=names[name].title + _DEFAULTS,
        default=_default(name, earlier, preset),
    )
    if dry:
        return _dry_run(config)
    speaks = first_process()  # of several that torchrun started
    if name != "benign" and torchrun_count() > 1:
        return complain(f"under torchrun there is benign alone; run {name} as one process")
    try:
        result = experiments.EXPERIMENTS[name](config)
    except experiments.Stopped as stopped:
        if speaks:
            print(f"rote: {stopped}", file=sys.stderr)
        return 130
    if not speaks:
        return 0
    page = _page(result.dir)
    for line in experiments.headline(result):
        print(line)
    print(f"run folder: {result.dir}")
    print(f"page: {page}")
    return 0


def _default(name: str, earlier: str | None, preset: str | None) -> ExperimentConfig:
    """What the options are where they are not given."""
    from rote import experiments
    from rote.runs import RunError, load_run

    kind = experiments.CONFIGS[name]
    if earlier is not None and preset is not None:
        raise ValueError("--preset and --from-run both give the defaults; take one of them")
    if preset is not None:
        return experiments.preset(preset, name)
    if earlier is None:
        return kind()
    stored = load_run(Path(earlier))
    if stored.experiment != name:
        raise RunError(f"--from-run {earlier} is a run of {stored.experiment!r}, not of {name!r}")
    return kind.from_dict(stored.config)


def _dry_run(config: ExperimentConfig) -> int:
    from rote.experiments.forecasting.forecaster import Forecaster

    print("rote: timing a few steps and evaluations", file=sys.stderr)
    print("\n".join(Forecaster().forecast(config).lines()))
    return 0


def _page(folder: Path) -> Path:
    """The run's own page; made again only when the run is newer, so that a finished run returns at once."""
    from rote.report import write_page

    page, summary = folder / "report.html", folder / "summary.json"
    if page.exists() and page.stat().st_mtime_ns >= summary.stat().st_mtime_ns:
        return page
    return write_page([folder], page)


def _take_option(words: list[str], option: str, wanted: str) -> tuple[list[str], str | None]:
    """Takes `option VALUE` or `option=VALUE` out of the words: its value decides the defaults of all others."""
    for position, word in enumerate(words):
        if word == option:
            if position + 1 == len(words):
                raise ValueError(f"{option} needs {wanted}")
            return words[:position] + words[position + 2 :], words[position + 1]
        if word.startswith(option + "="):
            return words[:position] + words[position + 1 :], word[len(option) + 1 :]
    return words, None


def _usage(names) -> str:
    width = max(map(len, (*names, SUITE)))
    lines = ["usage: rote run EXPERIMENT [options]", "", "experiments:"]
    lines += [f"  {name:<{width}}  {config.title}" for name, config in names.items()]
    lines += [f"  {SUITE:<{width}}  All runs that the claims need, and the table of claims"]
    lines += ["", "`rote run EXPERIMENT --help` lists its options."]
    return "\n".join(lines)
