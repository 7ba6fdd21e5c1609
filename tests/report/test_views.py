"""Sample views survive the way through the file, and nothing else gets into it."""

from __future__ import annotations

import numpy as np
import pytest

from rote.report import views


def arguments(n: int = 3, count: int = 4, channels: int = 3, **changes):
    rng = np.random.default_rng(0)
    given = {
        "originals": rng.integers(0, 256, (n, channels, 8, 8), dtype=np.uint8),
        "views": rng.integers(0, 256, (n, count, channels, 6, 6), dtype=np.uint8),
        "label_true": np.arange(n),
        "label_used": np.arange(n)[::-1],
        "classes": ["cat", "dog", "<frog>"],
        "recipe": "benign-full",
    }
    return {**given, **changes}


@pytest.mark.parametrize("channels", [1, 3])
def test_round_trip(tmp_path, channels):
    given = arguments(channels=channels, image_ids=np.array([5, 0, 2**39]))
    path = views.save(tmp_path, **given)
    assert path == tmp_path / "views.npz"
    assert [file.name for file in tmp_path.iterdir()] == ["views.npz"]
    loaded = views.load(path)
    for name in ("originals", "views", "label_true", "label_used", "image_ids"):
        np.testing.assert_array_equal(getattr(loaded, name), given[name])
    assert loaded.classes == ("cat", "dog", "<frog>")
    assert loaded.recipe == "benign-full"
    assert loaded.class_name(2) == "<frog>"
    assert loaded.class_name(3) == "3"


def test_floating_views_are_clipped_and_rounded(tmp_path):
    values = np.array([-0.5, 0.0, 0.5 / 255, 0.51 / 255, 0.5, 1.0, 1.5, 254.4 / 255], dtype=np.float64)
    given = arguments(n=1, count=1, channels=1, views=values.reshape(1, 1, 1, 2, 4), classes=())
    stored = views.load(views.save(tmp_path, **given)).views
    assert stored.dtype == np.uint8
    assert stored.ravel().tolist() == [0, 0, 0, 1, 128, 255, 255, 254]


def test_torch_tensors(tmp_path):
    torch = pytest.importorskip("torch")
    given = {
        key: torch.as_tensor(np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value
        for key, value in arguments().items()
    }
    np.testing.assert_array_equal(views.load(views.save(tmp_path, **given)).views, arguments()["views"])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"originals": np.zeros((3, 3, 8, 8))}, TypeError, "originals must be uint8, got float64"),
        ({"originals": np.zeros((3, 2, 8, 8), np.uint8)}, ValueError, r"C 1 or 3, got \[3, 2, 8, 8\]"),
        ({"originals": np.zeros((0, 3, 8, 8), np.uint8)}, ValueError, "at least one image"),
        ({"views": np.zeros((2, 4, 3, 6, 6), np.uint8)}, ValueError, r"views must be \[3, V >= 1, 3, h, w\]"),
        ({"views": np.zeros((3, 0, 3, 6, 6), np.uint8)}, ValueError, "V >= 1"),
        ({"views": np.full((3, 4, 3, 6, 6), np.nan)}, ValueError, "views must be finite"),
        ({"views": np.zeros((3, 4, 3, 6, 6), np.int32)}, TypeError, "got int32"),
        ({"label_true": np.zeros(3)}, TypeError, "label_true must be integers, got float64"),
        ({"label_used": np.zeros(4, int)}, ValueError, r"label_used must have shape \[3\], got \[4\]"),
        ({"image_ids": np.zeros((3, 1), int)}, ValueError, "image_ids must have shape"),
    ],
)
def test_bad_input_is_refused_and_leaves_no_file(tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        views.save(tmp_path, **arguments(**changes))
    assert list(tmp_path.iterdir()) == []


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        views.load(tmp_path / "views.npz")
    np.savez(tmp_path / "views.npz", something=np.zeros(3))
    with pytest.raises(ValueError, match=r"views\.npz: not a readable views file"):
        views.load(tmp_path / "views.npz")
