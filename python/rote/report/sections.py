"""The sections after the opening. Each takes records and returns HTML, or "" where its runs are not there."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rote.report import figures, figures_capacity, numbers, story, tables, words
from rote.report.conditions import Condition, Study, estimate
from rote.report.embed import prose
from rote.report.gallery import Gallery
from rote.report.layout import grid, how_to_read, panel_title, section, where_of
from rote.report.records import Run


def curves(studies: Sequence[Study], gallery: Gallery) -> str:
    """The two curves, with and without augmentation."""
    panels = [
        gallery.panel(
            f"curves-{'with' if condition.augmented else 'without'}-augmentation",
            lambda condition=condition: figures.plot_curves(condition),
            title=panel_title(study, condition, studies),
            finding=story.curve_finding(condition),
        )
        for study in studies
        for condition in study.random() or study.conditions
        if condition.curves("train", "accuracy_clean")
        or condition.curves("test", "probe_accuracy", condition.headline_layer)
    ]
    if not panels:
        return ""
    lead = "Two things are watched as the network learns: how much of its list it knows, and how well it sees."
    return section("curves", "While it learns", lead, grid(panels) + how_to_read("curves"))


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
                title="The probe before and after training" + where_of(study, studies),
                finding="",
            )
        ]
        if any(c.curves("test", "probe_accuracy", c.headline_layer) for c in study.conditions):
            panels.append(
                gallery.panel(
                    "probe-along-training",
                    lambda study=study: figures.plot_probe_along_training(study),
                    title="The probe along training" + where_of(study, studies),
                    finding=note if study.equal_steps else "",
                )
            )
        facts = "".join(f"<li>{prose(text)}</li>" for text in story.control_findings(study))
        warning = "" if study.equal_steps else f"<p class='warning'>{escape(note)}</p>"
        body.append(warning + grid(panels) + (f"<ul class='facts'>{facts}</ul>" if facts else ""))
    if not body:
        return ""
    lead = (
        "A network changes whenever it is updated. To tell what memorizing and augmentation do from what "
        "mere training does, "
        "the same network was trained under other conditions as well."
    )
    return section("controls", "Is it the augmentation?", lead, "".join(body) + how_to_read("controls", "probe"))


def layers(studies: Sequence[Study], gallery: Gallery) -> str:
    """The probe by layer, before and after."""
    panels = [
        gallery.panel(
            f"layers-{'with' if condition.augmented else 'without'}-augmentation",
            lambda condition=condition: figures.plot_layers(condition),
            title=panel_title(study, condition, studies),
            finding=story.layer_finding(condition),
        )
        for study in studies
        for condition in study.random() or study.conditions
        if len(condition.layers) > 1
    ]
    if not panels:
        return ""
    lead = "The same question, asked of each layer in turn: can true classes be told from what it passes on?"
    return section("layers", "Where in the network", lead, grid(panels) + how_to_read("layers"))


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
                lambda condition=condition: figures_capacity.plot_capacity(condition),
                title="How much of the pool is known by heart",
                finding=story.capacity_finding(condition),
            )
        ]
        if figures_capacity.capacity_table(condition, "random", "bits_per_parameter"):
            panels.append(
                gallery.panel(
                    "bits-per-parameter",
                    lambda condition=condition: figures_capacity.plot_bits(condition),
                    title="Bits held per parameter",
                    finding=story.bits_finding(condition),
                )
            )
        rows = tables.capacity_rows_table(condition)
        folded = f"<details><summary>The numbers of the curve</summary>{rows}</details>"
        body.append(f"<h3>{escape(where)}</h3>{grid(panels)}{folded}")
    if not body:
        return ""
    lead = (
        "Why should augmentation change anything? Because it multiplies what would have to be learnt by "
        "heart. Here the number "
        "of views is limited to B for each image and then raised, to see when a network is full."
    )
    return section("capacity", "How much fits by heart", lead, "".join(body) + how_to_read("capacity", "bits"))


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
    terms = "".join(f"<div><dt>{escape(term)}</dt><dd>{prose(text)}</dd></div>" for term, text in words.GLOSSARY)
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
