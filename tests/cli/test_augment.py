"""`rote augment`: what it prints, what the contact sheet shows, and its users' mistakes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from rote import data
from rote.augment import HorizontalFlip, RandomCrop, Recipe, Views, recipes
from rote.augment.contact_sheet import ContactSheet, displayable
from rote.augment.named import pairs
from rote.cli import main


def test_list_names_every_recipe(capsys):
    assert main(["augment", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*recipes, *pairs]
    assert "RandomResizedCrop, HorizontalFlip, ColorJitter, Grayscale" in "\n".join(lines)


def test_describe(capsys):
    assert main(["augment", "describe", "flip-crop", "--size", "32", "--sample", "500"]) == 0
    text = capsys.readouterr().out
    assert "HorizontalFlip" in text
    assert "162 distinct views" in text


@pytest.mark.parametrize("name", recipes)
def test_every_recipe_is_described_and_survives_json(name, capsys):
    assert main(["augment", "describe", name]) == 0
    assert recipes[name].hash()[:12] in capsys.readouterr().out
    assert main(["augment", "describe", name, "--json"]) == 0
    assert Recipe.from_dict(json.loads(capsys.readouterr().out)) == recipes[name]


def test_preview_writes_a_picture(tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    out = tmp_path / "sheets" / "views.png"
    assert main(["augment", "preview", "digits", "--images", "2", "--views", "3", "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    with image.open(out) as picture:
        assert picture.format == "PNG"
        assert picture.width > 4 * 160
    first = out.read_bytes()
    assert main(["augment", "preview", "digits", "--images", "2", "--views", "3", "--out", str(out)]) == 0
    assert out.read_bytes() == first


def test_the_sheet_shows_the_views_of_the_addresses(tmp_path):
    from rote.cli.augment import Preview

    recipe = Recipe(RandomCrop(2, "reflect"), HorizontalFlip(), mean=0.3, std=0.2)
    bank = data.load("digits")
    preview = Preview(recipe="-", images=3, views=4, first_view=7, seed=9)
    sheet = preview.sheet("name", recipe, bank)
    ids = bank.balanced_order(9)[:3]
    assert [row[1] for row in sheet.rows] == [f"id {i}" for i in ids.tolist()]
    assert sheet.columns == [f"view {v}" for v in range(7, 11)]
    plain = Recipe(*recipe.operations[:2])  # whole pixels moved: the bank's own bytes come back
    for column, view in zip(sheet.views, range(7, 11), strict=True):
        expected = (plain(bank.train.images, ids, torch.full((3,), view), seed=9) * 255).round().to(torch.uint8)
        assert np.array_equal(column, expected.permute(0, 2, 3, 1).numpy())
    picture = np.asarray(sheet.draw())
    block = np.kron(sheet.views[0][0], np.ones((10, 10, 1), dtype=np.uint8))  # 16 px drawn ten times as large
    windows = np.lib.stride_tricks.sliding_window_view(picture[:, :, 0], (1, 160))[:, ::1, 0]
    places = np.argwhere((windows == block[0, :, 0]).all(-1))
    assert any(np.array_equal(picture[y : y + 160, x : x + 160], block) for y, x in places)


def test_a_pair_has_a_column_for_each_recipe():
    from rote.cli.augment import Preview

    pair = Views(recipes["none"], recipes["flip-crop"])
    sheet = Preview(recipe="-", images=2, views=3).sheet("pair", pair, data.load("digits"))
    assert sheet.columns == [f"view {v}{letter}" for v in range(3) for letter in "ab"]
    assert np.array_equal(sheet.views[0], sheet.originals)
    assert sheet.draw().mode == "RGB"


def test_views_of_another_size_and_one_channel():
    views = displayable(Recipe(), torch.rand(2, 3, 1, 24, 40))
    assert views.shape == (2, 3, 24, 40, 3)
    assert np.array_equal(views[..., 0], views[..., 2])
    sheet = ContactSheet(np.zeros((2, 224, 224, 3), np.uint8), [views[:, 0]], [["a"], ["b"]], ["view 0"], "t" * 80)
    assert sheet.draw().height > 2 * 224


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["describe", "nothing-like-it"], "recipe: wanted a .json file or one of none, flip-crop"),
        (["describe", "absent.json"], "absent.json"),
        (["preview", "none", "--images", "0"], "images: wanted at least 1, got 0"),
        (["preview", "none", "--out", "views.html"], "out: wanted a file named .png, got views.html"),
        (["preview", "none", "--images", "2000"], "images: wanted at most 1437"),
        (["preview", "none", "--ids", "3,1437"], "ids: wanted 0 <= id < 1437"),
        (["preview", "none", "--data", "nowhere"], "name: wanted one of"),
        (["preview", "none", "--first-view", str(1 << 48)], "view"),
    ],
)
def test_mistakes(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["augment", *words]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_recipe_from_a_file(tmp_path, capsys):
    path = tmp_path / "mine.json"
    path.write_text(recipes["digits"].to_json())
    assert main(["augment", "describe", str(path)]) == 0
    assert recipes["digits"].hash()[:12] in capsys.readouterr().out
    path.write_text('{"operations": [{"kind": "no_such"}]}')
    assert main(["augment", "describe", str(path)]) == 2
    assert "no recipe: kind: wanted one of" in capsys.readouterr().err
