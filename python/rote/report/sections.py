"""The sections of the page. Each takes records and returns HTML, or "" where its runs are not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from rote.report import embed, figures, numbers, story, style, tables, words
from rote.report.conditions import Condition, Study, estimate
from rote.report.embed import prose
from rote.report.figures import sample_cells
from rote.report.reading import Run
from rote.report.views import ViewSamples

SAMPLE_ROWS, SAMPLE_VIEWS = 6, 7


@dataclass
class Gallery:
    """Draws figures, writes their files into `folder`, and hands out the elements that stand in the page."""

    folder: Path
    names: list[str] = field(default_factory=list)

    def panel(self, name: str, draw: Callable[[], Axes], *, title: str, finding: str) -> str:
        """One figure element: title, drawing, finding."""
        name = self._unique(name)
        with style.applied():
            axes = draw()
            document = embed.svg_text(axes.figure, name)
            embed.write_figure(axes.figure, document, self.folder, name)
        drawing = embed.inline_svg(document, f"{title}. {finding}")
        caption = f"<p class='finding'>{prose(finding)}</p>" if finding else ""
        return f"<figure><figcaption>{escape(title)}</figcaption>{drawing}{caption}</figure>"

    def file_only(self, name: str, draw: Callable[[], Axes]) -> None:
        """Writes the files of a figure that the page itself shows in another form."""
        name = self._unique(name)
        with style.applied():
            axes = draw()
            embed.write_figure(axes.figure, embed.svg_text(axes.figure, name), self.folder, name)

    def _unique(self, name: str) -> str:
        base, number = name, 1
        while name in self.names:
            number += 1
            name = f"{base}-{number}"
        self.names.append(name)
        return name


def section(anchor: str, title: str, lead: str, body: str) -> str:
    """A section with its heading and one leading paragraph."""
    paragraph = f"<p class='lead'>{prose(lead)}</p>" if lead else ""
    return f'<section id="{anchor}"><h2>{escape(title)}</h2>{paragraph}{body}</section>'


def how_to_read(*keys: str) -> str:
    """The reading aid under a figure."""
    paragraphs = "".join(f"<p>{prose(words.HOW_TO_READ[key])}</p>" for key in keys)
    return f"<aside class='how'><h3>How to read it</h3>{paragraphs}</aside>"


def condition_title(condition: Condition) -> str:
    return f"With augmentation ({condition.augment})" if condition.augmented else "Without augmentation"


def answer(studies: Sequence[Study]) -> str:
    """Verdict and headline numbers of every condition with random labels."""
    cards = [
        _card(study, condition, alone=len(studies) == 1) for study in studies for condition in study.random()
    ]
    if not cards:
        return ""
    conditions = [condition for study in studies for condition in study.random()]
    sentences = " ".join(story.in_short(condition) for condition in conditions) if len(studies) == 1 else ""
    short = f"<p class='short'>{prose(sentences)}</p>" if sentences and len(conditions) <= 3 else ""
    return section("answer", "The answer", "", f"{short}<div class='grid cards'>{''.join(cards)}</div>")


def _card(study: Study, condition: Condition, *, alone: bool) -> str:
    gain = condition.number("probe_gain")
    rows = [
        (
            "random labels known, training images",
            numbers.estimate_percent(condition.number("train_accuracy")),
            "",
        ),
        (
            "random labels known, new views of them",
            numbers.estimate_percent(condition.number("train_accuracy_fresh_views")),
            "",
        ),
        (
            "true classes read from the encoder (probe)",
            numbers.estimate_percent(condition.number("probe_accuracy")),
            "main",
        ),
        ("the same from raw pixels", numbers.estimate_percent(condition.raw_probe()), ""),
        ("the same before training", numbers.estimate_percent(condition.number("probe_accuracy_init")), ""),
        (
            "gain over the better of those two",
            numbers.points(gain.mean if gain else None) + " points",
            "main",
        ),
    ]
    body = "".join(
        f'<div class="{kind}"><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>'
        for name, value, kind in rows
    )
    verdict = condition.verdict
    meaning = words.VERDICTS.get(verdict, "This run has no verdict yet." if not verdict else "")
    where = "" if alone else f"<p class='where'>{escape(study.data)}, {escape(study.model)}</p>"
    apart = study.distinction_of(condition)
    title = condition_title(condition) + (f", {apart}" if apart else "")
    badge = tables.badge(verdict) if verdict else ""
    return (
        f"<article class='card'><header><h3>{escape(title)}</h3>{badge}</header>{where}"
        f"<p>{prose(meaning)}</p><dl>{body}</dl>"
        f"<p class='note'>{prose(story.card_notes(condition))}</p></article>"
    )


def procedure(studies: Sequence[Study], runs: Sequence[Run], gallery: Gallery) -> str:
    """What was done, in steps, and what the network was shown."""
    body = ""
    for study in studies:
        where = f"<h3>{escape(study.data)}, {escape(study.model)}</h3>" if len(studies) > 1 else ""
        items = "".join(f"<li>{prose(text)}</li>" for text in story.procedure(study))
        body += f"{where}<ol class='steps'>{items}</ol>"
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
        f"<img src='{embed.png_uri(cell)}' "
        f"alt='{escape(f'image of class {true}') if i == 0 else f'view {i}'}'>"
        for i, cell in enumerate(cells)
    )
    return (
        f"<div class='sample'><div class='tag'><b>{escape(used)}</b> <span>({escape(true)})</span></div>"
        f"<div class='strip' style='--views:{len(cells) - 1}'>{images}</div></div>"
    )


def curves(studies: Sequence[Study], gallery: Gallery) -> str:
    """The two curves, with and without augmentation."""
    panels = [
        gallery.panel(
            f"curves-{'with' if condition.augmented else 'without'}-augmentation",
            lambda condition=condition: figures.plot_curves(condition),
            title=_title(study, condition, studies),
            finding=story.curve_finding(condition),
        )
        for study in studies
        for condition in study.random() or study.conditions
        if condition.curves("train", "accuracy_clean")
        or condition.curves("test", "probe_accuracy", "encoder")
    ]
    if not panels:
        return ""
    lead = (
        "Two things are watched as the network learns: how much of its list it knows, and how well it sees."
    )
    return section("curves", "While it learns", lead, _grid(panels) + how_to_read("curves"))


def controls(studies: Sequence[Study], gallery: Gallery) -> str:
    """All conditions at equal steps."""
    body = []
    for study in studies:
        kinds = {(c.labels, c.augmented) for c in study.conditions}
        if len(study.conditions) < 2 or len(kinds) < 2:
            continue
        note = story.steps_note(study)
        panels = [
            gallery.panel(
                "controls",
                lambda study=study: figures.plot_controls(study),
                title="The probe before and after training" + _where(study, studies),
                finding="",
            )
        ]
        if any(c.curves("test", "probe_accuracy", "encoder") for c in study.conditions):
            panels.append(
                gallery.panel(
                    "probe-along-training",
                    lambda study=study: figures.plot_probe_along_training(study),
                    title="The probe along training" + _where(study, studies),
                    finding=note if study.equal_steps else "",
                )
            )
        facts = "".join(f"<li>{prose(text)}</li>" for text in story.control_findings(study))
        warning = "" if study.equal_steps else f"<p class='warning'>{escape(note)}</p>"
        body.append(warning + _grid(panels) + (f"<ul class='facts'>{facts}</ul>" if facts else ""))
    if not body:
        return ""
    lead = (
        "A network changes whenever it is updated. To tell what memorizing and augmentation do from what "
        "mere training does, "
        "the same network was trained under other conditions as well."
    )
    return section(
        "controls", "Is it the augmentation?", lead, "".join(body) + how_to_read("controls", "probe")
    )


def layers(studies: Sequence[Study], gallery: Gallery) -> str:
    """The probe by layer, before and after."""
    panels = [
        gallery.panel(
            f"layers-{'with' if condition.augmented else 'without'}-augmentation",
            lambda condition=condition: figures.plot_layers(condition),
            title=_title(study, condition, studies),
            finding=story.layer_finding(condition),
        )
        for study in studies
        for condition in study.random() or study.conditions
        if len(condition.layers) > 1
    ]
    if not panels:
        return ""
    lead = "The same question, asked of each layer in turn: can true classes be told from what it passes on?"
    return section("layers", "Where in the network", lead, _grid(panels) + how_to_read("layers"))


def capacity(conditions: Sequence[Condition], gallery: Gallery) -> str:
    """How many labels fit into a network, against the number of views per image."""
    body = []
    for condition in conditions:
        if not any(run.rows for run in condition.runs):
            continue
        size = estimate(row.get("parameters") for run in condition.runs for row in run.rows)
        images = condition.first.rows[0].get("images") if condition.first.rows else None
        parameters = numbers.count(size.mean if size else None)
        where = f"{condition.first.data}, {numbers.count(images)} images, {parameters} parameters"
        panels = [
            gallery.panel(
                "capacity",
                lambda condition=condition: figures.plot_capacity(condition),
                title="How much of the pool is known by heart",
                finding=story.capacity_finding(condition),
            )
        ]
        if figures.capacity_table(condition, "random", "bits_per_parameter"):
            panels.append(
                gallery.panel(
                    "bits-per-parameter",
                    lambda condition=condition: figures.plot_bits(condition),
                    title="Bits held per parameter",
                    finding=story.bits_finding(condition),
                )
            )
        rows = tables.capacity_rows_table(condition)
        folded = f"<details><summary>The numbers of the curve</summary>{rows}</details>"
        body.append(f"<h3>{escape(where)}</h3>{_grid(panels)}{folded}")
    if not body:
        return ""
    lead = (
        "Why should augmentation change anything? Because it multiplies what would have to be learnt by "
        "heart. Here the number "
        "of views is limited to B for each image and then raised, to see when a network is full."
    )
    return section(
        "capacity", "How much fits by heart", lead, "".join(body) + how_to_read("capacity", "bits")
    )


def all_runs(runs: Sequence[Run]) -> str:
    """Every run with its settings and numbers."""
    benign = [run for run in runs if run.experiment == "benign"]
    others = [run for run in runs if run.experiment not in ("benign", "capacity")]
    body = tables.benign_table(benign) + tables.references_table(benign) if benign else ""
    body += "".join(tables.other_table(run) for run in others)
    if not body:
        return ""
    return section("runs", "All runs", "One row for each run, as its own summary states it.", body)


def provenance(runs: Sequence[Run]) -> str:
    """What was run and on what."""
    body = (
        tables.environment_table(runs)
        + "<h3>Commands</h3>"
        + tables.commands_list(runs)
        + "<h3>All settings</h3>"
        + tables.settings_details(runs)
    )
    return section("provenance", "What was run, and on what", "", body)


def glossary() -> str:
    """The terms, explained."""
    terms = "".join(
        f"<div><dt>{escape(term)}</dt><dd>{prose(text)}</dd></div>" for term, text in words.GLOSSARY
    )
    return section("words", "Words", "", f"<dl class='glossary'>{terms}</dl>")


def sources(missing: Sequence[str]) -> str:
    """The papers, and what this page leaves out for want of runs."""
    items = "".join(f"<li><cite>{escape(name)}</cite><br>{escape(text)}</li>" for name, text in words.SOURCES)
    body = f"<ul class='sources'>{items}</ul>"
    if missing:
        absent = "".join(f"<li>{escape(words.LEFT_OUT[key])}</li>" for key in missing)
        said = "<h3 id='left-out'>Not on this page</h3><p>The run folders given hold nothing of this:</p>"
        body += f"{said}<ul>{absent}</ul>"
    return section("sources", "Where this comes from", "", body)


def _grid(panels: Sequence[str]) -> str:
    return f"<div class='grid{' one' if len(panels) == 1 else ''}'>{''.join(panels)}</div>"


def _where(study: Study, studies: Sequence[Study]) -> str:
    return "" if len(studies) == 1 else f" ({study.data}, {study.model})"


def _title(study: Study, condition: Condition, studies: Sequence[Study]) -> str:
    title = condition_title(condition)
    if condition.labels != "random":
        title = study.name_of(condition)
    elif study.distinction_of(condition):
        title += ", " + study.distinction_of(condition)
    return title + _where(study, studies)
