"""`capacity`: the table of a grid, its stopping rule, and the ceiling that coinciding views set."""

from __future__ import annotations

import csv
import math

import pytest
import torch

from rote.augment import HorizontalFlip, RandomCrop, Recipe, recipes
from rote.experiments import CapacityConfig, capacity
from rote.experiments.capacity_run import CapacityRun
from rote.experiments.collisions import pool_collisions
from rote.train import LabelSource

FIELDS = {"images": 16, "views": (1, 2), "epochs": 100, "lr": (1e-2, 3e-2), "width": 2, "projector_width": 8}
COLUMNS = {
    "views",
    "label_mode",
    "images",
    "pool",
    "parameters",
    "accuracy_pool",
    "bits_fano",
    "bits_code_length",
    "bits_per_parameter",
    "steps",
    "visits",
    "budget_limited",
    "distinct_views",
    "loss",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return capacity(**FIELDS, out=tmp_path_factory.mktemp("runs"))


def test_table_and_summary(run):
    rows = run.summary["rows"]
    assert [(row["views"], row["label_mode"]) for row in rows] == [
        (1, "same"),
        (1, "random"),
        (2, "same"),
        (2, "random"),
    ]
    assert set(rows[0]) >= COLUMNS
    with open(run.dir / "capacity.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["accuracy_pool"] for row in table] == [str(row["accuracy_pool"]) for row in rows]
    for row in rows:
        assert row["pool"] == row["images"] * row["views"]
        assert row["visits"] <= 100
        assert row["steps"] == row["visits"]  # 16 images in one batch
        assert row["bits_per_parameter"] == pytest.approx(row["bits_fano"] / row["parameters"])


def test_bits_count_independent_labels(run):
    for row in run.summary["rows"]:
        independent = row["pool"] if row["label_mode"] == "random" else row["images"]
        if row["accuracy_pool"] == 1.0:
            assert row["bits_fano"] == pytest.approx(independent * math.log2(10))
        assert row["bits_fano"] <= independent * math.log2(10) + 1e-9
        assert row["bits_code_length"] <= independent * math.log2(10)


def test_best_learning_rate_counts(run):
    for row in run.summary["rows"]:
        cells = run.metrics.select(metric="accuracy_pool", views=row["views"], label_mode=row["label_mode"])
        assert {cell["lr"] for cell in cells} == {1e-2, 3e-2}
        last = {cell["lr"]: cell["value"] for cell in cells}  # a later line of the same rate replaces an earlier one
        assert row["accuracy_pool"] == max(last.values())
        assert last[row["lr"]] == row["accuracy_pool"]


def looks(views: int, epochs: int) -> list[int]:
    run = CapacityRun.__new__(CapacityRun)
    run.config = CapacityConfig(epochs=epochs)
    return run.looks(views)


def test_looks_double_up_to_the_budget():
    assert looks(1, 1600) == [50, 100, 200, 400, 800, 1600]
    assert looks(16, 1600) == [800, 1600]
    assert looks(64, 1600) == [1600]
    assert looks(1, 75) == [75]


def test_a_cell_that_never_doubled_is_budget_limited(tmp_path):
    run = capacity(**{**FIELDS, "views": (4,), "lr": (1e-3,), "epochs": 20, "label_modes": ("random",)}, out=tmp_path)
    (row,) = run.summary["rows"]
    assert row["accuracy_pool"] < 1.0
    assert row["budget_limited"]


def test_a_cell_ends_only_when_two_doublings_in_a_row_did_not_help(run):
    for row in run.summary["rows"]:
        for lr in FIELDS["lr"]:
            cell = {"views": row["views"], "label_mode": row["label_mode"], "lr": lr}
            values = run.metrics.select(metric="accuracy_pool", **cell).column("value").tolist()
            if values[-1] < 1.0 and run.metrics.select(metric="accuracy_pool", **cell)[-1]["epoch"] < FIELDS["epochs"]:
                assert len(values) > 2
                assert max(values[-1] - values[-2], values[-2] - values[-3]) < 0.01


def test_what_does_not_fit_stops_before_the_budget(tmp_path):
    # Without augmentation the four views of an image are one input with up to four labels.
    fields = {**FIELDS, "augment": "none", "views": (4,), "label_modes": ("random",), "images": 4, "epochs": 6400}
    run = capacity(**{**fields, "lr": (1e-2,)}, out=tmp_path)
    (row,) = run.summary["rows"]
    assert not row["budget_limited"]
    assert row["visits"] < 6400
    assert row["distinct_views"] == 4
    assert row["accuracy_pool"] <= row["accuracy_ceiling"] < 1.0


def test_ceiling_of_views_that_all_coincide():
    labels = LabelSource.per_view(0, 10)
    ids = torch.arange(5, 25)
    found = pool_collisions(recipes["none"], labels, ids, 8, seed=0, image_size=(16, 16))
    assert found.distinct == 20
    expected = 0
    for image in ids:
        drawn = labels.labels(image.repeat(8), torch.arange(8), torch.arange(8))
        expected += int(torch.bincount(drawn).max())
    assert found.ceiling == expected / 160


def test_flip_has_two_views():
    same = LabelSource.fixed(torch.zeros(10, dtype=torch.int64), num_classes=2)
    found = pool_collisions(Recipe(HorizontalFlip(p=0.5)), same, torch.arange(10), 64, seed=0, image_size=(16, 16))
    assert found == (20, 1.0)


def test_distinct_views_are_counted_as_rendered():
    # A crop by one pixel either way and a flip: at most 18 views of an image, which rendering tells apart as well.
    recipe = Recipe(RandomCrop(padding=1), HorizontalFlip(p=0.5))
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (6, 3, 16, 16), dtype=torch.uint8, generator=generator)
    labels = LabelSource.per_view(0, 10)
    found = pool_collisions(recipe, labels, torch.arange(6), 50, seed=3, image_size=(16, 16))
    rendered = recipe(images, torch.arange(6), torch.arange(50).expand(6, 50).contiguous(), seed=3)
    distinct = sum(len(torch.unique(views.flatten(1), dim=0)) for views in rendered)
    assert found.distinct == distinct


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"views": ()}, "--views"),
        ({"views": (0,)}, "--views"),
        ({"views": (2, 2)}, "--views"),
        ({"label_modes": ("shared",)}, "--label-modes"),
        ({"lr": ()}, "--lr"),
        ({"lr": (0.0,)}, "--lr"),
        ({"schedule": "cosine"}, "--schedule must be constant"),
        ({"keep_checkpoints": (1,)}, "--keep-checkpoints"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        CapacityConfig(**change)
