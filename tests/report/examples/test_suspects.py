"""The page of suspicious labels: what it says, what it refuses."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rote.report.examples import write_suspects_page


@pytest.fixture
def ranked():
    return {
        "row": np.array([4, 0]),
        "label": np.array([1, 0]),
        "suggested_label": np.array([0, 0]),
        "knn_disagreement": np.array([1.0, 0.25]),
        "aum": np.array([-2.5, np.nan]),
    }


def test_each_suspect_stands_beside_its_neighbours(tmp_path, ranked):
    labels = np.array([0, 0, 1, 0, 1])
    pictures = {row: np.full((4, 4, 3), 40 * row, dtype=np.uint8) for row in range(5)}
    near = np.array([[0, 3], [1, -1]])
    path = write_suspects_page(ranked, near, labels, tmp_path / "s.html", images=pictures, classes=("cat", "<dog>"))
    text = path.read_text()
    articles = re.findall(r"<article.*?</article>", text, flags=re.S)
    assert [re.search(r"data-row='(\d+)'", article)[1] for article in articles] == ["4", "0"]
    assert re.findall(r"class='cell (\w*)'", articles[0]) == ["own", "other", "other"]
    assert re.findall(r"class='cell (\w*)'", articles[1]) == ["own", ""]
    assert "labelled <b>&lt;dog&gt;</b>, its neighbours say <b class='other'>cat</b>" in articles[0]
    assert "say" not in articles[1]  # they agree with its label
    assert "knn disagreement 1 · aum \u22122.5" in articles[0]
    assert "aum" not in articles[1]
    assert text.count("<img") == 5
    assert "<dog>" not in text
    assert "<script" not in text


def test_what_is_missing_is_named(tmp_path, ranked):
    with pytest.raises(ValueError, match="lacks suggested_label"):
        write_suspects_page(
            {"row": [0], "label": [0]}, np.zeros((1, 1), dtype=int), np.zeros(5, dtype=int), tmp_path / "s"
        )
    with pytest.raises(ValueError, match=r"neighbours must be int \[2, K\]; got \[3, 1\]"):
        write_suspects_page(ranked, np.zeros((3, 1), dtype=int), np.zeros(5, dtype=int), tmp_path / "s")
