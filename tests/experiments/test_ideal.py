"""`ideal`: three conditions of one set of images, in one table."""

from __future__ import annotations

import csv

import pytest

from rote.experiments import ideal
from rote.runs import load_run


@pytest.fixture
def options(tiny):
    return {**tiny, "same_class_images": 3}


def test_three_conditions_of_the_same_images_labels_and_steps(options):
    run = ideal(**options)
    rows = list(csv.DictReader((run.dir / "ideal.csv").open()))
    assert [row["condition"] for row in rows] == ["none", "recipe", "same-class"]
    assert [row["recipe"] for row in rows] == ["none", "digits", "same-class"]
    members = [load_run(run.dir.parent / row["run"]) for row in rows]
    assert len({member.examples["id"].tobytes() for member in members}) == 1
    assert len({member.examples["label_used"].tobytes() for member in members}) == 1
    assert {member.summary["steps"] for member in members} == {8}
    assert [member.config["same_class_images"] for member in members] == [None, None, 3]
    for row, member in zip(rows, members, strict=True):
        for name in ("probe_accuracy", "probe_accuracy_init", "probe_accuracy_raw", "train_accuracy_fresh_views"):
            assert float(row[name]) == member.summary[name]
    summary = run.summary
    probes = [member.summary["probe_accuracy"] for member in members]
    assert [summary["probe_none"], summary["probe_recipe"], summary["probe_same_class"]] == probes
    assert summary["difference"] == probes[2] - probes[1]
    common = ("data", "images", "label_classes", "augment", "epochs", "steps", "seed", "parameters", "seconds")
    assert set(common) <= set(summary)
    assert summary["augment"] == "digits"
    # A view of an image is the image, something like it, or another image of its class.
    distances = [float(row["view_distance"]) for row in rows]
    assert distances[0] == 0 < distances[1]
    assert 0.5 < distances[2] < 1.1


def test_goes_on_with_the_condition_it_was_stopped_in(options, without_times, monkeypatch):
    straight = ideal(**{**options, "out": options["out"] / "straight"})
    from rote.experiments.benign import record as benign_record

    saved = benign_record.save_view_samples
    finished = []

    def stop_in_the_second(folder, *rest):
        finished.append(folder)
        if len(finished) == 2:
            raise KeyboardInterrupt
        saved(folder, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(benign_record, "save_view_samples", stop_in_the_second)
        with pytest.raises(KeyboardInterrupt):
            ideal(**options)
    first = finished[0] / "summary.json"
    made = first.stat().st_mtime_ns
    run = ideal(**options)
    assert first.stat().st_mtime_ns == made
    assert without_times(run.summary) == without_times(straight.summary)
    before = (run.dir / "summary.json").stat().st_mtime_ns
    assert ideal(**options).summary == run.summary
    assert (run.dir / "summary.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"augment": "none"}, "--augment must be the recipe"),
        ({"augment": "same-class"}, "--augment must be the recipe"),
        ({"matched": 0.0}, "--matched"),
        ({"same_class_images": 0}, "--same-class-images"),
        ({"mixup": "inputs"}, "--mixup"),
    ],
)
def test_bad_options_name_themselves(options, change, message):
    with pytest.raises(ValueError, match=message):
        ideal(**{**options, **change})
