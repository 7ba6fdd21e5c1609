"""Names: what `load` knows, refuses and can be taught."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

import rote.data
from rote.data import ImageBank, Split
from rote.data import load as load_function

load_module = sys.modules["rote.data.load"]


def test_unknown_name_lists_what_exists():
    with pytest.raises(ValueError, match="name: wanted one of cifar10, digits, folder, got 'mnist'"):
        rote.data.load("mnist")


def test_registered_loader_gets_the_arguments(monkeypatch, tmp_path):
    monkeypatch.setattr(load_module, "_loaders", dict(load_module._loaders))
    split = Split(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), torch.zeros(1).long())
    seen = []

    def loader(root, size, cache_dir, progress):
        seen.append((root, size, cache_dir, progress))
        return ImageBank("mine", split, split, ("only",))

    rote.data.register("mine", loader)
    assert rote.data.available() == ("cifar10", "digits", "folder", "mine")
    assert load_function("mine", str(tmp_path), size=8, progress=False).name == "mine"
    assert seen == [(tmp_path, (8, 8), None, False)]
    with pytest.raises(ValueError, match="'digits' is taken"):
        rote.data.register("digits", loader)


def test_import_loads_neither_pillow_nor_scikit_learn():
    code = "import sys, rote.data; print([m for m in ('PIL', 'sklearn', 'rich', 'tyro') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_missing_pillow_says_what_to_install(monkeypatch, make_tree):
    root = make_tree({"train/a/1.png": b"x", "test/a/1.png": b"x"})
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'rote\[lab\]'"):
        rote.data.load("folder", root)
