"""What blur and tone operations draw, and the arguments they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote import address
from rote.augment import (
    AutoContrast,
    Equalize,
    GaussianBlur,
    Invert,
    Normalize,
    Posterize,
    RandAugment,
    Recipe,
    Sharpness,
    Solarize,
)
from rote.ops.augment import native_program

from .conftest import make_addresses

GATED = {
    13: lambda p: GaussianBlur(3, p=p),
    14: lambda p: Solarize(p=p),
    15: lambda p: Posterize(3, p=p),
    16: lambda p: Invert(p=p),
    17: lambda p: Sharpness(2.0, p=p),
    18: lambda p: AutoContrast(p=p),
    19: lambda p: Equalize(p=p),
}


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("code", GATED)
def test_probabilities_are_the_words_of_their_addresses(code, p):
    ids, views = make_addresses(5000)
    operation = GATED[code](p)
    assert operation.code == code
    applied = Recipe(operation).params(ids, views, 5, image_size=32)[f"{operation.kind}.applied"]
    assert torch.equal(applied, address.uniform(5, ids, views, 16 * code) < p)
    assert abs(applied.double().mean() - p) < 0.03


@pytest.mark.parametrize(
    ("operation", "name", "low", "high"),
    [
        (GaussianBlur(3, (0.1, 2.0)), "gaussian_blur.sigma", 0.1, 2.0),
        (GaussianBlur(3, 1.5), "gaussian_blur.sigma", 1.5, 1.5),
        (Sharpness((0.5, 3.0)), "sharpness.factor", 0.5, 3.0),
    ],
)
def test_ranges_are_uniform(operation, name, low, high):
    stats = pytest.importorskip("scipy.stats")
    ids, views = make_addresses(40_000)
    values = Recipe(operation).params(ids, views, 3, image_size=32)[name]
    expected = low + (high - low) * address.uniform(3, ids, views, 16 * operation.code, 1)
    assert torch.equal(values, expected.float())
    if low < high:
        assert stats.kstest(values.numpy(), stats.uniform(low, high - low).cdf).pvalue > 1e-3
        assert values.min() >= np.float32(low)
        assert values.max() <= np.float32(high)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: GaussianBlur(4), ValueError, r"kernel_size must be odd and in \[1, 32767\], got 4"),
        (lambda: GaussianBlur(-3), ValueError, "kernel_size must be odd"),
        (lambda: GaussianBlur((3, 0)), ValueError, "kernel_size must be odd"),
        (lambda: GaussianBlur(3.0), TypeError, "kernel_size must be an int or"),
        (lambda: GaussianBlur((3, 3, 3)), TypeError, "kernel_size must be an int or"),
        (lambda: GaussianBlur(3, 0.0), ValueError, "sigma must be in"),
        (lambda: GaussianBlur(3, (2.0, 1.0)), ValueError, "sigma must be .lower, upper. with lower <= upper"),
        (lambda: GaussianBlur(3, float("inf")), ValueError, "sigma must be in"),
        (lambda: GaussianBlur(3, p=1.5), ValueError, r"p must be in \[0, 1\], got 1.5"),
        (lambda: Sharpness(-1.0), ValueError, "factor must be in"),
        (lambda: Sharpness("2"), TypeError, "factor must be"),
        (lambda: Solarize(1.5), ValueError, r"threshold must be in \[0, 1\], got 1.5"),
        (lambda: Posterize(9), ValueError, r"bits must be in \[0, 8\], got 9"),
        (lambda: Posterize(3.0), TypeError, "bits must be an int"),
        (lambda: Invert(p=-1), ValueError, "p must be in"),
        (lambda: AutoContrast(p="1"), TypeError, "p must be a number"),
        (lambda: Equalize(p=2), ValueError, "p must be in"),
        (lambda: RandAugment(0), ValueError, r"num_ops must be in \[1, 8\], got 0"),
        (lambda: RandAugment(9), ValueError, r"num_ops must be in \[1, 8\], got 9"),
        (lambda: RandAugment(2.0), TypeError, "num_ops must be an int"),
        (lambda: RandAugment(2, 31), ValueError, r"magnitude must be in \[0, 30\], got 31"),
        (lambda: RandAugment(2, 0, 1), ValueError, "num_magnitude_bins must be in"),
        (lambda: RandAugment(interpolation="bicubic"), ValueError, "interpolation must be one of"),
        (lambda: RandAugment(fill=2.0), ValueError, "fill must be in"),
    ],
)
def test_operations_that_mean_nothing(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_kernels_that_cannot_be_reflected(bank):
    ids, views = make_addresses(2)
    Recipe(GaussianBlur(63))(bank, ids, views)
    with pytest.raises(ValueError, match=r"GaussianBlur: kernel_size must be at most 63 .* 32 x 32, got 65"):
        Recipe(GaussianBlur(65))(bank, ids, views)
    with pytest.raises(ValueError, match=r"kernel_size must be at most 9 .* got 11"):
        Recipe(GaussianBlur((3, 11))).params(ids, views, image_size=(5, 32))


def test_operations_on_unit_pixels_stand_before_normalize():
    for make in (*GATED.values(), lambda p: RandAugment(p=p)):
        operation = make(0.5)
        if isinstance(operation, GaussianBlur):
            Recipe(Normalize(0.5, 0.5), operation)
            continue
        with pytest.raises(ValueError, match="must stand before Normalize"):
            Recipe(Normalize(0.5, 0.5), operation)


@pytest.mark.parametrize(
    ("operation", "name", "value"),
    [
        (GaussianBlur(3), "sigma", 0.0),
        (GaussianBlur(3), "sigma", float("nan")),
        (GaussianBlur(3), "sigma", float("inf")),
        (Sharpness(2.0), "factor", -0.5),
        (Sharpness(2.0), "factor", float("nan")),
        (RandAugment(2), "operation", 14),
        (RandAugment(2), "operation", -1),
        (RandAugment(1), "operation", 1 << 32),
        (RandAugment(2), "magnitude", float("nan")),
    ],
)
def test_parameters_that_mean_nothing(bank, operation, name, value):
    ids, views = make_addresses(4)
    recipe = Recipe(operation)
    given = recipe.params(ids, views, image_size=32)
    given[f"{operation.kind}.{name}"][2] = value
    with pytest.raises(ValueError, match=rf"params.*{name}: wanted .* in row 2"):
        recipe.apply(bank, ids, given)


@pytest.mark.parametrize(
    ("number", "magnitude"), [(1, 101.0), (3, 0.5), (4, 20000.0), (6, -1.5), (9, 2e6), (10, 9.0), (10, 2.5), (11, 1.5)]
)
def test_magnitudes_that_their_operation_cannot_take(bank, number, magnitude):
    recipe = Recipe(RandAugment(2))
    given = {
        "rand_augment.operation": torch.tensor([[0, 0], [0, number]]),
        "rand_augment.magnitude": torch.tensor([[magnitude, 0], [0, magnitude]]),
    }
    with pytest.raises(ValueError, match=r"magnitude: wanted what the operations .* in row 1"):
        recipe.apply(bank, torch.arange(2), given)


@pytest.mark.parametrize(
    "constants",
    [
        [13, [4, 3, 0.1, 2, 1]],
        [13, [3, 3, 0, 2, 1]],
        [13, [3, 65, 0.1, 2, 1]],
        [13, [3, 3, 0.1, 2, 2]],
        [14, [1.5, 1]],
        [15, [3.5, 1]],
        [15, [9, 1]],
        [16, [2]],
        [17, [2, 1, 1]],
        [18, [-1]],
        [19, [float("nan")]],
        [20, [9, 9, 31, 0, 0, 1]],
        [20, [2, 31, 31, 0, 0, 1]],
        [20, [2, 0, 1, 0, 0, 1]],
        [20, [2, 9, 31, 2, 0, 1]],
        [20, [2, 9, 31, 0, -1, 1]],
        [20, [2, 9, 31, 0, 0]],
    ],
)
def test_the_core_refuses_constants_by_itself(constants):
    code, values = constants
    program = f"[[{code}, 0, [{', '.join('NaN' if v != v else repr(v) for v in values)}]]]"
    with pytest.raises(ValueError, match=r"wanted|finite"):
        native_program(program, 3, (32, 32), (32, 32))


def test_the_core_wants_one_or_three_channels_except_for_blur():
    for code, make in GATED.items():
        operation = make(0.5)
        program = f"[[{code}, 0, {operation.constants()}]]"
        if code == 13:
            native_program(program, 2, (32, 32), (32, 32))
            continue
        with pytest.raises(ValueError, match="wanted images of 1 or 3 channels, got 2"):
            native_program(program, 2, (32, 32), (32, 32))
