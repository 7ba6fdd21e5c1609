"""The parts that every section is built from: headings, reading aids, grids, titles."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rote.report import reading_aids
from rote.report.conditions import Condition, Study, distinction
from rote.report.embed import prose


def section(anchor: str, title: str, lead: str, body: str) -> str:
    """A section with its heading and one leading paragraph."""
    paragraph = f"<p class='lead'>{prose(lead)}</p>" if lead else ""
    return f'<section id="{anchor}"><h2>{escape(title)}</h2>{paragraph}{body}</section>'


def how_to_read(*keys: str) -> str:
    """The reading aid under a figure."""
    paragraphs = "".join(f"<p>{prose(reading_aids.HOW_TO_READ[key])}</p>" for key in keys)
    return f"<aside class='how'><h3>How to read it</h3>{paragraphs}</aside>"


def grid(panels: Sequence[str]) -> str:
    return f"<div class='grid{' one' if len(panels) == 1 else ''}'>{''.join(panels)}</div>"


def condition_title(condition: Condition) -> str:
    return f"With augmentation ({condition.augment})" if condition.augmented else "Without augmentation"


def where_of(study: Study, studies: Sequence[Study]) -> str:
    """Which study a figure belongs to; "" where the page has only one."""
    return "" if len(studies) == 1 else study.name


def panel_title(study: Study, condition: Condition) -> str:
    """A condition as the title of its figure."""
    if condition.labels == "random":
        return condition_title(condition)
    words_of_it = condition.words()
    return words_of_it[0].upper() + words_of_it[1:]


def panel_detail(study: Study, condition: Condition, studies: Sequence[Study]) -> str:
    """What tells a condition from others of the same title."""
    return "; ".join(part for part in (where_of(study, studies), study.distinction_of(condition)) if part)


def detail_among(condition: Condition, others: Sequence[Condition]) -> str:
    """What a condition was run on, what tells it from others of its experiment, and its number of seeds."""
    parts = [_run_on(condition)]
    twins = [c for c in others if (c.words(), _run_on(c)) == (condition.words(), _run_on(condition))]
    if len(twins) > 1:
        parts.append(distinction(condition, twins))
    if len(condition.runs) > 1:
        parts.append(f"{len(condition.runs)} seeds")
    return "; ".join(parts)


def _run_on(condition: Condition) -> str:
    """Data, network and number of images: a page may hold several of each."""
    run = condition.first
    images = run.number("images") or run.setting("images")
    told = (run.data, run.setting("model"), images and f"{int(images):,} images")
    return ", ".join(str(part) for part in told if part)
