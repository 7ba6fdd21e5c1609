"""`capacity`: the table of a grid, its stopping rule, and the ceiling that coinciding views set."""

from __future__ import annotations

import csv
import math

import pytest
import torch

from rote import models
from rote.augment import HorizontalFlip, RandomCrop, Recipe, recipes
from rote.experiments import CapacityConfig, capacity
from rote.experiments.capacity import collisions
from rote.experiments.capacity.cells import Cell, grid, ladders
from rote.experiments.capacity.collisions import pool_collisions
from rote.train import LabelSource

FIELDS = {
    "images": 16,
    "views": (1, 2),
    "epochs": 100,
    "visits": 100,
    "lr": (1e-2, 3e-2),
    "width": 2,
    "projector_width": 8,
}
COLUMNS = {
    "views",
    "label_mode",
    "images",
    "pool",
    "width",
    "depth",
    "parameters",
    "budget",
    "accuracy_pool",
    "bits_fano",
    "bits_code_length",
    "bits_per_parameter",
    "labels_per_parameter_bits",
    "accuracy_half_budget",
    "steps",
    "visits",
    "visits_per_view",
    "budget_limited",
    "distinct_views",
    "accuracy_ceiling",
    "loss",
    "lr",
    "seeds",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return capacity(**FIELDS, out=tmp_path_factory.mktemp("runs"))


def test_table_and_summary(run):
    rows = run.summary["rows"]
    assert [(row["images"], row["views"], row["label_mode"], row["budget"]) for row in rows] == [
        (images, views, mode, budget)
        for images, views, mode in (
            (16, 1, "same"),
            (16, 1, "random"),
            (16, 2, "same"),
            (16, 2, "random"),
            (32, 1, "random"),
        )
        for budget in ("visits", "steps")
    ]
    assert set(rows[0]) == COLUMNS
    with open(run.dir / "capacity.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["accuracy_pool"] for row in table] == [str(row["accuracy_pool"]) for row in rows]
    for row in rows:
        assert row["pool"] == row["images"] * row["views"]
        assert row["steps"] * 16 == row["visits"] * row["images"]  # 16 images in a batch, always
        assert row["visits_per_view"] == row["visits"] / row["views"]
        assert row["steps"] <= 100 if row["budget"] == "steps" else row["visits_per_view"] <= 100
        assert row["bits_per_parameter"] == pytest.approx(row["bits_fano"] / row["parameters"])
        independent = row["images"] if row["label_mode"] == "same" else row["pool"]
        assert row["labels_per_parameter_bits"] == pytest.approx(independent * math.log2(10) / row["parameters"])
        assert (row["width"], row["depth"], row["seeds"]) == (2, None, 1)


def test_half_of_the_budget_is_what_was_seen_there(run):
    for row in run.summary["rows"]:
        cell = {key: row[key] for key in ("images", "views", "label_mode", "lr")}
        seen = {line["step"]: line["value"] for line in run.metrics.select(metric="accuracy_pool", **cell)}
        assert seen[row["steps"]] == row["accuracy_pool"]
        if row["accuracy_half_budget"] is not None:
            assert seen[row["steps"] // 2] == row["accuracy_half_budget"]


def test_widths_and_depths_are_dials(tmp_path):
    fields = {**FIELDS, "widths": (1, 2), "depths": (1, 2), "model": "mlp", "views": (1,), "epochs": 50, "visits": 50}
    run = capacity(**{**fields, "label_modes": ("same",), "budget": "steps", "lr": (1e-2,)}, out=tmp_path)
    rows = run.summary["rows"]
    assert [(row["width"], row["depth"]) for row in rows] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    for row in rows:
        own = models.build(
            "mlp",
            in_channels=3,
            image_size=16,
            num_classes=10,
            width=row["width"],
            depth=row["depth"],
            projector_width=8,
        )
        assert row["parameters"] == own.parameter_counts()["total"]


def test_one_view_of_as_many_images_only_where_there_are_as_many():
    config = CapacityConfig(views=(1, 4, 16))
    cells = grid(config, 100, 1437)
    assert [(cell.images, cell.views, cell.label_mode) for cell in cells] == [
        (100, 1, "same"),
        (100, 1, "random"),
        (100, 4, "same"),
        (100, 4, "random"),
        (400, 1, "random"),
        (100, 16, "same"),
        (100, 16, "random"),
    ]
    assert all(cell.images == 100 for cell in grid(CapacityConfig(single_views=False), 100, 10**6))
    assert len({cell.name for cell in cells}) == len(cells)


def test_budgets_in_steps():
    config = CapacityConfig(epochs=1600, visits=400, batch_size=32)
    assert ladders(config, Cell(4, None, 64, 16, "random"), 64) == {
        "visits": [1600, 3200, 6400, 12800],  # 400 visits of 1,024 views, 32 at a time
        "steps": [1600, 3200],
    }
    assert ladders(config, Cell(4, None, 1024, 1, "random"), 64)["steps"] == [1600, 3200]
    assert list(ladders(CapacityConfig(budget="steps"), Cell(4, None, 64, 1, "same"), 64)) == ["steps"]


def test_bits_count_independent_labels(run):
    for row in run.summary["rows"]:
        independent = row["pool"] if row["label_mode"] == "random" else row["images"]
        if row["accuracy_pool"] == 1.0:
            assert row["bits_fano"] == pytest.approx(independent * math.log2(10))
        assert row["bits_fano"] <= independent * math.log2(10) + 1e-9
        assert row["bits_code_length"] <= independent * math.log2(10)


def test_best_learning_rate_counts(run):
    for row in run.summary["rows"]:
        cell = {key: row[key] for key in ("images", "views", "label_mode")}
        lines = run.metrics.select(metric="accuracy_pool", **cell)
        assert {line["lr"] for line in lines} == {1e-2, 3e-2}
        at_the_end = [line["value"] for line in lines if line["step"] == row["steps"]]
        assert row["accuracy_pool"] == max(at_the_end)


def test_a_cell_that_never_doubled_is_budget_limited(tmp_path):
    fields = {**FIELDS, "views": (4,), "lr": (1e-3,), "epochs": 20, "label_modes": ("random",), "budget": "steps"}
    run = capacity(**{**fields, "single_views": False}, out=tmp_path)
    (row,) = run.summary["rows"]
    assert row["accuracy_pool"] < 1.0
    assert row["budget_limited"]


def test_what_does_not_fit_stops_before_the_budget(tmp_path):
    # Without augmentation the four views of an image are one input with up to four labels.
    fields = {**FIELDS, "augment": "none", "views": (4,), "label_modes": ("random",), "images": 4, "visits": 1600}
    run = capacity(**{**fields, "lr": (1e-2,), "budget": "visits", "single_views": False}, out=tmp_path)
    (row,) = run.summary["rows"]
    assert not row["budget_limited"]
    assert row["visits_per_view"] < 1600
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


def test_collisions_piece_by_piece(monkeypatch):
    labels = LabelSource.per_view(4, 10)
    recipe = Recipe(RandomCrop(padding=1), HorizontalFlip(p=0.5))
    whole = pool_collisions(recipe, labels, torch.arange(9), 100, seed=3, image_size=(16, 16))
    assert 9 * 15 < whole.distinct <= 9 * 18
    for rows in (1, 7, 100, 250):
        monkeypatch.setattr(collisions, "_ROWS", rows)
        assert pool_collisions(recipe, labels, torch.arange(9), 100, seed=3, image_size=(16, 16)) == whole


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
        ({"visits": 0}, "--visits"),
        ({"frontier_views": 0}, "--frontier-views"),
        ({"widths": (0,)}, "--widths"),
        ({"widths": (2, 2)}, "--widths"),
        ({"depths": (-1,)}, "--depths"),
        ({"budget": "time"}, "--budget"),
        ({"mixup": "labels"}, "--mixup"),
        ({"augment": "same-class"}, "same-class"),
        ({"lr": ()}, "--lr"),
        ({"lr": (0.0,)}, "--lr"),
        ({"schedule": "cosine"}, "--schedule must be constant"),
        ({"keep_checkpoints": (1,)}, "--keep-checkpoints"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        CapacityConfig(**change)
