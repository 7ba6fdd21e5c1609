"""rote::augment_render on a CUDA device: both paths give the CPU's bits, without a synchronization."""

from __future__ import annotations

import pytest
import torch

from rote.augment import (
    AutoContrast,
    CenterCrop,
    ColorJitter,
    CutMix,
    Cutout,
    Equalize,
    GaussianBlur,
    GaussianNoise,
    Grayscale,
    HorizontalFlip,
    Invert,
    MixUp,
    Posterize,
    RandAugment,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomResizedCrop,
    RandomRotation,
    Recipe,
    Resize,
    Sharpness,
    Solarize,
    VerticalFlip,
)

from .conftest import make_addresses, make_bank

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

NORMALIZE = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)}
SIMCLR = (RandomResizedCrop(), HorizontalFlip(), ColorJitter(0.4, 0.4, 0.4, 0.1, p=0.8), Grayscale(p=0.2))
CASES = {
    "flip-crop": Recipe(RandomCrop(4), HorizontalFlip(), Cutout(12), **NORMALIZE),
    "resized": Recipe(RandomResizedCrop(), HorizontalFlip(), VerticalFlip()),
    "bicubic": Recipe(RandomResizedCrop(interpolation="bicubic"), HorizontalFlip()),
    "simclr": Recipe(*SIMCLR, **NORMALIZE),
    "byol": Recipe(*SIMCLR, GaussianBlur(3, p=0.5), Solarize(0.5, p=0.2), **NORMALIZE),
    "affine": Recipe(RandomAffine(20, (0.1, 0.1), interpolation="bilinear"), RandomRotation(10), RandomErasing()),
    "mixup": Recipe(*SIMCLR, MixUp(0.5), partners=24, **NORMALIZE),
    "cutmix": Recipe(RandomCrop(4), CutMix(1.0), HorizontalFlip(), partners=24, **NORMALIZE),
    "tone": Recipe(AutoContrast(), Equalize(), Posterize(4), Invert(), Sharpness((0.1, 1.9))),
    "rand-augment": Recipe(RandAugment(2, 9), GaussianNoise(0.0, 0.1)),
    "central": Recipe(Resize(40), CenterCrop(36), Resize(32)),
}


@pytest.fixture(params=["simple", "fast"])
def path(request, monkeypatch):
    monkeypatch.setenv("ROTE_AUGMENT_PATH", request.param)
    return request.param


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [32, 64, 96, 224])
def test_same_bits_as_the_cpu(path, name, size):
    bank = make_bank(height=size, width=size)
    ids, views = make_addresses(300 if size == 32 else 40)
    recipe = CASES[name].at(size) if name != "central" else CASES[name]
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        for channels_last in (False, True):
            how = {"dtype": dtype, "channels_last": channels_last}
            found = recipe(bank.cuda(), ids.cuda(), views.cuda(), **how)
            assert torch.equal(found.cpu(), recipe(bank, ids, views, **how)), (dtype, channels_last)


def test_many_views_in_one_launch(path):
    bank = make_bank()
    ids, views = make_addresses(100_000)
    assert torch.equal(
        CASES["byol"](bank.cuda(), ids.cuda(), views.cuda(), dtype=torch.bfloat16).cpu(),
        CASES["byol"](bank, ids, views, dtype=torch.bfloat16),
    )


def test_bad_addresses_are_nan_and_never_read(path, monkeypatch):
    monkeypatch.delenv("ROTE_CHECK", raising=False)
    bank = make_bank().cuda()
    ids, views = make_addresses(9)
    ids[1], ids[3], views[5] = -1, len(bank), 1 << 48
    found = CASES["simclr"](bank, ids.cuda(), views.cuda())
    assert found.isnan().flatten(1).all(1).tolist() == [i in (1, 3, 5) for i in range(9)]


@pytest.mark.parametrize("name", ["flip-crop", "byol", "mixup"])
def test_captures_into_a_cuda_graph(path, name):
    bank = make_bank().cuda()
    ids, views = (v.cuda() for v in make_addresses(64))
    out = torch.empty(64, 3, 32, 32, device="cuda")
    CASES[name](bank, ids, views, out=out)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        CASES[name](bank, ids, views, out=out)
    views += 1
    graph.replay()
    assert torch.equal(out, CASES[name](bank, ids, views))


def test_unknown_path_is_an_error(monkeypatch):
    monkeypatch.setenv("ROTE_AUGMENT_PATH", "faster")
    ids, views = (v.cuda() for v in make_addresses(2))
    with pytest.raises(ValueError, match="ROTE_AUGMENT_PATH: wanted auto, simple or fast, got 'faster'"):
        CASES["resized"](make_bank().cuda(), ids, views)
