"""The comparison of label errors with cleanlab runs, on a few digits."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

import rote
from benchmarks import label_errors


def test_planted_labels_are_wrong_and_as_many_as_asked():
    bank = rote.data.load("digits")
    planted = label_errors.plant(bank, 100, 0.1, 3)
    true = bank.train.labels[planted.ids]
    assert planted.wrong.sum() == 10
    assert ((planted.labels != true).numpy() == planted.wrong).all()


def test_a_small_run_measures_every_method(tmp_path, monkeypatch, capsys):
    pytest.importorskip("cleanlab")
    words = ["--images", "60", "--epochs", "1", "--width", "4", "--projector-width", "16", "--folds", "2", "--k", "5"]
    out = tmp_path / "result.json"
    monkeypatch.setattr(sys, "argv", ["label_errors", *words, "--seeds", "0,1", "--out", str(out)])
    label_errors.main()
    result = json.loads(out.read_text())
    methods = {row["method"] for row in result["rows"]}
    assert {"rote, k-NN disagreement", "rote, AUM", "rote, suspicion", "cleanlab, self confidence"} <= methods
    assert all(0 <= row["precision"] <= 1 and 0 < row["average_precision"] <= 1 for row in result["rows"])
    assert {row["seed"] for row in result["rows"]} == {0, 1}
    assert all(line["seeds"] == 2 for line in result["table"])
    assert result["machine"]["cleanlab"]
    # The probability of the label is one number, whoever takes it.
    both = [[row["average_precision"] for row in result["rows"] if row["method"] == f"{who}, self confidence"]
            for who in ("rote", "cleanlab")]  # fmt: skip
    np.testing.assert_allclose(*both)
    assert "| method | evidence |" in capsys.readouterr().out
