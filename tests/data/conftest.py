"""Picture folders made for a test, and the real CIFAR-10."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from rote.data import decoder as decoders

try:
    import nvidia.dali  # noqa: F401

    NO_DALI = False
except ImportError:
    NO_DALI = True

needs_dali = pytest.mark.skipif(NO_DALI, reason="needs NVIDIA DALI: pip install 'rote[dali]'")

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "cifar10-jpeg.tar.xz"
#: Pictures of each class that are unpacked from the archive for a test.
TRAIN_SAMPLE, TEST_SAMPLE = 200, 20


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(params=["pillow", pytest.param("dali", marks=needs_dali)])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each decoder in turn; it is also what "auto" means in the test."""
    monkeypatch.setattr(decoders, "PREFERENCE", (request.param,))
    return request.param


@pytest.fixture
def make_tree(tmp_path: Path) -> Callable[..., Path]:
    """make_tree({"train/cat/a.png": array or bytes, ...}) -> root. Arrays are stored with Pillow by extension."""

    def make(files: dict[str, np.ndarray | bytes], root: str = "pictures") -> Path:
        from PIL import Image

        for name, content in files.items():
            path = tmp_path / root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                Image.fromarray(content).save(path)
        return tmp_path / root

    return make


@pytest.fixture(scope="session")
def cifar_folder() -> Path:
    """The whole JPEG folder, where ROTE_CIFAR10 says it is."""
    root = os.environ.get("ROTE_CIFAR10")
    if not root:
        pytest.skip("the whole of CIFAR-10 needs ROTE_CIFAR10, the folder that holds train/ and test/")
    return Path(root)


@pytest.fixture(scope="session")
def cifar_sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """(root of a sample of the JPEG archive, number of files of each "<split>/<class>" in the whole archive)."""
    archive_path = Path(os.environ.get("ROTE_CIFAR10_ARCHIVE", ARCHIVE))
    if not archive_path.exists():
        pytest.skip(f"no CIFAR-10 archive at {archive_path}")
    root = tmp_path_factory.mktemp("cifar10")
    counts: dict[str, int] = {}
    with tarfile.open(archive_path, "r|xz") as archive:
        for member in archive:
            if not member.isfile():
                continue
            split, label, name = PurePosixPath(member.name).parts[-3:]
            count = counts[f"{split}/{label}"] = counts.get(f"{split}/{label}", 0) + 1
            if count <= (TRAIN_SAMPLE if split == "train" else TEST_SAMPLE):
                folder = root / split / label
                folder.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(archive.extractfile(member).read())
    return root, counts


@pytest.fixture
def smooth(rng):
    """smooth(height, width): a picture whose neighbouring pixels are alike, as in photographs, with slight noise."""

    def make(height: int = 37, width: int = 51) -> np.ndarray:
        y, x = np.mgrid[0:height, 0:width]
        waves = np.stack([127 + 100 * np.sin((a * y + b * x) / 9) for a, b in ((1, 0.2), (0.3, 1), (0.7, 0.7))], 2)
        return (waves + rng.normal(0, 8, waves.shape)).clip(0, 255).astype(np.uint8)

    return make


def saved(make_tree, name: str, image, **options):
    """A folder with this Pillow image in train/ and in test/."""
    root = make_tree({"train/c/read.me": b"", "test/c/read.me": b""})
    for part in ("train", "test"):
        image.save(root / part / "c" / name, **options)
    return root


@pytest.fixture
def shades(rng):
    """shades(n) gives n different 5 x 4 pictures."""
    return lambda count=1: list(rng.integers(0, 256, (count, 5, 4, 3), dtype=np.uint8))


@pytest.fixture
def animals(make_tree, shades):
    pictures = shades(6)
    names = [
        "train/cat/b.png",
        "train/cat/a.PNG",
        "train/ant/z.png",
        "train/bee/0.png",
        "test/cat/x.png",
        "test/ant/y.png",
    ]
    return make_tree(dict(zip(names, pictures, strict=True))), dict(zip(names, pictures, strict=True))


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"
