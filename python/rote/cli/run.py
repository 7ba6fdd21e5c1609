"""`rote run EXPERIMENT [options]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rote.cli.main import complain


def run(arguments: Sequence[str]) -> int:
    """Runs one experiment to its end, or goes on with it where it stopped."""
    from rote import experiments
    from rote.runs import RunError, load_run

    names = experiments.CONFIGS
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_usage(names))
        return 0 if arguments else 2
    name, words = arguments[0], list(arguments[1:])
    if name not in names:
        return complain(f"no experiment {name!r}; there are {', '.join(names)}")
    config_class = names[name]
    words, earlier = _take_option(words, "--from-run")
    default = config_class()
    if earlier is not None:
        stored = load_run(Path(earlier))
        if stored.experiment != name:
            raise RunError(f"--from-run {earlier} is a run of {stored.experiment!r}, not of {name!r}")
        default = config_class.from_dict(stored.config)

    from rote.cli.options import parse

    config = parse(
        config_class,
        words,
        prog=f"rote run {name}",
        description=f"{config_class.title}\n\n--from-run DIR takes the options of an earlier run as defaults.",
        default=default,
    )
    try:
        result = experiments.EXPERIMENTS[name](config)
    except experiments.Stopped as stopped:
        print(f"rote: {stopped}", file=sys.stderr)
        return 130
    page = _page(result.dir)
    for line in experiments.headline(result):
        print(line)
    print(f"run folder: {result.dir}")
    print(f"page: {page}")
    return 0


def _page(folder: Path) -> Path:
    """The run's own page; made again only when the run is newer, so that a finished run returns at once."""
    from rote.report import write_page

    page, summary = folder / "report.html", folder / "summary.json"
    if page.exists() and page.stat().st_mtime_ns >= summary.stat().st_mtime_ns:
        return page
    return write_page([folder], page)


def _take_option(words: list[str], option: str) -> tuple[list[str], str | None]:
    """Takes `option VALUE` or `option=VALUE` out of the words: its value decides the defaults of all others."""
    for position, word in enumerate(words):
        if word == option:
            if position + 1 == len(words):
                raise ValueError(f"{option} needs the folder of a run")
            return words[:position] + words[position + 2 :], words[position + 1]
        if word.startswith(option + "="):
            return words[:position] + words[position + 1 :], word[len(option) + 1 :]
    return words, None


def _usage(names) -> str:
    lines = ["usage: rote run EXPERIMENT [options]", "", "experiments:"]
    lines += [f"  {name:<10}  {config.title}" for name, config in names.items()]
    lines += ["", "`rote run EXPERIMENT --help` lists its options."]
    return "\n".join(lines)
