"""Bits by both formulas, against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from rote.metrics import bits


def test_fano_by_hand():
    # Perfect recall: M log2 C.
    assert bits.fano(1000, 10, 1.0) == pytest.approx(1000 * 3.321928094887362)
    # C = 2, a = 3/4: 1 - H(3/4) = 1 - 0.8112781244591328, and log2(C - 1) = 0.
    assert bits.fano(100, 2, 0.75) == pytest.approx(100 * 0.18872187554086717)
    # C = 4, a = 1/2: 2 - 1 - 0.5 log2 3.
    assert bits.fano(8, 4, 0.5) == pytest.approx(8 * (1 - 0.5 * 1.584962500721156))
    # C = 10, a = 0.9: log2 10 - 0.4689955935892812 - 0.1 log2 9.
    assert bits.fano(1, 10, 0.9) == pytest.approx(3.321928094887362 - 0.4689955935892812 - 0.1 * 3.169925001442312)


def test_fano_vanishes_at_and_below_chance():
    assert bits.fano(1000, 10, 0.1) == 0.0
    assert bits.fano(1000, 10, 0.05) == 0.0
    assert bits.fano(1000, 10, 0.0) == 0.0
    assert bits.fano(1000, 10, 0.1001) == pytest.approx(0.0, abs=1e-3)
    values = [bits.fano(1, 10, a / 100) for a in range(10, 101)]
    assert values == sorted(values)


def test_code_length_by_hand():
    # Costs 0, 1 and 2 bits out of log2 4 = 2 bits each.
    log_p = torch.tensor([1.0, 0.5, 0.25]).log()
    assert bits.code_length(log_p, 4) == pytest.approx(3 * 2 - 3)
    uniform = torch.full((7,), -math.log(10.0))
    assert bits.code_length(uniform, 10) == pytest.approx(0.0, abs=1e-5)
    assert bits.code_length(torch.zeros(7), 10) == pytest.approx(7 * math.log2(10))
    assert bits.code_length(torch.full((2,), -math.log(100.0)), 10) == pytest.approx(-2 * math.log2(10), rel=1e-5)


def test_code_length_of_shared_labels_counts_a_label_once():
    log_p = torch.tensor([1.0, 0.25, 0.25, 1.0]).log()  # two images, two views each; mean cost 1 bit
    assert bits.code_length(log_p, 4, labels=2) == pytest.approx(2 * (2 - 1))
    assert bits.code_length_from_cost(1.0, 4, 2) == 2.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bits.fano(10, 1, 0.5), "num_classes must be at least 2; got 1"),
        (lambda: bits.fano(-1, 2, 0.5), "labels must not be negative; got -1"),
        (lambda: bits.fano(10, 2, 1.5), r"accuracy must be in \[0, 1\]; got 1.5"),
        (lambda: bits.fano(10, 2, float("nan")), r"accuracy must be in \[0, 1\]; got nan"),
        (lambda: bits.code_length(torch.tensor([0.5]), 2), "log_p must be logarithms of probabilities"),
        (lambda: bits.code_length(torch.tensor([float("nan")]), 2), "log_p must be logarithms of probabilities"),
        (lambda: bits.code_length(torch.zeros(0), 2), r"log_p must be float \[K\], K > 0"),
    ],
)
def test_bad_numbers_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
