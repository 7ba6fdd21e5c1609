"""`rote augment census`: the same hash however the views are dealt into batches, and duplicates that are there."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch

from rote.augment import recipes
from rote.cli import census as census_module
from rote.cli import main
from rote.data import load
from rote.ops.row_hash import row_hash


def census(out, *words):
    assert main(["augment", "census", *words, "--out", str(out)]) == 0
    (path,) = out.glob("*/census.json")
    return json.loads(path.read_text())


@pytest.mark.parametrize("recipe", ["flip-crop", "digits"])
def test_partitions_into_batches_agree(tmp_path, recipe):
    words = [recipe, "--images", "20", "--views", "37", "--seed", "3"]
    results = [
        census(tmp_path / f"{size}-{order}", *words, "--batch-size", str(size), "--order", order)
        for size, order in ((64, "images"), (1, "views"), (739, "views"), (10_000, "images"))
    ]
    bank = load("digits")
    ids = bank.balanced_order(3)[:20]
    pixels = recipes[recipe](bank.train.images, ids, torch.arange(37).expand(20, 37).contiguous(), seed=3).flatten(0, 1)
    hashes = row_hash(pixels).numpy().view(np.uint64)
    distinct = len(torch.unique(pixels.flatten(1), dim=0))
    for result in results:
        assert int(result["hash"], 16) == sum(int(value) for value in hashes) % 2**64
        assert result["samples"] == 740
        assert result["distinct"] == distinct
        assert result["duplicates"] == 740 - distinct
        assert result["expected_false_duplicates"] == pytest.approx(740 * 739 / 2 / 2**64)


def test_duplicates_are_counted(tmp_path):
    result = census(tmp_path / "a", "none", "--images", "50", "--views", "4")
    assert (result["distinct"], result["duplicates"]) == (50, 150)
    other = census(tmp_path / "b", "flip-crop", "--images", "50", "--views", "4", "--seed", "1")
    assert other["hash"] != census(tmp_path / "c", "flip-crop", "--images", "50", "--views", "4")["hash"]


def test_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    words = ["digits", "--images", "30", "--views", "50", "--batch-size", "64"]
    straight = census(tmp_path / "straight", *words)
    batches = 0

    def crash(*_):
        nonlocal batches
        batches += 1
        if batches == 9:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:  # saved after every batch, then killed
        patch.setattr("rote.experiments.base.saving.SAVE_EVERY_SECONDS", -1.0)
        patch.setattr("rote.train.Progress.update", crash)
        with pytest.raises(KeyboardInterrupt):
            census_module.Census(recipe="digits", images=30, views=50, batch_size=64, out=tmp_path / "killed").run()
    (state,) = (tmp_path / "killed").glob("*/state.json")
    assert 0 < json.loads(state.read_text())["next"] < 1500
    again = census(tmp_path / "killed", *words)
    for key in ("hash", "distinct", "duplicates", "samples"):
        assert again[key] == straight[key]
    assert sorted(path.name for path in state.parent.iterdir() if not path.name.startswith(".")) == ["census.json"]


def test_a_finished_census_returns_at_once(tmp_path, capsys, monkeypatch):
    census(tmp_path, "none", "--images", "5", "--views", "2")
    monkeypatch.setattr(census_module.Census, "_count", None)
    census(tmp_path, "none", "--images", "5", "--views", "2")
    assert "5 different views, 5 that repeat another" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none", "--views", "0"], "views: wanted at least 1"),
        (["none", "--images", "1438"], "images: wanted 1 to 1437"),
        (["none", "--batch-size", "0"], "batch_size"),
        (["byol"], "name its parts"),
        (["nothing"], "recipe: wanted"),
    ],
)
def test_bad_options_name_themselves(tmp_path, capsys, words, message):
    assert main(["augment", "census", *words, "--out", str(tmp_path)]) != 0
    assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("*/census.json"))


MEASURED = """
import resource, sys
from rote.cli import main
main(["augment", "census", "flip-crop", "--images", "100", "--views", sys.argv[1], "--out", sys.argv[2]])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_views(tmp_path):
    peaks = []
    for views in ("100", "20000"):
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, views, str(tmp_path / views)], capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout.split()[-1]) * resource.getpagesize() // resource.getpagesize())
    # Two million hashes more are 16 MB on the disk, and a sorted copy of one file and one buffer in memory (KiB here).
    assert peaks[1] - peaks[0] < 120_000
