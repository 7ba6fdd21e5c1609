"""`rote data`: what it prints, writes and returns."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rote.data import load
from rote.data.summary import channel_statistics, repeats

pytest.importorskip("tyro")
from rote.cli.data import run


def command(*words: str) -> int:
    return run(words)


def test_describe(capsys):
    assert command("describe", "digits") == 0
    text = capsys.readouterr().out
    assert "1437 train, 360 test" in text
    assert load("digits").fingerprint() in text


def test_check_passes_the_cache_and_reports_repeats(make_tree, rng, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    a, b, c = rng.integers(0, 256, (3, 4, 4, 3), dtype=np.uint8)
    root = make_tree({"train/x/1.png": a, "train/x/2.png": a, "train/y/1.png": a, "train/y/2.png": b})
    make_tree({"test/x/1.png": b, "test/y/1.png": c})
    assert command("check", "folder", "--root", str(root)) == 0
    text = capsys.readouterr().out
    assert "repeated within train     2 (under another label: 1)" in text
    assert "test pictures in train    1" in text
    assert not (tmp_path / "xdg").exists()


def test_check_of_damage_returns_one(make_tree, capsys):
    root = make_tree({"train/x/1.png": b"junk", "test/x/1.png": b""})
    assert command("check", "folder", "--root", str(root), "--size", "8") == 1
    text = capsys.readouterr().out
    assert "train/x/1.png: not a JPEG or PNG" in text
    assert "test/x/1.png: the file is empty" in text


def test_convert_to_folder_and_back(tmp_path, capsys):
    assert command("convert", "digits", str(tmp_path / "png")) == 0
    bank, back = load("digits"), load("folder", tmp_path / "png", cache_dir=tmp_path / "cache", progress=False)
    assert back.classes == bank.classes
    for split, returned in ((bank.train, back.train), (bank.test, back.test)):
        order = split.labels.sort(stable=True).indices
        assert returned.images.equal(split.images[order])
        assert returned.labels.equal(split.labels[order])
    with pytest.raises(FileExistsError, match="nothing is overwritten"):
        command("convert", "digits", str(tmp_path / "png"))


def test_convert_to_npz(tmp_path):
    assert command("convert", "digits", str(tmp_path / "new" / "digits.npz")) == 0
    bank = load("digits")
    with np.load(tmp_path / "new" / "digits.npz") as archive:
        np.testing.assert_array_equal(archive["train_images"], bank.train.images)
        np.testing.assert_array_equal(archive["test_labels"], bank.test.labels)
        assert tuple(archive["classes"]) == bank.classes
    assert Counter(path.suffix for path in (tmp_path / "new").iterdir()) == {".npz": 1}


def test_decoder_is_chosen_and_described(make_tree, rng, capsys, tmp_path, decoder, monkeypatch):
    monkeypatch.setattr("rote.data.decoder.PREFERENCE", ())  # what is asked for, not what "auto" would be
    root = make_tree({f"{part}/x/1.png": rng.integers(0, 256, (4, 4, 3), dtype=np.uint8) for part in ("train", "test")})
    place = ["folder", "--root", str(root), "--cache-dir", str(tmp_path / "cache"), "--decoder", decoder]
    assert command("describe", *place) == 0
    assert f"name {decoder}, version " in capsys.readouterr().out
    assert command("check", *place) == 0
    assert command("convert", *place, str(tmp_path / "out.npz")) == 0
    with np.load(tmp_path / "out.npz") as archive:
        assert archive["train_images"].shape == (1, 3, 4, 4)


def test_statistics_and_repeats_of_digits():
    bank = load("digits")
    mean, deviation = channel_statistics(bank.train)
    pixels = bank.train.images.double() / 255
    assert mean == pytest.approx(pixels.mean(dim=(0, 2, 3)).tolist(), abs=1e-12)
    assert deviation == pytest.approx(pixels.std(dim=(0, 2, 3), correction=0).tolist(), abs=1e-12)
    found = repeats(bank)
    assert (found.within_train, found.test_in_train, found.contradictions) == (0, 0, 0)
