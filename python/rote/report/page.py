"""Puts the page together: one HTML file that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from rote.report import numbers, style, words
from rote.report.conditions import Study, group_by_condition, studies
from rote.report.contents import SECTIONS, SHOWN, Material
from rote.report.exporting import FORMATS
from rote.report.gallery import DEFAULT_FORMATS, Gallery
from rote.report.protocols import main
from rote.report.reading import RunFolderError, read_run
from rote.report.records import Run
from rote.report.rows import Row
from rote.report.sections import record
from rote.report.story import opening as story
from rote.report.story.short import Opening, openings
from rote.runs.whole_files import write_bytes

# Whose absence is told among what the main part of the page lacks.
_MAIN = ("curves", "layers", "capacity")


def write_page(
    run_dirs: Sequence[Path | str],
    out: Path | str,
    *,
    title: str | None = None,
    formats: Sequence[str] = DEFAULT_FORMATS,
    claims: Sequence[Row] = (),
) -> Path:
    """Makes a self-contained HTML page of run folders, and its figures and their numbers as files in `figures/`.

    The page needs no network, no script and no font of its own, and follows the reader's light or dark theme.
    A section whose runs are not given is left out, and the page says so.

    Args:
        run_dirs: one or more run folders; those of one experiment, or of several.
        out: the HTML file to write; its folder is made. It appears whole: written aside, then renamed.
        title: the page's headline; by default a sentence made from the verdicts.
        formats: of the files in `figures/`: any of "svg", "pdf", "png", "csv" (the numbers drawn) and "tex" (the same
            as a LaTeX table).
        claims: rows of the table of claims, shown as they are.

    Returns:
        The path of the page.

    Raises:
        RunFolderError: a folder is no run folder or holds a broken file; the message names the file.
        ValueError: no run folder is given, or one is given twice, or a format is unknown.
    """
    unknown = [kind for kind in formats if kind not in FORMATS]
    if unknown:
        raise ValueError(f"formats must be out of {', '.join(FORMATS)}; got {', '.join(map(str, unknown))}")
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
    write_bytes(out, _page(runs, Gallery(out.parent / "figures", formats), title, claims).encode("utf-8"))
    return out


def _page(runs: Sequence[Run], gallery: Gallery, title: str | None, claimed: Sequence[Row]) -> str:
    everything = studies(runs)
    of = {kind: group_by_condition([run for run in runs if run.experiment == kind]) for kind in SHOWN}
    examined = {condition.augment for kind in ("layers", "invariance") for condition in of[kind]}
    groups = [main(study, examined) for study in everything]
    material = Material(runs, everything, groups, of, gallery, claimed)
    parts = {section.key: section.make(material) for section in SECTIONS}
    missing = _missing(groups, parts) if groups else []
    further = [section.further for section in SECTIONS if section.further and not parts[section.key]]
    short = [] if groups else openings(parts)
    head = title or story.headline(groups, [opening.heading for opening in short])
    contents = "".join(f'<a href="#{key}">{escape(name)}</a>' for key, name, *_ in SECTIONS if parts[key])
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(head)}</title><style>{_stylesheet()}</style></head><body>"
        f"<header class='top'><p class='kicker'>{escape(_kicker(runs, groups))}</p><h1>{escape(head)}</h1>"
        f"{_opening(runs, groups, short)}<nav id='contents' aria-label='Contents'>{contents}</nav></header>"
        f"<main>{''.join(parts.values())}{record.sources(missing, further)}</main>"
        "<footer><p>Made by Rote from run folders. Every number on this page is taken or reckoned from their "
        "summary.json, metrics.jsonl and CSV tables; the figures and their numbers lie beside it in figures/ "
        f"({', '.join(gallery.formats)}).</p></footer>"
        "<a class='up' href='#contents'>Contents</a></body></html>\n"
    )


def _kicker(runs: Sequence[Run], groups: Sequence[Study]) -> str:
    data = ", ".join(dict.fromkeys(run.data for run in runs))
    models = ", ".join(dict.fromkeys(str(run.setting("model")) for run in runs if run.setting("model")))
    return " · ".join(part for part in ("Rote", data, models, numbers.several(len(runs), "run")) if part)


def _opening(runs: Sequence[Run], groups: Sequence[Study], short: Sequence[Opening]) -> str:
    text = f"<p class='question'>{escape(story.question(groups[0]))}</p>" if groups else ""
    if len(short) == 1:
        text += f"<p class='question'>{escape(short[0].finding)}</p>"
    elif short:
        items = (f"<li><a href='#{key}'>{escape(name)}</a>: {escape(finding)}</li>" for key, name, finding in short)
        text += f"<ul class='facts'>{''.join(items)}</ul>"
    if len(groups) > 1:
        others = "; ".join(study.name for study in groups[1:])
        text += f"<p>The same was done on: {escape(others)}.</p>"
    unfinished = [run.folder.name for run in runs if not run.finished]
    if unfinished:
        names = ", ".join(unfinished)
        alone = len(unfinished) == 1
        stands = "it is where it stands; it has" if alone else "them is where they stand; they have"
        text += f"<p class='warning'>Not finished: {escape(names)}. What is shown of {stands} no verdict.</p>"
    return text


def _missing(groups: Sequence[Study], parts: dict[str, str]) -> list[str]:
    """Keys of `words.LEFT_OUT` that apply."""
    kinds = {(c.labels, c.augmented) for study in groups for c in study.conditions}
    absent = {
        "with": ("random", True) not in kinds,
        "without": ("random", False) not in kinds,
        "controls": not any(labels in ("true", "fresh") for labels, _ in kinds),
        "views": "id='views'" not in parts["done"],
        **{key: not parts[key] for key in _MAIN},
    }
    return [key for key in words.LEFT_OUT if absent.get(key)]


def _stylesheet() -> str:
    light = "".join(f"--{name}:{value};" for name, (value, _) in style.THEME.items())
    dark = "".join(f"--{name}:{value};" for name, (_, value) in style.THEME.items())
    theme = f":root{{{light}}}@media (prefers-color-scheme: dark){{:root{{{dark}}}}}"
    return theme + files("rote.report").joinpath("page.css").read_text(encoding="utf-8")


__all__ = ["RunFolderError", "write_page"]
