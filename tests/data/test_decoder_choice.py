"""Which decoder reads a folder: by name, by what is installed, and each with a cache of its own."""

from __future__ import annotations

import json
import sys
import warnings

import pytest
from PIL import Image

from rote.data import decoder as decoders
from rote.data import load

from .conftest import needs_dali, saved


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))


@needs_dali
def test_caches_are_kept_apart(make_tree, smooth, tmp_path):
    root = saved(make_tree, "1.png", Image.fromarray(smooth()))
    cache = tmp_path / "cache"
    options = {"size": 16, "cache_dir": cache, "progress": False}
    first = {name: load("folder", root, decoder=name, **options) for name in ("pillow", "dali")}
    assert len(list(cache.iterdir())) == 2
    assert first["pillow"].fingerprint() != first["dali"].fingerprint()  # the rim differs
    for name, bank in first.items():
        again = load("folder", root, decoder=name, **options)
        assert again.fingerprint() == bank.fingerprint()
        assert again.source == bank.source
        assert again.source["decoder"]["name"] == name
    assert load("folder", root, **options).fingerprint() == first["dali"].fingerprint()  # auto
    assert len(list(cache.iterdir())) == 2


def test_another_version_is_another_cache(make_tree, smooth, tmp_path, decoder, monkeypatch):
    root = saved(make_tree, "1.png", Image.fromarray(smooth()))
    load("folder", root, cache_dir=tmp_path / "cache", progress=False)
    module = sys.modules[f"rote.data.{decoder}_decoder"]
    monkeypatch.setattr(module, "RULES_VERSION", 99)
    load("folder", root, cache_dir=tmp_path / "cache", progress=False)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_the_source_says_who_decoded(make_tree, smooth, decoder):
    bank = load("folder", saved(make_tree, "1.png", Image.fromarray(smooth())), progress=False)
    facts = bank.source["decoder"]
    assert facts["name"] == decoder
    assert facts["version"] == (Image.__version__ if decoder == "pillow" else sys.modules["nvidia.dali"].__version__)
    assert json.loads(json.dumps(bank.source)) == bank.source


@pytest.fixture
def no_dali(monkeypatch):
    for module in ("nvidia", "nvidia.dali"):
        monkeypatch.setitem(sys.modules, module, None)


def test_missing_dali_names_the_extra(no_dali, make_tree, smooth):
    root = saved(make_tree, "1.png", Image.fromarray(smooth()))
    with pytest.raises(ModuleNotFoundError, match=r"decoder 'dali'.*pip install 'rote\[dali\]'"):
        load("folder", root, decoder="dali")


def test_auto_without_dali_is_pillow(no_dali):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decoders.choose("auto").facts["name"] == "pillow"


def test_auto_with_a_broken_dali_is_pillow_and_said(monkeypatch):
    def broken():
        raise ImportError("libcuda.so.1: cannot open shared object file")

    monkeypatch.setitem(decoders._BY_NAME, "dali", broken)
    with pytest.warns(UserWarning, match=r"dali cannot be used.*libcuda"):
        assert decoders.choose("auto").facts["name"] == "pillow"
    with pytest.raises(ImportError, match="libcuda"):
        decoders.choose("dali")


@needs_dali
def test_auto_is_dali_where_it_is_installed():
    assert decoders.choose("auto").facts["name"] == "dali"


@pytest.mark.parametrize("name", ["opencv", "", "Pillow", None])
def test_unknown_decoder(name, make_tree, smooth):
    with pytest.raises(ValueError, match="decoder: wanted one of auto, pillow, dali, got"):
        load("folder", saved(make_tree, "1.png", Image.fromarray(smooth())), decoder=name)


def test_data_sets_without_files_refuse_a_decoder():
    with pytest.raises(ValueError, match="'digits' does not take decoder=, got dali"):
        load("digits", decoder="dali")
    assert len(load("digits", decoder="auto").train) == 1437
