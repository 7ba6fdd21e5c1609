"""What the figures of the order of learning draw: losses sorted before, and filters as pictures."""

from __future__ import annotations

import numpy as np
import pytest

from rote.report import RunFolderError, figures, gather, plotted, write_page
from rote.report.figures.filters import filter_picture, filter_sheet, roughness
from rote.report.story.learning import bands_finding, filters_finding

from . import synthetic_learning


@pytest.fixture
def heat_maps(tmp_path):
    folders = [synthetic_learning.trajectories(tmp_path, seed) for seed in (0, 1)]
    return gather(folders, "trajectories_heatmap.parquet")


def test_loss_bands_are_the_stored_ones_averaged_over_seeds(heat_maps):
    rows = plotted(figures.plot_loss_bands(heat_maps, noise=0.4))
    assert len(rows) == 50 * 31
    for row in rows[::97]:
        own = [
            stored["loss"]
            for stored in heat_maps
            if (stored["noise"], stored["bin"] + 1, stored["epoch"]) == (0.4, row["band"], row["epoch"])
        ]
        assert len(own) == 2
        assert row["loss"] == pytest.approx(np.mean(own))
    with pytest.raises(ValueError, match="noise= must name one of"):
        figures.plot_loss_bands(heat_maps)


def test_cells_without_a_loss_stay_empty_and_a_table_without_any_is_refused():
    rows = [
        {"noise": 0.0, "bin": b, "epoch": e, "loss": None if (b, e) == (1, 1) else 1.0 + b}
        for b in range(3)
        for e in range(3)
    ]
    drawn = {(row["band"], row["epoch"]): row["loss"] for row in plotted(figures.plot_loss_bands(rows))}
    assert drawn[2, 1] is None
    assert drawn[2, 2] == 2.0
    with pytest.raises(ValueError, match="table must have a finite loss, got none"):
        figures.plot_loss_bands([{**row, "loss": float("nan")} for row in rows])


def test_many_epochs_are_thinned_between_the_first_and_the_last():
    rows = [{"noise": 0.0, "bin": b, "epoch": e, "loss": b + e / 1000} for b in range(3) for e in range(200)]
    epochs = {row["epoch"] for row in plotted(figures.plot_loss_bands(rows))}
    assert len(epochs) == 60
    assert {0, 199} <= epochs


def test_bands_say_their_last_losses(heat_maps):
    text = bands_finding(heat_maps, 1.0)
    last = {b: [r["loss"] for r in heat_maps if (r["noise"], r["bin"], r["epoch"]) == (1.0, b, 60)] for b in (0, 49)}
    assert f"of the easiest {np.mean(last[0]):.2g} (0.0\xa0% of their labels wrong)" in text
    assert f"of the hardest {np.mean(last[49]):.2g} (98.0\xa0% of their labels wrong)" in text


def test_a_filter_is_grey_at_zero_and_ends_at_its_largest_weight():
    weights = np.zeros((3, 2, 2))
    weights[0, 0, 0], weights[1, 1, 1] = 4.0, -2.0
    picture = filter_picture(weights)
    assert picture[0, 0].tolist() == [255, 128, 128]
    assert picture[1, 1].tolist() == [128, 64, 128]
    assert picture[0, 1].tolist() == [128, 128, 128]
    assert np.ptp(filter_picture(np.ones((1, 3, 3)))) == 0
    assert (filter_picture(np.zeros((2, 3, 3))) == 128).all()


def test_filters_stand_in_rows_with_a_clear_line_between():
    sheet = filter_sheet(np.ones((18, 1, 5, 4)))
    assert sheet.shape == (12, 80, 4)
    assert (sheet[5, :, 3] == 0).all()
    assert (sheet[:5, 4, 3] == 0).all()
    assert sheet[6:11, :9, 3].astype(bool).sum() == 2 * 5 * 4  # two are left for the second row


def test_roughness_is_one_for_white_noise_and_small_for_a_slope():
    rng = np.random.default_rng(0)
    noise = np.mean([roughness(weights) for weights in rng.normal(size=(4000, 3, 5, 5))])
    assert noise == pytest.approx(1, abs=0.01)
    slope = np.broadcast_to(np.arange(5.0), (3, 5, 5))
    # Half of the steps are 1, half 0; the variance over the 25 weights is 50 / 24.
    assert roughness(slope) == pytest.approx(0.5 / (2 * 50 / 24))
    assert roughness(np.ones((3, 5, 5))) is None
    assert roughness(np.ones((3, 1, 1))) is None


def test_filters_of_a_run_and_what_is_said_of_them(tmp_path):
    folder = synthetic_learning.easy(tmp_path)
    with np.load(folder / "filters.npz") as stored:
        rows = plotted(figures.plot_filters(stored))
        text = filters_finding({name: stored[name] for name in stored.files})
    means = {
        name: np.mean([row["roughness"] for row in rows if row["network"] == name])
        for name in ("init", "real", "randY")
    }
    assert means["real"] < means["randY"] < means["init"]
    assert f"before training {means['init']:.2f}, after true labels {means['real']:.2f}" in text
    for bad, message in (
        ({"weights": np.ones((2, 3, 5, 5))}, "filters must have one of the arrays init, real, randY; it has weights"),
        ({"init": np.ones((3, 5, 5))}, r"filters\['init'\] must be \[filters, C, h, w\], got shape \(3, 5, 5\)"),
        ({"real": np.full((2, 3, 5, 5), np.nan)}, r"filters\['real'\] must be finite, got NaN or infinity"),
    ):
        with pytest.raises(ValueError, match=message):
            figures.plot_filters(bad)
    with pytest.raises(ValueError, match="most must be at least 1, got 0"):
        figures.plot_filters({"init": np.ones((2, 3, 5, 5))}, most=0)


@pytest.mark.parametrize("name", ["filters.npz", "trajectories_heatmap.parquet"])
def test_damaged_files_are_named(tmp_path, name):
    folders = [synthetic_learning.easy(tmp_path), synthetic_learning.trajectories(tmp_path)]
    for folder in folders:
        if (folder / name).exists():
            (folder / name).write_bytes(b"nothing of the kind")
    with pytest.raises(RunFolderError, match=f"{name}: not readable as"):
        write_page(folders, tmp_path / "page.html")
