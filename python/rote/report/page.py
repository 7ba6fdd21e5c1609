"""Puts the page together: one HTML file that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from rote.report import numbers, opening, sections, story, style, words
from rote.report.conditions import Study, group_by_condition, studies
from rote.report.embed import write_whole
from rote.report.gallery import Gallery
from rote.report.reading import RunFolderError, read_run
from rote.report.records import Run

_CONTENTS = (
    ("answer", "Answer"),
    ("done", "What was done"),
    ("curves", "While it learns"),
    ("controls", "The cause"),
    ("layers", "Where"),
    ("capacity", "How much fits"),
    ("runs", "All runs"),
    ("provenance", "Provenance"),
    ("words", "Words"),
)


def write_page(run_dirs: Sequence[Path | str], out: Path | str, *, title: str | None = None) -> Path:
    """Makes a self-contained HTML page of run folders, and its figures as SVG and PNG in `figures/`.

    The page needs no network, no script and no font of its own, and follows the reader's light or dark theme.
    A section whose runs are not given is left out, and the page says so.

    Args:
        run_dirs: one or more run folders; those of one experiment, or of several.
        out: the HTML file to write; its folder is made. It appears whole: written aside, then renamed.
        title: the page's headline; by default a sentence made from the verdicts.

    Returns:
        The path of the page.

    Raises:
        RunFolderError: a folder is no run folder or holds a broken file; the message names the file.
        ValueError: no run folder is given, or one is given twice.
    """
    folders = [Path(folder) for folder in run_dirs]
    if not folders:
        raise ValueError("run_dirs must name at least one run folder, got none")
    resolved = [folder.resolve() for folder in folders]
    if len(set(resolved)) < len(resolved):
        twice = next(folder for folder in resolved if resolved.count(folder) > 1)
        raise ValueError(f"run_dirs must name each run folder once, got {twice} twice")
    runs = [read_run(folder) for folder in folders]
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, _page(runs, out.parent / "figures", title).encode("utf-8"))
    return out


def _page(runs: Sequence[Run], figures: Path, title: str | None) -> str:
    gallery = Gallery(figures)
    groups = studies(runs)
    capacity = group_by_condition([run for run in runs if run.experiment == "capacity"])
    parts = {
        "answer": opening.answer(groups),
        "done": opening.procedure(groups, runs, gallery),
        "curves": sections.curves(groups, gallery),
        "controls": sections.controls(groups, gallery),
        "layers": sections.layers(groups, gallery),
        "capacity": sections.capacity(capacity, gallery),
        "runs": sections.all_runs(runs),
        "provenance": sections.provenance(runs),
        "words": sections.glossary(),
    }
    missing = _missing(groups, parts)
    head = title or story.headline(groups, bool(capacity))
    contents = "".join(f'<a href="#{key}">{escape(name)}</a>' for key, name in _CONTENTS if parts[key])
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(head)}</title><style>{_stylesheet()}</style></head><body>"
        f"<header class='top'><p class='kicker'>{escape(_kicker(runs, groups))}</p><h1>{escape(head)}</h1>"
        f"{_opening(runs, groups)}<nav aria-label='Contents'>{contents}</nav></header>"
        f"<main>{''.join(parts.values())}{sections.sources(missing)}</main>"
        "<footer><p>Made by Rote from run folders. Every number on this page stands in a summary.json or "
        "metrics.jsonl; "
        "the figures lie beside it in figures/ as SVG and PNG.</p></footer></body></html>\n"
    )


def _kicker(runs: Sequence[Run], groups: Sequence[Study]) -> str:
    data = ", ".join(dict.fromkeys(run.data for run in runs))
    models = ", ".join(dict.fromkeys(str(run.setting("model")) for run in runs if run.setting("model")))
    return " · ".join(part for part in ("Rote", data, models, numbers.several(len(runs), "run")) if part)


def _opening(runs: Sequence[Run], groups: Sequence[Study]) -> str:
    text = "".join(f"<p class='question'>{escape(story.question(study))}</p>" for study in groups)
    unfinished = [run.folder.name for run in runs if not run.finished]
    if unfinished:
        names = ", ".join(unfinished)
        text += (
            f"<p class='warning'>Not finished: {escape(names)}. "
            "What is shown of it is where it stands; it has no verdict.</p>"
        )
    return text


def _missing(groups: Sequence[Study], parts: dict[str, str]) -> list[str]:
    """Keys of `words.LEFT_OUT` that apply."""
    kinds = {(c.labels, c.augmented) for study in groups for c in study.conditions}
    absent = {
        "with": ("random", True) not in kinds,
        "without": ("random", False) not in kinds,
        "controls": not any(labels in ("true", "fresh") for labels, _ in kinds),
        "views": "id='views'" not in parts["done"],
        **{key: not parts[key] for key in ("curves", "layers", "capacity")},
    }
    return [key for key in words.LEFT_OUT if absent[key]]


def _stylesheet() -> str:
    light = "".join(f"--{name}:{value};" for name, (value, _) in style.THEME.items())
    dark = "".join(f"--{name}:{value};" for name, (_, value) in style.THEME.items())
    theme = f":root{{{light}}}@media (prefers-color-scheme: dark){{:root{{{dark}}}}}"
    return theme + files("rote.report").joinpath("page.css").read_text(encoding="utf-8")


__all__ = ["RunFolderError", "write_page"]
