"""The examples of docs/searching.md run; those fenced as `py` need ranks or umap-learn and are tested elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "searching.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", EXAMPLES, ids=["streamed", "parts", "scikit-learn"])
def test_example_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(code, str(PAGE), "exec"), names)
    if "labels" in names:
        assert len(set(names["labels"].tolist())) > 2
        assert names["embedded"].shape == (300, 2)
