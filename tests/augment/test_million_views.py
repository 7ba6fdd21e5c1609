"""The same bits from every executor, and those of the machines before: hashes over many views of every recipe.

By default over the first 1,024 views of each recipe. `make million` (ROTE_MILLION=1) takes a million, some minutes a
recipe, nearly all of it the scalar executor's; ROTE_EXECUTORS=avx2,avx512 leaves it out. Executors are compared with
one another and with the hashes in million_views.json, which any machine has to reproduce. ROTE_MILLION=record and
ROTE_RECORD=1 write those (of a million, and of 1,024), where all executors agree.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from rote import _native
from rote.augment import Recipe

from . import million
from .forced import EXECUTORS, executor_of, render_by
from .recipes_by_operation import BY_OPERATION, NAMED

FULL = os.environ.get("ROTE_MILLION", "")
COUNT = million.MILLION if FULL else 1024
CHOSEN = os.environ.get("ROTE_EXECUTORS", ",".join(EXECUTORS)).split(",")
RECORD = FULL == "record" or bool(os.environ.get("ROTE_RECORD"))
FILE = Path(__file__).with_name("million_views.json")
RECIPES: dict[str, Recipe] = NAMED | BY_OPERATION
LAYOUTS = {"float32 NCHW": (torch.float32, False), "bfloat16 NHWC": (torch.bfloat16, True)}


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return million.bank()


def test_the_images_are_the_same_everywhere(images):
    """Read off these numbers, should the hashes below ever differ."""
    assert images.long().sum().item() == 24_970_117
    assert images.view(-1)[[9216, 20000, 100000, 196606]].tolist() == [119, 93, 242, 77]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", RECIPES)
def test_every_executor_renders_the_same_bits(images, name, layout, record_property):
    recipe = RECIPES[name]
    dtype, channels_last = LAYOUTS[layout]

    def render_with(executor: str):
        def render(bank, ids, views):
            return render_by(executor, recipe, bank, ids, views, million.SEED, dtype=dtype, channels_last=channels_last)

        return render

    renders = {executor_of(executor): render_with(executor) for executor in CHOSEN}
    assert list(renders) == CHOSEN
    record_property("executors", sorted(renders))
    compare(name, layout, million.digest(renders, images, COUNT))


@pytest.mark.gpu
@pytest.mark.skipif(
    not (torch.cuda.is_available() and _native.build_info()["cuda"]), reason="needs a CUDA device and a build with CUDA"
)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", RECIPES)
def test_cuda_renders_the_same_bits(images, name, layout):
    dtype, channels_last = LAYOUTS[layout]

    def render(bank, ids, views):
        return RECIPES[name](bank, ids, views, million.SEED, dtype=dtype, channels_last=channels_last)

    stored = read()[name].get(layout, {})
    if str(COUNT) not in stored:
        pytest.skip(f"no hash of {COUNT:,} views of {name} is stored")
    assert million.digest({"cuda": render}, images.cuda(), COUNT, "cuda") == stored[str(COUNT)]


def read() -> dict:
    return json.loads(FILE.read_text())["recipes"] if FILE.exists() else {}


def compare(name: str, layout: str, digest: str) -> None:
    """With the stored hash, or stores it."""
    recipe, all_of_them = RECIPES[name], read()
    entry = all_of_them.get(name, {})
    if RECORD:
        if entry.get("meaning") != million.meaning(recipe):
            entry = {"meaning": million.meaning(recipe)}
        entry.setdefault(layout, {})[str(COUNT)] = digest
        write(all_of_them | {name: entry})
        return
    assert entry, f"{name} has no stored hash: ROTE_RECORD=1 writes it"
    assert entry["meaning"] == million.meaning(recipe), f"{name} or the version of its meaning changed: record it anew"
    if str(COUNT) not in entry.get(layout, {}):
        pytest.skip(f"no hash of {COUNT:,} views of {name} is stored; the executors agree")
    assert digest == entry[layout][str(COUNT)]


def write(entries: dict) -> None:
    about = {
        "what": "SHA-256 of the pixels of views, in memory order (tests/augment/million.py)",
        "seed": million.SEED,
        "images": f"{million.IMAGES} images of {million.SIDE} px by address",
    }
    FILE.write_text(json.dumps(about | {"recipes": dict(sorted(entries.items()))}, indent=1) + "\n")
