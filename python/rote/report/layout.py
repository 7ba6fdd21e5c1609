"""The parts that every section is built from: headings, reading aids, grids, titles."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rote.report import words
from rote.report.conditions import Condition, Study
from rote.report.embed import prose


def section(anchor: str, title: str, lead: str, body: str) -> str:
    """A section with its heading and one leading paragraph."""
    paragraph = f"<p class='lead'>{prose(lead)}</p>" if lead else ""
    return f'<section id="{anchor}"><h2>{escape(title)}</h2>{paragraph}{body}</section>'


def how_to_read(*keys: str) -> str:
    """The reading aid under a figure."""
    paragraphs = "".join(f"<p>{prose(words.HOW_TO_READ[key])}</p>" for key in keys)
    return f"<aside class='how'><h3>How to read it</h3>{paragraphs}</aside>"


def grid(panels: Sequence[str]) -> str:
    return f"<div class='grid{' one' if len(panels) == 1 else ''}'>{''.join(panels)}</div>"


def condition_title(condition: Condition) -> str:
    return f"With augmentation ({condition.augment})" if condition.augmented else "Without augmentation"


def where_of(study: Study, studies: Sequence[Study]) -> str:
    return "" if len(studies) == 1 else f" ({study.data}, {study.model})"


def panel_title(study: Study, condition: Condition, studies: Sequence[Study]) -> str:
    title = condition_title(condition)
    if condition.labels != "random":
        title = study.name_of(condition)
    elif study.distinction_of(condition):
        title += ", " + study.distinction_of(condition)
    return title + where_of(study, studies)
