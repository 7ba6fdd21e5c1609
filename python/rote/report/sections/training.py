"""While it learns: the curves, and the controls that tell augmentation from mere training."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from rote.report import figures
from rote.report.conditions import Study
from rote.report.embed import prose
from rote.report.gallery import Gallery
from rote.report.gathering import gather
from rote.report.layout import grid, how_to_read, panel_detail, panel_title, section, where_of
from rote.report.story import training as story


def curves(studies: Sequence[Study], gallery: Gallery) -> str:
    """The two curves, with and without augmentation."""
    panels = [
        gallery.panel(
            f"curves-{'with' if condition.augmented else 'without'}-augmentation",
            lambda condition=condition: figures.plot_curves(gather(condition.runs, "metrics.jsonl")),
            title=panel_title(study, condition),
            detail=panel_detail(study, condition, studies),
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
        if len(study.conditions) < 2 or len(kinds) < 2 or not any(_summaries(study)):
            continue
        note = story.steps_note(study)
        panels = [
            gallery.panel(
                "controls",
                lambda study=study: figures.plot_controls(_summaries(study)),
                title="The probe before and after training",
                detail=where_of(study, studies),
                finding="",
            )
        ]
        if any(c.curves("test", "probe_accuracy", c.headline_layer) for c in study.conditions):
            panels.append(
                gallery.panel(
                    "probe-along-training",
                    lambda study=study: figures.plot_probe_along_training(_measurements(study)),
                    title="The probe along training",
                    detail=where_of(study, studies),
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


def _summaries(study: Study) -> list[dict[str, Any]]:
    """One row a run, named by its condition; of an unfinished run the last measurement stands in."""
    rows = []
    for condition in study.conditions:
        for run in condition.runs:
            probe = run.number("probe_accuracy")
            if probe is None:
                probe = run.layer_probe(run.headline_layer, "final")
            if probe is None:
                continue
            rows.append(
                {
                    "condition": study.name_of(condition),
                    "labels": run.labels,
                    "augment": run.augment,
                    "seed": run.folder.name if run.seeds is None else run.seeds,
                    "probe_accuracy": probe,
                    "probe_accuracy_init": run.layer_probe(run.headline_layer, "init"),
                    "probe_accuracy_raw": run.raw_probe,
                    "probe_gain": run.number("probe_gain"),
                    "probe_gain_interval": run.interval("probe_gain_interval"),
                }
            )
    return rows


def _measurements(study: Study) -> list[dict[str, Any]]:
    """The probes of every condition; where several share labels and recipe, of the first."""
    first = {}
    for condition in study.conditions:
        first.setdefault((condition.labels, condition.augment), condition)
    return [row for condition in first.values() for row in gather(condition.runs, "metrics.jsonl")]
