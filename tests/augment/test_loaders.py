"""Behind a torch DataLoader, and as a transform: the pixels that a plain call renders."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from rote.augment import Collate, MixUp, Recipe, Transform, Views, recipes

from .conftest import make_bank
from .torchvision_reference import import_torchvision

RECIPE = recipes["benign-full"]
LABELS = torch.arange(24) % 5
TESTS = os.path.dirname(os.path.dirname(__file__))


# Collate -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workers", "start", "kept", "epochs"),
    [(0, None, False, 2), (2, "fork", False, 2), (2, "fork", True, 2), (1, "spawn", False, 1)],
)
def test_workers_do_not_matter(bank, workers, start, kept, epochs, monkeypatch):
    monkeypatch.syspath_prepend(TESTS)
    collate = Collate(RECIPE, bank.clone(), LABELS, seed=3)
    order = torch.randperm(24, generator=torch.Generator().manual_seed(5))
    loader = DataLoader(
        range(24),
        batch_size=5,
        sampler=order.tolist(),
        collate_fn=collate,
        num_workers=workers,
        multiprocessing_context=start,
        persistent_workers=kept,
    )
    for epoch in (7, 0)[:epochs]:
        collate.set_epoch(epoch)
        x, y = map(torch.cat, zip(*loader, strict=True))
        assert torch.equal(x, RECIPE(bank, order, torch.full_like(order, epoch), 3))
        assert torch.equal(y, LABELS[order])


def test_items_are_ids_or_pairs(bank):
    collate = Collate(RECIPE, bank, seed=1)
    collate.set_epoch(4)
    expected = RECIPE(bank, torch.tensor([3, 5, 5]), torch.tensor([4, 4, 9]), 1)
    for five in ((5, 9), [5, 9], (torch.tensor(5), torch.tensor(9)), (np.int64(5), np.int64(9))):
        assert torch.equal(collate([3, torch.tensor(5), five]), expected)
    assert collate([]).shape == (0, 3, 32, 32)
    last = (1 << 48) - 1
    collate.set_epoch(last)
    assert collate.epoch == last
    assert torch.equal(collate([2]), RECIPE(bank, torch.tensor([2]), torch.tensor([last]), 1))


def test_dtype_layout_and_copies(bank):
    collate = Collate(RECIPE, bank, seed=2, dtype=torch.float16, channels_last=True)
    x = collate([1, 2])
    assert x.dtype == torch.float16
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(pickle.loads(pickle.dumps(collate))([1, 2]), x)


def test_views_of_several_recipes(bank):
    pair = Views(RECIPE, recipes["flip-crop"])
    ids, views = torch.tensor([3, 9]), torch.tensor([2, 2])
    expected = pair(bank, ids, views, 1, dtype=torch.bfloat16)
    for labels in (None, LABELS):
        collate = Collate(pair, bank, labels, seed=1, dtype=torch.bfloat16)
        collate.set_epoch(2)
        x = collate([3, 9])
        if labels is not None:
            x, y = x
            assert torch.equal(y, LABELS[ids])
        assert all(torch.equal(a, b) for a, b in zip(x, expected, strict=True))
    with pytest.raises(ValueError, match="labels: wanted none with Views that mix labels"):
        Collate(Views(Recipe(MixUp(), partners=24)), bank, LABELS, num_classes=5)
    with pytest.raises(ValueError, match="labels: wanted one for each of the 24 images"):
        Collate(pair, bank, LABELS[:3])


def test_bad_collations(bank):
    with pytest.raises(TypeError, match="recipe: wanted a Recipe or Views"):
        Collate("benign-full", bank)
    with pytest.raises(TypeError, match="images: wanted uint8"):
        Collate(RECIPE, bank.float())
    with pytest.raises(ValueError, match="labels: wanted one for each of the 24 images"):
        Collate(RECIPE, bank, LABELS[:3])
    with pytest.raises(ValueError, match="seed: "):
        Collate(RECIPE, bank, seed=-1)
    with pytest.raises(TypeError, match="dtype: "):
        Collate(RECIPE, bank, dtype=torch.int8)
    collate = Collate(RECIPE, bank)
    for bad in (-1, 1 << 48):
        with pytest.raises(ValueError, match=r"epoch: wanted 0 <= epoch < 2\^48"):
            collate.set_epoch(bad)
        with pytest.raises(ValueError, match="views: wanted view ids"):
            collate([(1, bad)])
    with pytest.raises(TypeError, match="epoch: wanted an int"):
        collate.set_epoch(1.0)
    for bad in ("a", (1, 2, 3), bank[0], None):
        with pytest.raises(TypeError, match=r"items: wanted ids or \(id, view\) pairs"):
            collate([bad])
    with pytest.raises(ValueError, match="ids: wanted indices in"):
        collate([24])


# Transform -----------------------------------------------------------------------------------------------------------


def test_an_addressed_transform_is_the_view(bank):
    transform = Transform(RECIPE, seed=6)
    ids, views = torch.tensor([3, 17, 3]), torch.tensor([0, 5, (1 << 48) - 1])
    expected = RECIPE(bank, ids, views, 6)
    assert torch.equal(transform(bank[ids], ids, views), expected)
    for row in range(3):
        one = bank[ids[row]]
        assert torch.equal(transform(one, int(ids[row]), int(views[row])), expected[row])
        assert torch.equal(transform(one.numpy(), ids[row], views[row]), expected[row])
        assert torch.equal(transform(one, id=int(ids[row]), view=int(views[row])), expected[row])
        assert torch.equal(transform(one.unsqueeze(0), int(ids[row]), int(views[row]))[0], expected[row])
    far = (1 << 40) - 1
    assert torch.equal(
        transform(bank[0], far, 1), RECIPE(bank, *torch.tensor([[0], [1]]), 6, address_ids=torch.tensor([far]))[0]
    )


def test_pil_images(bank):
    image_of = pytest.importorskip("PIL.Image").fromarray
    transform = Transform(recipes["none"])
    colour = image_of(bank[7].permute(1, 2, 0).numpy())
    assert torch.equal(transform(colour), bank[7] / 255)
    assert torch.equal(transform(colour.convert("L")).squeeze(0), torch.from_numpy(np.array(colour.convert("L"))) / 255)
    for mode in ("P", "RGBA", "CMYK", "1"):
        assert transform(colour.convert(mode)).shape == (3, 32, 32)


def test_images_of_torchvision(bank):
    import_torchvision()
    from torchvision import tv_tensors

    got = Transform(RECIPE)(tv_tensors.Image(bank[7]), 7, 2)
    assert type(got) is torch.Tensor
    assert torch.equal(got, RECIPE(bank, *torch.tensor([[7], [2]]))[0])


def test_a_plain_transform_counts_its_calls(bank):
    transform = Transform(RECIPE, seed=2)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    zeros = torch.zeros(5, dtype=torch.int64)
    expected = RECIPE(bank[[9] * 5], torch.arange(5), torch.arange(5), 2, address_ids=zeros)
    got = [transform(bank[9]), transform(bank[9]), *transform(bank[[9, 9]]), transform(bank[9])]
    assert torch.equal(torch.stack(got), expected)
    assert torch.equal(torch.get_rng_state(), state)
    transform(bank[9], 3, 3)  # an address of its own moves no counter
    again = Transform(RECIPE, seed=2)
    assert torch.equal(torch.stack([again(bank[9]) for _ in range(5)]), expected)


class Pictures(Dataset):
    """The usual dataset: images, labels, and a transform of the image alone."""

    def __init__(self, transform) -> None:
        self.bank, self.transform = make_bank(), transform

    def __len__(self) -> int:
        return 24

    def __getitem__(self, i: int):
        return self.transform(self.bank[i]), i


@pytest.mark.parametrize("workers", [0, 2])
def test_behind_a_dataset(bank, workers):
    v2 = import_torchvision()
    compose = v2.Compose([Transform(RECIPE, seed=4), v2.RandomHorizontalFlip(p=0.0)])
    loader = DataLoader(
        Pictures(compose), batch_size=4, num_workers=workers, multiprocessing_context="fork" if workers else None
    )
    count = max(workers, 1)
    calls = [0] * count
    for _ in range(2):  # workers start anew for an epoch, their counters do not
        for number, (x, rows) in enumerate(loader):
            worker = number % count
            views = torch.arange(calls[worker], calls[worker] + 4)
            calls[worker] += 4
            who = torch.full((4,), 1 + worker if workers else 0)
            assert torch.equal(x, RECIPE(bank, rows, views, 4, address_ids=who))


def test_sizes_dtypes_and_copies(bank):
    transform = Transform(RECIPE.at(8), seed=1, dtype=torch.bfloat16)
    x = transform(bank[:, :1], *torch.arange(48).view(2, 24))
    assert x.shape == (24, 1, 8, 8)
    assert x.dtype == torch.bfloat16
    assert torch.equal(pickle.loads(pickle.dumps(transform))(bank[0], 1, 2), transform(bank[0], 1, 2))
    assert transform(bank[:0]).shape == (0, 3, 8, 8)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((torch.zeros(3, 8, 8),), TypeError, "images: wanted uint8, got torch.float32"),
        ((torch.zeros(8, 8, dtype=torch.uint8),), TypeError, r"image: wanted uint8 \[C, H, W\] or .*, got \[8, 8\]"),
        (("cat.jpg",), TypeError, "image: wanted uint8 .*, got str"),
        ((make_bank()[0], 3), TypeError, "id, view: wanted both or neither, got id=3, view=None"),
        ((make_bank()[0], 1 << 40, 0), ValueError, r"id: wanted 0 <= id < 2\^40"),
        ((make_bank()[0], 0, 1 << 48), ValueError, r"view: wanted 0 <= view < 2\^48"),
        ((make_bank()[0], 0, -1), ValueError, r"view: wanted 0 <= view < 2\^48"),
        ((make_bank()[0], 0.0, 1), TypeError, "id: wanted an int, got float"),
        ((make_bank()[:4], torch.arange(3), torch.arange(4)), ValueError, "id: wanted one for each of 4 images"),
        ((make_bank()[:2], torch.arange(2), torch.tensor([0, 1 << 48])), ValueError, "views: wanted view ids"),
    ],
)
def test_bad_calls_of_a_transform(arguments, error, match):
    with pytest.raises(error, match=match):
        Transform(RECIPE)(*arguments)


def test_bad_transforms():
    with pytest.raises(TypeError, match="recipe: wanted a Recipe"):
        Transform(RECIPE.operations)
    with pytest.raises(ValueError, match="seed: "):
        Transform(RECIPE, seed=1 << 64)
    with pytest.raises(TypeError, match="dtype: "):
        Transform(RECIPE, dtype=torch.uint8)
    with pytest.raises(ValueError, match="recipe: wanted one without partners"):
        Transform(Recipe(partners=3))
