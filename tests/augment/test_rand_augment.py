"""RandAugment: its operations one by one and in sequence, its magnitudes, its draws, and the dial of strength."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote import address
from rote.augment import ColorJitter, HorizontalFlip, RandAugment, RandomCrop, RandomResizedCrop, Recipe

from . import oracle, torchvision_reference
from .conftest import make_addresses, make_bank
from .forced import EXECUTORS, render_by
from .oracle import rand_augment as reference
from .torchvision_reference import tone

NUMBERS = range(len(RandAugment.operations))


def columns(numbers, magnitudes) -> dict[str, torch.Tensor]:
    return {
        "rand_augment.operation": torch.tensor(numbers),
        "rand_augment.magnitude": torch.tensor(magnitudes, dtype=torch.float32),
    }


def magnitudes_of(operation: RandAugment, size: tuple[int, int]) -> dict[int, set[float]]:
    """The magnitudes that views draw, by operation."""
    ids, views = make_addresses(3000)
    params = Recipe(operation).params(ids, views, image_size=size)
    drawn: dict[int, set[float]] = {}
    numbers, magnitudes = (params[f"rand_augment.{name}"].flatten() for name in ("operation", "magnitude"))
    for number, magnitude in zip(numbers.tolist(), magnitudes.tolist(), strict=True):
        drawn.setdefault(number, set()).add(magnitude)
    return drawn


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("number", NUMBERS)
def test_each_operation_agrees_with_float64_and_torchvision(number, channels, interpolation):
    torchvision_reference.import_torchvision()
    operation = RandAugment(1, 22, interpolation=interpolation, fill=0.3)
    recipe = Recipe(operation)
    bank = make_bank(24, channels, 32, 28)
    ids = torch.arange(24)
    for magnitude in sorted(magnitudes_of(operation, (32, 28))[number]):
        rendered = recipe.apply(bank, ids, columns([number] * 24, [magnitude] * 24))
        magnitude = float(np.float32(magnitude))
        for image, got in zip(bank, rendered.double().numpy(), strict=True):
            row = {"rand_augment.operation": number, "rand_augment.magnitude": magnitude}
            expected, clear = oracle.render_decided(recipe, image.numpy(), row, (32, 28))
            assert clear.mean() > 0.95
            assert np.abs(got - expected)[clear].max() <= 2e-5
            theirs = tone.apply_one(operation, image.float() / 255, number, magnitude).double().numpy()
            assert np.abs(got - theirs)[clear].max() <= 2e-5


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("channels", [1, 3])
def test_places_act_one_after_another(channels, interpolation):
    """Place k is the oracle's operation on the engine's own image after the places before it: floats, not bytes."""
    operation = RandAugment(4, 25, interpolation=interpolation, fill=0.5)
    recipe = Recipe(operation)
    bank = make_bank(24, channels, 30, 33)
    ids, views = make_addresses(300)
    params = recipe.params(ids, views, seed=2, image_size=(30, 33))
    numbers, magnitudes = params["rand_augment.operation"], params["rand_augment.magnitude"]
    stages = []
    for places in range(5):
        kept = numbers.clone()
        kept[:, places:] = 0
        stages.append(recipe.apply(bank, ids, columns(kept.tolist(), magnitudes.tolist())).double().numpy())
    assert torch.equal(torch.tensor(stages[4]).float(), recipe(bank, ids, views, seed=2))
    checked = np.zeros(len(NUMBERS), dtype=int)
    for view in range(len(ids)):
        for place in range(4):
            number, magnitude = int(numbers[view, place]), float(magnitudes[view, place])
            before, after = stages[place][view], stages[place + 1][view]
            expected = reference.apply_one(operation, before, number, magnitude)
            clear = np.broadcast_to(reference.one_decided(operation, before, number, magnitude), before.shape)
            assert np.abs(after - expected)[clear].max(initial=0.0) <= 2e-5, (RandAugment.operations[number], magnitude)
            checked[number] += clear.mean() > 0.9
    assert checked.min() > 20


def test_every_executor_renders_the_same_bits():
    for channels, height, width in ((3, 32, 32), (1, 17, 23), (3, 5, 40)):
        bank = make_bank(24, channels, height, width)
        ids, views = make_addresses(400)
        for operation in (RandAugment(3, 30), RandAugment(8, 12, interpolation="bilinear", fill=0.7)):
            recipe = Recipe(HorizontalFlip(), operation)
            by_level = {level: render_by(level, recipe, bank, ids, views, 5) for level in EXECUTORS}
            for level, rendered in by_level.items():
                assert torch.equal(rendered, by_level["scalar"]), (level, channels, height, width)


@pytest.mark.parametrize("size", [(32, 32), (224, 96)])
@pytest.mark.parametrize(("magnitude", "bins"), [(0, 31), (9, 31), (14, 31), (30, 31), (7, 10), (57, 100), (99, 100)])
def test_magnitudes_are_torchvisions(magnitude, bins, size):
    space = torchvision_reference.import_torchvision().RandAugment._AUGMENTATION_SPACE
    drawn = magnitudes_of(RandAugment(8, magnitude, bins), size)
    for number, (values_of, signed) in enumerate(space.values()):
        values = values_of(bins, *size)
        value = 0.0 if values is None else float(values[magnitude])
        if "translate" in RandAugment.operations[number]:
            value = float(int(value))
        expected = sorted({-value, value} if signed else {value})
        assert np.allclose(sorted(drawn[number]), expected, rtol=1e-6, atol=1e-7), RandAugment.operations[number]


def test_draws_are_uniform_and_the_words_of_their_addresses():
    stats = pytest.importorskip("scipy.stats")
    ids, views = make_addresses(30_000)
    seed = (1 << 64) - 9
    params = Recipe(RandAugment(8, 20)).params(ids, views, seed, image_size=32)
    numbers, magnitudes = params["rand_augment.operation"], params["rand_augment.magnitude"]
    for place in range(8):
        counts = torch.bincount(numbers[:, place], minlength=14).numpy()
        assert stats.chisquare(counts).pvalue > 1e-3
        signed = (numbers[:, place] >= 1) & (numbers[:, place] <= 9)
        negative = int((magnitudes[signed, place] < 0).sum())
        assert stats.binomtest(negative, int(signed.sum()), 0.5).pvalue > 1e-3
        drawn = address.integers(seed, ids, views, 20 * 16, 14, 2 * place)
        assert torch.equal(numbers[:, place], drawn)
        coin = address.uniform(seed, ids, views, 20 * 16, 2 * place + 1) < 0.5
        assert torch.equal(magnitudes[signed, place] < 0, coin[signed])
    pairs = numbers[:, 0] * 14 + numbers[:, 1]
    assert stats.chisquare(torch.bincount(pairs, minlength=196).numpy()).pvalue > 1e-3


def test_fewer_operations_are_the_first_ones_and_p_is_a_gate():
    ids, views = make_addresses(2000)
    eight = Recipe(RandAugment(8)).params(ids, views, image_size=32)
    two = Recipe(RandAugment(2)).params(ids, views, image_size=32)
    one = Recipe(RandAugment(1)).params(ids, views, image_size=32)
    gated = Recipe(RandAugment(2, p=0.3)).params(ids, views, image_size=32)
    for name in eight:
        assert torch.equal(two[name], eight[name][:, :2])
        assert torch.equal(one[name], eight[name][:, 0])
    applied = address.uniform(0, ids, views, 20 * 16, 16) < 0.3
    assert torch.equal(gated["rand_augment.operation"], two["rand_augment.operation"] * applied[:, None])
    assert 0.25 < applied.float().mean() < 0.35


def test_the_dial_of_strength():
    """floor(10 s / 3) + 1 operations at bin min(floor(100 s), 99) of 100."""
    for s, operations, magnitude in ((0, 1, 0), (0.25, 1, 25), (0.5, 2, 50), (0.75, 3, 75), (0.9, 4, 90), (1, 4, 99)):
        dial = RandAugment.strength(s)
        assert (dial.num_ops, dial.magnitude, dial.num_magnitude_bins) == (operations, magnitude, 100)
        assert (dial.interpolation, dial.fill, dial.p) == ("nearest", 0.0, 1.0)
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"RandAugment.strength: s must be in \[0, 1\]"):
            RandAugment.strength(bad)


def test_with_other_operations(bank):
    """Before and behind other operations nobody's numbers move, and a row replays."""
    ids, views = make_addresses(60)
    alone = Recipe(RandAugment(2, 14)).params(ids, views, seed=7, image_size=32)
    recipe = Recipe(RandomResizedCrop(), RandAugment(2, 14), ColorJitter(0.4), RandomCrop(4), size=32)
    params = recipe.params(ids, views, seed=7, image_size=32)
    assert all(torch.equal(params[name], values) for name, values in alone.items())
    rest = Recipe(RandomResizedCrop(), ColorJitter(0.4), RandomCrop(4), size=32)
    without = rest.params(ids, views, seed=7, image_size=32)
    assert all(torch.equal(params[name], values) for name, values in without.items())
    assert torch.equal(recipe.apply(bank, ids, params), recipe(bank, ids, views, seed=7))
    params["rand_augment.operation"][:] = 0
    identity = recipe.apply(bank, ids, params)
    assert torch.equal(identity, rest.apply(bank, ids, without))


@pytest.mark.cifar
def test_real_images(cifar_images):
    """The papers' policies on CIFAR-10 test pictures by torchvision, where no operation behind another has steps."""
    torchvision_reference.import_torchvision()
    ids = torch.arange(len(cifar_images))
    for operation in (RandAugment(2, 14), RandAugment.strength(1.0)):
        recipe = Recipe(operation)
        params = recipe.params(ids, ids, image_size=32)
        rendered = recipe(cifar_images, ids, ids)
        compared = 0
        for i, row in enumerate(oracle.rows_of(params)):
            numbers = row["rand_augment.operation"]
            if any(number in (1, 2, 5, 10, 11, 13) for number in numbers):  # ties of maps, steps
                continue
            theirs = torchvision_reference.render(recipe, cifar_images[i], row, (32, 32))
            assert (rendered[i] - theirs).abs().max() <= 2e-5
            compared += 1
        assert compared > 5
