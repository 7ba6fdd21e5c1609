"""The examples in the docstrings run and print what they say."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "module", ["search", "index", "probe", "accuracy", "metric", "votes", "parts", "streamed", "sharded", "estimator"]
)
def test_docstring_examples(module: str):
    result = doctest.testmod(importlib.import_module(f"rote.neighbors.{module}"))
    assert result.attempted > 0
    assert result.failed == 0
