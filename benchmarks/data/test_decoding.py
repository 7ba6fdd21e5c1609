"""Pictures per second from files in the page cache to a uint8 bank: NVIDIA DALI beside Pillow in threads.

Wants the CIFAR-10 JPEG folder: `ROTE_CIFAR10=DIR python -m pytest benchmarks/data --benchmark-json=FILE`; with --full
all 60,000 files. docs/decoding.md holds the numbers, and `python -m benchmarks.data.differences` the pixels.
"""

from __future__ import annotations

import statistics
import time

import pytest
import torch

import rote.data
from benchmarks.data import pictures
from rote.augment import ColorJitter, Grayscale, HorizontalFlip, RandomResizedCrop, Recipe
from rote.data import decoder as decoders

pytest.importorskip("nvidia.dali", reason="NVIDIA DALI is not installed: pip install 'rote[dali]'")

SIMCLR = Recipe(
    RandomResizedCrop((0.08, 1.0)), HorizontalFlip(), ColorJitter(0.8, 0.8, 0.8, 0.2, p=0.8), Grayscale(0.2), size=32
)


@pytest.fixture(scope="module")
def root():
    found = pictures.cifar_root()
    if found is None:
        pytest.skip("needs ROTE_CIFAR10, the folder that holds train/ and test/")
    return found


@pytest.fixture
def contest(race, benchmark):
    """contest(call, count, look, case): `call("dali")` against `call("pillow")`, both for the same `count` pictures.

    Processor time is noted beside the rates: other work on the machine stretches it far less.
    """

    def run(call, count, look=None, case=None):
        spent = {"dali": [], "pillow": []}

        def timed(name):
            begin = time.process_time()  # of all threads
            result = call(name)
            spent[name].append(time.process_time() - begin)
            return result

        others = {"Pillow in threads": lambda: timed("pillow")}
        race(lambda: timed("dali"), others, work=count, unit="pictures/s", look=look, case=case)
        facts = benchmark.extra_info
        for name, record in (("dali", facts), ("pillow", facts["peers"]["Pillow in threads"])):
            micros = statistics.median(spent[name]) / count * 1e6
            record["notes"] = [*record.get("notes", []), f"{micros:,.0f} µs of processor time a picture"]

    return run


@pytest.fixture
def decoding(contest):
    """decoding(root, files, size): the contest of decoding; the largest difference of pixels goes into the notes."""

    def run(root, files, size=None):
        by_name = {name: decoders.choose(name) for name in ("dali", "pillow")}
        expected = pictures.decoded(root, files, size, by_name["pillow"]).images

        def look(name, sheet):
            apart = max(
                int(abs(one.astype("int16") - other).max()) for one, other in zip(sheet.images, expected, strict=True)
            )
            return {} if name else {"notes": [f"{apart} grey levels from Pillow at most"]}

        contest(lambda name: pictures.decoded(root, files, size, by_name[name]), len(files), look)

    return run


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(6000, id="CIFAR-10, 6,000 JPEG files of 32 px"),
        pytest.param(None, id="CIFAR-10, all 60,000 JPEG files of 32 px", marks=pytest.mark.full),
    ],
)
def test_cifar(decoding, root, quick, count):
    decoding(root, pictures.cifar_files(root, 300 if quick else count))


@pytest.mark.parametrize("size", [pytest.param(64, id="6,000 of them resized to 64 px")])
def test_resized(decoding, root, quick, size):
    decoding(root, pictures.cifar_files(root, 300 if quick else 6000), (size, size))


@pytest.mark.parametrize("size", [pytest.param(224, id="mosaics of 384 x 512 px, 4:2:0, resized to 224 px")])
def test_mosaics(decoding, root, quick, size, tmp_path):
    count = 8 if quick else 512
    files = pictures.write_mosaics(root, pictures.cifar_files(root, 2000), tmp_path, count)
    decoding(tmp_path, files, (size, size))


@pytest.mark.parametrize("case", ["stream: shards of 1,024 of 6,000 files, a SimCLR view of each"])
def test_stream(contest, root, quick, case):
    """A whole epoch: decoding in the background, views rendered in front, against the two one after the other."""
    chosen = torch.arange(0, 50_000, 500 if quick else 50_000 // 6000)
    streams = {
        name: rote.data.stream(root, shard_images=1024, image_ids=chosen, decoder=name) for name in ("dali", "pillow")
    }

    def epoch(name):
        for part in streams[name].epoch():
            for rows in torch.arange(len(part)).split(256):
                part.views(SIMCLR, rows, torch.zeros_like(rows))

    contest(epoch, len(chosen), case=case)
