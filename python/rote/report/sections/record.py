"""The end of the page: every run, what it was run on, the words, the sources."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rote.report import words
from rote.report.conditions import studies
from rote.report.embed import prose
from rote.report.layout import section
from rote.report.records import Run
from rote.report.tables.provenance import MANY, commands_list, environment_table, settings_details
from rote.report.tables.runs import benign_table, other_table, references_table


def all_runs(runs: Sequence[Run], others: Sequence[Run]) -> str:
    """Every run with its settings and numbers; `others` are those of experiments without a section."""
    benign = [run for study in studies(runs) for condition in study.conditions for run in condition.runs]
    body = benign_table(benign) if benign else ""
    if len(benign) > MANY:
        body = f"<details><summary>The {len(benign)} runs of benign memorization</summary>{body}</details>"
    references = references_table(benign)
    if references:
        body += f"<details><summary>The probe with other reference images</summary>{references}</details>"
    body += "".join(other_table(run) for run in others)
    if not body:
        return ""
    return section("runs", "All runs", "One row for each run, as its own summary states it.", body)


def provenance(runs: Sequence[Run]) -> str:
    """What was run and on what."""
    body = (
        environment_table(runs)
        + "<h3>Commands</h3>"
        + commands_list(runs)
        + "<h3>All settings</h3>"
        + settings_details(runs)
    )
    return section("provenance", "What was run, and on what", "", body)


def glossary() -> str:
    """The terms, explained."""
    terms = "".join(f"<div><dt>{escape(term)}</dt><dd>{prose(text)}</dd></div>" for term, text in words.GLOSSARY)
    return section("words", "Words", "", f"<dl class='glossary'>{terms}</dl>")


def sources(missing: Sequence[str], further: Sequence[str]) -> str:
    """The papers, and what this page leaves out for want of runs: of its main part (keys), and further
    (words).
    """
    items = "".join(f"<li><cite>{escape(name)}</cite><br>{escape(text)}</li>" for name, text in words.SOURCES)
    body = f"<ul class='sources'>{items}</ul>"
    if missing:
        absent = "".join(f"<li>{escape(words.LEFT_OUT[key])}</li>" for key in missing)
        said = "<h3 id='left-out'>Not on this page</h3><p>The run folders given hold nothing of this:</p>"
        body += f"{said}<ul>{absent}</ul>"
    if further:
        names = "; ".join(further)
        body += f"<p class='note'>Further sections appear where their runs are given: {escape(names)}.</p>"
    return section("sources", "Where this comes from", "", body)
