"""The stream: every image once an epoch, in an addressed order, the pixels, labels and views of a bank in memory."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch

import rote.data
from rote import address
from rote.augment import ColorJitter, HorizontalFlip, MixUp, RandomCrop, RandomResizedCrop, Recipe
from rote.data import DataError, dali_decoder, decoding, pillow_decoder, shards
from rote.data import decoder as decoders
from rote.data.tree import scan

COUNT = 23

pytestmark = pytest.mark.usefixtures("decoder")  # every test with each of them


@pytest.fixture
def folder(make_tree, rng):
    """23 train pictures of 8 x 9 pixels in three classes, PNG, so that decoders agree; 4 test pictures."""
    pictures = rng.integers(0, 256, (COUNT + 4, 8, 9, 3), dtype=np.uint8)
    names = [f"train/{'abc'[index % 3]}/{index:02}.png" for index in range(COUNT)]
    names += [f"test/{'abc'[index % 3]}/{index:02}.png" for index in range(4)]
    return make_tree(dict(zip(names, pictures, strict=True)))


@pytest.fixture
def bank(folder, tmp_path):
    return rote.data.load("folder", folder, cache_dir=tmp_path / "cache", progress=False)


def joined(parts, name):
    return torch.cat([getattr(part, name) for part in parts])


@pytest.mark.parametrize("shard_images", [1, 5, 22, 23, 100])
def test_every_image_once_and_as_in_the_bank(folder, bank, shard_images):
    stream = rote.data.stream(folder, shard_images=shard_images)
    assert (len(stream), stream.num_shards) == (COUNT, -(-COUNT // shard_images))
    assert stream.classes == bank.classes
    assert stream.labels.equal(bank.train.labels)
    parts = list(stream.epoch(3))
    assert [len(part) for part in parts[:-1]] == [shard_images] * (len(parts) - 1)
    assert [(part.epoch, part.number) for part in parts] == [(3, number) for number in range(stream.num_shards)]
    ids = joined(parts, "ids")
    assert ids.sort().values.equal(torch.arange(COUNT))
    assert joined(parts, "images").equal(bank.train.images[ids])
    assert joined(parts, "labels").equal(bank.train.labels[ids])


def test_the_order_is_the_addressed_one_whatever_the_shards(folder):
    orders = []
    for shard_images in (4, 7):
        stream = rote.data.stream(folder, shard_images=shard_images, seed=11)
        assert joined(list(stream.epoch(2)), "ids").equal(address.permutation(11, COUNT, 2))
        orders.append([joined(list(stream.epoch(epoch)), "ids").tolist() for epoch in range(3)])
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders[0]}) == 3
    assert rote.data.stream(folder, seed=12).order(2).tolist() != orders[0][2]


def test_resumes_at_a_shard(folder):
    stream = rote.data.stream(folder, shard_images=5, seed=1)
    whole = list(stream.epoch(4))
    for start in range(stream.num_shards + 1):
        # A stream of another process: nothing but the two numbers is handed over.
        rest = list(rote.data.stream(folder, shard_images=5, seed=1).epoch(4, start=start))
        assert [part.number for part in rest] == list(range(start, 5))
        for one, other in zip(whole[start:], rest, strict=True):
            assert one.ids.equal(other.ids)
            assert one.images.equal(other.images)
            assert one.labels.equal(other.labels)


def test_a_subset(folder, bank):
    chosen = torch.tensor([20, 3, 7, 0, 15])
    parts = list(rote.data.stream(folder, shard_images=2, image_ids=chosen).epoch())
    ids = joined(parts, "ids")
    assert ids.sort().values.equal(chosen.sort().values)
    assert joined(parts, "images").equal(bank.train.images[ids])


def test_the_test_split_has_ids_of_its_own(folder, bank):
    (part,) = rote.data.stream(folder, split="test").epoch()
    assert part.images.equal(bank.test.images[part.ids])
    assert part.labels.equal(bank.test.labels[part.ids])


def test_resizing_is_that_of_the_bank(folder, tmp_path):
    bank = rote.data.load("folder", folder, size=(5, 6), cache_dir=tmp_path / "cache", progress=False)
    stream = rote.data.stream(folder, size=(5, 6), shard_images=10)
    assert stream.image_size == (5, 6)
    for part in stream.epoch(1):
        assert part.images.equal(bank.train.images[part.ids])


# Views ---------------------------------------------------------------------------------------------------------------


def test_the_recipe_gets_rows_and_global_ids(folder):
    calls = []

    def recipe(images, ids, views, seed, *, address_ids, dtype):
        calls.append((images, ids, views, seed, address_ids, dtype))
        return images[ids]

    part = next(rote.data.stream(folder, shard_images=6).epoch())
    rows, views = torch.tensor([4, 0, 4]), torch.tensor([7, 8, 9])
    part.views(recipe, rows, views, seed=5, dtype=torch.float16)
    ((images, ids, seen, seed, address_ids, dtype),) = calls
    assert images is part.images
    assert ids is rows
    assert seen is views
    assert address_ids.tolist() == part.ids[[4, 0, 4]].tolist()
    assert (seed, dtype) == (5, torch.float16)


def test_a_recipe_with_partners_is_refused(folder):
    """A partner is a row of the whole bank, which a shard does not hold."""
    part = next(rote.data.stream(folder, shard_images=6).epoch())
    with pytest.raises(ValueError, match="recipe: draws partners"):
        part.views(Recipe(MixUp(), partners=6), torch.tensor([0]), torch.tensor([0]))


@pytest.mark.parametrize("views_per_image", [None, 3])
def test_views_are_those_of_the_bank(folder, bank, views_per_image):
    recipe = Recipe(RandomResizedCrop(), HorizontalFlip(), ColorJitter(0.8, 0.8, 0.8, 0.2), size=8)
    for part in rote.data.stream(folder, shard_images=6, seed=3).epoch(2):
        rows = torch.randperm(len(part))
        views = 40 + torch.arange(len(part))
        if views_per_image:
            views = views[:, None] + 100 * torch.arange(views_per_image)
        streamed = part.views(recipe, rows, views, seed=9)
        assert streamed.equal(recipe(bank.train.images, part.ids[rows], views, seed=9))


def test_an_epoch_of_training_is_the_same_samples(folder, bank):
    """Batches of a stream and of `TrainingStream` under the same seeds, where shards are whole batches."""
    from rote.train import Seeds
    from rote.train.labels import LabelSource
    from rote.train.stream import TrainingStream

    recipe = Recipe(RandomCrop(2, "reflect"), HorizontalFlip())
    seeds = Seeds(data=0, label=0, init=0, order=5, view=6)
    labels = LabelSource.fixed(bank.train.labels, num_classes=3)
    resident = TrainingStream(bank.train.images, torch.arange(COUNT), labels, recipe, 4, seeds)
    step = resident.steps_per_epoch  # the first of epoch 1
    for part in rote.data.stream(folder, shard_images=8, seed=seeds.order).epoch(1):
        for rows in torch.arange(len(part)).split(4):
            if len(rows) < 4:
                continue  # a last partial batch is dropped there
            x, y = resident.batch(step)
            assert part.views(recipe, rows, torch.ones_like(rows), seed=seeds.view).equal(x)
            assert part.labels[rows].equal(y)
            step += 1
    assert step == 2 * resident.steps_per_epoch


# Behind the scenes ----------------------------------------------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch):
    """The first file of every shard decoded so far."""
    seen = []

    def counting(root, files, *others, **options):
        seen.append(files[0].path)
        return decoding.decode(root, files, *others, **options)

    monkeypatch.setattr(shards, "decode", counting)
    return seen


def waited_for(condition, seconds: float = 10) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def test_the_next_shard_is_decoded_while_one_is_used(folder, decoded):
    parts = rote.data.stream(folder, shard_images=5).epoch()
    assert decoded == []  # nothing before the first is asked for
    next(parts)
    assert waited_for(lambda: len(decoded) == 2)
    time.sleep(0.05)
    assert len(decoded) == 2  # one ahead and no more
    next(parts)
    assert waited_for(lambda: len(decoded) == 3)
    parts.close()


def test_stopping_early_leaves_no_thread(folder):
    before = threading.active_count()
    for part in rote.data.stream(folder, shard_images=2).epoch():
        if part.number == 1:
            break
    del part
    assert waited_for(lambda: threading.active_count() <= before)


def test_stopping_early_stops_the_decoding(folder, monkeypatch):
    seen = []

    def waiting(*arguments, cancelled, **options):
        seen.append(cancelled.wait(10) if seen else "first")  # nobody will ask for the second shard
        return decoding.decode(*arguments, **options)

    monkeypatch.setattr(shards, "decode", waiting)
    parts = rote.data.stream(folder, shard_images=8).epoch()
    next(parts)
    parts.close()
    assert seen == ["first", True]


def test_a_cancelled_decode_looks_at_no_further_file(folder, monkeypatch):
    monkeypatch.setattr(pillow_decoder, "CHUNK", 2)
    monkeypatch.setattr(dali_decoder, "BATCH", 2)
    files = scan(folder).train
    (folder / files[-1].path).write_bytes(b"damaged")
    cancelled = threading.Event()
    cancelled.set()
    decoding.decode(folder, files, None, decoders.choose("auto"), False, cancelled=cancelled)
    cancelled.clear()
    with pytest.raises(DataError):
        decoding.decode(folder, files, None, decoders.choose("auto"), False, cancelled=cancelled)


def test_two_epochs_at_once_do_not_mix(folder, bank):
    stream = rote.data.stream(folder, shard_images=5)
    for one, other in zip(stream.epoch(0), stream.epoch(1), strict=True):
        for part in (one, other):
            assert part.images.equal(bank.train.images[part.ids])


def test_a_damaged_picture_is_named_when_its_shard_comes(folder):
    stream = rote.data.stream(folder, shard_images=5)
    bad = folder / stream._files[int(stream.order(0)[12])].path
    bad.write_bytes(bad.read_bytes()[:40])
    parts = stream.epoch(0)
    assert [next(parts).number, next(parts).number] == [0, 1]
    with pytest.raises(DataError, match=f"^{bad}: "):
        next(parts)
    assert list(parts) == []


def test_pictures_of_another_size_are_refused(folder, make_tree, rng):
    make_tree({"train/c/odd.png": rng.integers(0, 256, (7, 7, 3), dtype=np.uint8)})
    with pytest.raises(DataError, match=r"odd\.png is 7 x 7 pixels, but .*8 x 9.*pass size="):
        list(rote.data.stream(folder, shard_images=4).epoch())


def test_the_source_says_who_decodes(folder, decoder):
    assert rote.data.stream(folder).source["decoder"]["name"] == decoder


def test_shards_hold_a_gibibyte_by_default(folder):
    assert rote.data.stream(folder).shard_images == (1 << 30) // (3 * 8 * 9)
    assert rote.data.stream(folder, size=30_000).shard_images == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "val"}, "split: wanted train or test, got 'val'"),
        ({"shard_images": 0}, "shard_images: wanted a positive int, got 0"),
        ({"shard_images": 2.5}, "shard_images: wanted a positive int, got 2.5"),
        ({"size": 0}, "size: wanted a positive int"),
        ({"seed": -1}, "seed: wanted 0 <= seed"),
        ({"seed": 1 << 64}, "seed: wanted 0 <= seed"),
        ({"decoder": "opencv"}, "decoder: wanted one of"),
        ({"image_ids": torch.tensor([0, 23])}, r"image_ids: wanted ids in \[0, 23\)"),
        ({"image_ids": torch.tensor([-1])}, r"image_ids: wanted ids in \[0, 23\)"),
        ({"image_ids": torch.arange(0)}, "image_ids: .*at least one"),
        ({"image_ids": torch.tensor([4, 4])}, "image_ids: wanted every id once"),
    ],
)
def test_bad_arguments(folder, options, message):
    with pytest.raises(ValueError, match=message):
        rote.data.stream(folder, **options)


@pytest.mark.parametrize("ids", [[0, 1], torch.tensor([0.0]), torch.zeros(2, 2).long()])
def test_ids_of_another_type(folder, ids):
    with pytest.raises(TypeError, match=r"image_ids: wanted int64 \[n\]"):
        rote.data.stream(folder, image_ids=ids)


@pytest.mark.parametrize("start", [-1, 6])
def test_a_start_beyond_the_epoch(folder, start):
    with pytest.raises(ValueError, match=r"start: wanted a shard in \[0, 5\]"):
        rote.data.stream(folder, shard_images=5).epoch(0, start=start)


@pytest.mark.parametrize("epoch", [-1, 1 << 48])
def test_an_epoch_beyond_the_addresses(folder, epoch):
    with pytest.raises(ValueError, match=r"epoch: wanted 0 <= epoch < 2\^48"):
        rote.data.stream(folder).epoch(epoch)


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        rote.data.stream(tmp_path / "nowhere")
