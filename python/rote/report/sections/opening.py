"""The opening sections: the answer, and what was done."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from rote.report import embed, figures, numbers, words
from rote.report.conditions import Condition, Study
from rote.report.embed import prose
from rote.report.figures.samples import sample_cells
from rote.report.gallery import Gallery
from rote.report.layout import condition_title, how_to_read, panel_detail, section
from rote.report.records import Run
from rote.report.story import opening as story
from rote.report.tables.html import badge
from rote.report.views import ViewSamples

SAMPLE_ROWS, SAMPLE_VIEWS = 6, 8


def answer(studies: Sequence[Study]) -> str:
    """Verdict and headline numbers of every condition with random labels."""
    cards = [_card(study, condition, studies) for study in studies for condition in study.random()]
    if not cards:
        return ""
    conditions = [condition for study in studies for condition in study.random()]
    sentences = " ".join(story.in_short(condition) for condition in conditions) if len(studies) == 1 else ""
    short = f"<p class='short'>{prose(sentences)}</p>" if sentences and len(conditions) <= 3 else ""
    return section("answer", "The answer", "", f"{short}<div class='grid cards'>{''.join(cards)}</div>")


def _card(study: Study, condition: Condition, studies: Sequence[Study]) -> str:
    gain = condition.number("probe_gain")
    rows = [
        ("random labels known, training images", condition.number("train_accuracy"), ""),
        ("random labels known, new views of them", condition.number("train_accuracy_fresh_views"), ""),
        ("true classes read from the encoder (probe)", condition.number("probe_accuracy"), "main"),
        ("the same from raw pixels", condition.raw_probe(), ""),
        ("the same before training", condition.number("probe_accuracy_init"), ""),
    ]
    if not condition.augmented:
        del rows[1]  # without augmentation the views are the images themselves
    shown = [(name, numbers.estimate_percent(found), kind) for name, found, kind in rows if found is not None]
    if gain is not None:
        shown.append(("gain over the better of those two", f"{numbers.points(gain.mean)} points", "main"))
    body = "".join(
        f'<div class="{kind}"><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>' for name, value, kind in shown
    )
    verdict = condition.verdict
    meaning = words.VERDICTS.get(verdict, "This run has no verdict yet." if not verdict else "")
    detail = panel_detail(study, condition, studies)
    where = f"<p class='where'>{escape(detail)}</p>" if detail else ""
    title = condition_title(condition)
    mark = badge(verdict) if verdict else ""
    return (
        f"<article class='card'><header><h3>{escape(title)}</h3>{mark}</header>{where}"
        f"<p>{prose(meaning)}</p><dl>{body}</dl>"
        f"<p class='note'>{prose(story.card_notes(condition))}</p></article>"
    )


def procedure(studies: Sequence[Study], gallery: Gallery) -> str:
    """What was done, in steps, and what the network was shown."""
    body = ""
    for study in studies:
        where = f"<h3>{escape(study.name)}</h3>" if len(studies) > 1 else ""
        items = "".join(f"<li>{prose(text)}</li>" for text in story.procedure(study))
        body += f"{where}<ol class='steps'>{items}</ol>"
    runs = [run for study in studies for condition in study.random() for run in condition.runs]
    return section("done", "What was done", "", body + sample_views(runs, gallery)) if body else ""


def sample_views(runs: Sequence[Run], gallery: Gallery) -> str:
    """A few images, the label each was given, and views of it: one sheet per data set and recipe."""
    sheets: dict[tuple[str, str], ViewSamples] = {}
    for run in runs:
        if run.samples is not None and run.labels == "random" and run.augmented:
            sheets.setdefault((run.data, run.samples.recipe or run.augment), run.samples)
    if not sheets:
        return ""
    body = []
    for (data, recipe), samples in sheets.items():
        shown = _cut(samples)
        gallery.file_only("views", lambda shown=shown: figures.plot_views(shown))
        rows = "".join(_sample_row(shown, row, cells) for row, cells in enumerate(sample_cells(shown)))
        body.append(
            f"<figure class='samples'><figcaption>{escape(data)}, recipe “{escape(recipe)}”</figcaption>"
            "<div class='sample head'><div class='tag'>label given (true class)</div>"
            f"<div class='strip' style='--views:{shown.views.shape[1]}'><span>image</span>"
            f"<span class='rest'>views of it</span></div></div>{rows}</figure>"
        )
    return f"<div id='views' class='beside'><div>{''.join(body)}</div>{how_to_read('views')}</div>"


def _cut(samples: ViewSamples) -> ViewSamples:
    rows, columns = slice(SAMPLE_ROWS), slice(SAMPLE_VIEWS)
    return ViewSamples(
        samples.originals[rows],
        samples.views[rows, columns],
        samples.label_true[rows],
        samples.label_used[rows],
        samples.image_ids[rows],
        samples.classes,
        samples.recipe,
    )


def _sample_row(samples: ViewSamples, row: int, cells: Sequence[np.ndarray]) -> str:
    used, true = (samples.class_name(int(labels[row])) for labels in (samples.label_used, samples.label_true))
    images = "".join(
        f"<img src='{embed.png_uri(cell)}' alt='{escape(f'image of class {true}') if i == 0 else f'view {i}'}'>"
        for i, cell in enumerate(cells)
    )
    return (
        f"<div class='sample'><div class='tag'><b>{escape(used)}</b> <span>({escape(true)})</span></div>"
        f"<div class='strip' style='--views:{len(cells) - 1}'>{images}</div></div>"
    )
