"""The identity of a run: stable over time, blind to place and device, sensitive to what changes a result."""

from __future__ import annotations

import pytest

from rote.runs import RunIdentity

CONFIG = {
    "data": "digits",
    "root": None,
    "images": 512,
    "augment": "digits",
    "lr": 1e-3,
    "schedule": "cosine",
    "epochs": 60,
    "seed": 0,
    "data_seed": 0,
    "keep_checkpoints": (1, 2),
    "device": "auto",
    "out": "runs",
    "name": None,
    "fresh": False,
}


def identity(*, extensible: bool = False, **changes) -> RunIdentity:
    fields = {**CONFIG, **changes}
    return RunIdentity.of("benign", 1, fields, data="d" * 64, recipe="r" * 16, extensible=extensible)


def test_golden_hash():
    # If this fails, every run folder in the world is orphaned: raise the experiment's semantics instead.
    assert identity().folder_name == "benign-3710ad3f9322"


@pytest.mark.parametrize(
    "change",
    [
        {"device": "cuda"},
        {"decoder": "dali"},
        {"out": "elsewhere"},
        {"name": "mine"},
        {"fresh": True},
        {"root": "/data"},
        {"data": "folder"},
        {"seed": 7},
        {"augment": "the same recipe under another name"},
        {"keep_checkpoints": ()},
    ],
)
def test_place_name_and_device_do_not_count(change):
    assert identity(**change).hash == identity().hash


@pytest.mark.parametrize("change", [{"images": 511}, {"lr": 1.1e-3}, {"epochs": 61}, {"data_seed": 1}])
def test_what_changes_a_result_counts(change):
    assert identity(**change).hash != identity().hash


def test_every_part_counts():
    parts = {"experiment": "benign", "semantics": 1, "data": "d", "recipe": "r"}
    first = RunIdentity(fields={}, **parts).hash
    for part, other in {"experiment": "capacity", "semantics": 2, "data": "e", "recipe": "s"}.items():
        assert RunIdentity(fields={}, **{**parts, part: other}).hash != first


def test_epochs_of_a_run_that_can_be_extended_do_not_count():
    assert identity(extensible=True).hash == identity(extensible=True, epochs=120).hash


def test_order_of_the_fields_does_not_count():
    backwards = dict(reversed(CONFIG.items()))
    assert RunIdentity.of("benign", 1, backwards, data="d" * 64, recipe="r" * 16).hash == identity().hash


def test_differences_name_the_field():
    assert identity(lr=2e-3).differences(identity().describe()) == ["lr: 0.001, now 0.002"]
    assert identity().differences(identity().describe()) == []
