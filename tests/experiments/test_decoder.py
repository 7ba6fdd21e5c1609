"""A run says which program decoded its pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rote.experiments import benign


@pytest.fixture
def pictures(tmp_path):
    """A folder of 40 train and 8 test pictures of noise, 16 x 16, in two classes."""
    from PIL import Image

    rng = np.random.default_rng(3)
    for part, count in (("train", 20), ("test", 4)):
        for name in ("cat", "dog"):
            folder = tmp_path / "pictures" / part / name
            folder.mkdir(parents=True)
            for index in range(count):
                Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    return tmp_path / "pictures"


@pytest.mark.parametrize("decoder", ["pillow", "dali"])
def test_config_records_the_decoder(tiny, pictures, tmp_path, monkeypatch, decoder):
    if decoder == "dali":
        pytest.importorskip("nvidia.dali", reason="needs NVIDIA DALI: pip install 'rote[dali]'")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    options = tiny | {"data": "folder", "root": pictures, "images": 32, "augment": "flip-crop", "k": 5, "epochs": 1}
    run = benign(**options, decoder=decoder)
    stored = json.loads((run.dir / "config.json").read_text())
    assert stored["config"]["decoder"] == decoder
    recorded = run.record["source"]["decoder"]
    assert recorded["name"] == decoder
    assert recorded["version"]
    assert run.record["source"]["decoded_by_pillow"] == 0
    # Pixels decide which run it is, not who decoded them: PNG files are the same to both.
    assert benign(**options, decoder="auto").dir == run.dir
