"""The command that makes given runs again, written from their configs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from rote.claims.records import SEEDS, RunRecord

_PLACE = ("out", "name", "fresh", "device", "root", "decoder", "execution", "keep_checkpoints", "replicas", *SEEDS)


def command_of(runs: Iterable[RunRecord]) -> tuple[str, ...]:
    """One command for each condition among the runs; runs that differ in their seed alone share one.

    Options at their defaults are left out, and so are places; a data set that is read from a folder asks for `--root`.
    """
    seeds_of: dict[str, list[int]] = {}
    for run in runs:
        seeds = seeds_of.setdefault(_without_seed(run), [])
        if run.config["seed"] not in seeds:
            seeds.append(run.config["seed"])
    return tuple(_with_seeds(words, sorted(seeds)) for words, seeds in seeds_of.items())


def _without_seed(run: RunRecord) -> str:
    from rote.experiments import CONFIGS

    words = [f"rote run {run.experiment}"]
    kind = CONFIGS.get(run.experiment)
    defaults = {}
    for field in dataclasses.fields(kind) if kind else ():
        given = field.default is not dataclasses.MISSING
        defaults[field.name] = field.default if given else None
    for key, value in run.config.items():
        if key in _PLACE or key == "seed" or (key in defaults and _plain(defaults[key]) == value) or value is None:
            continue
        option = key.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
            continue
        words.append(f"--{option} {_word(value)}".rstrip())
        if key == "data" and value not in ("digits",):
            words.append("--root DIR")
    for key in SEEDS:
        if run.config.get(key) != run.config["seed"]:
            words.append(f"--{key.replace('_', '-')} {run.config.get(key)}")
    return " ".join(words)


def _with_seeds(words: str, seeds: list[int]) -> str:
    if len(seeds) == 1:
        return f"{words} --seed {seeds[0]}"
    return f"for seed in {' '.join(map(str, seeds))}; do {words} --seed $seed; done"


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _word(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(_word, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
