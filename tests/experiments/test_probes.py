"""Reference sets and queries of the probes."""

from __future__ import annotations

import torch

from rote import data, models
from rote.experiments import probes
from rote.experiments.probes import ProbeSuite

BANK = data.load("digits")
ORDER = BANK.balanced_order(0)
MODEL = models.build("convnet", in_channels=3, image_size=16, num_classes=10, width=2, projector_width=8)


def suite(num_seen: int, k: int = 20) -> ProbeSuite:
    return ProbeSuite(BANK, ORDER, num_seen, k=k, bn="recalibrated")


def test_seen_and_unseen_are_disjoint_and_equally_many():
    halves = suite(100).halves
    assert halves["seen"].tolist() == ORDER[:100].tolist()
    assert not set(halves["unseen"].tolist()) & set(ORDER[:100].tolist())
    assert [len(ids) for ids in suite(1000).halves.values()] == [437, 437]
    assert suite(len(ORDER)).halves == {}
    assert suite(10).halves == {}  # fewer than the neighbours that vote


def test_quick_asks_the_same_questions_of_fewer_images(monkeypatch):
    monkeypatch.setattr(probes, "QUICK_QUERIES", 50)
    measured = suite(100)
    full = {(r.layer, r.references): r for r in measured.measure(MODEL, MODEL.layers, "encoder")}
    quick = {(r.layer, r.references): r for r in measured.measure(MODEL, MODEL.layers, "encoder", quick=True)}
    assert full.keys() == quick.keys()
    for (layer, references), result in quick.items():
        whole = full[layer, references].correct
        assert len(whole) == 360
        expected = whole if layer == "encoder" else whole[measured.few]
        assert torch.equal(result.correct, expected)
    classes = torch.bincount(BANK.test.labels[measured.few], minlength=10)
    assert classes.tolist() == [5] * 10


def test_probing_leaves_the_network_as_it_was():
    before = {name: value.clone() for name, value in MODEL.state_dict().items()}
    suite(100).measure(MODEL, ("encoder",), "encoder")
    assert MODEL.training
    assert all(torch.equal(before[name], value) for name, value in MODEL.state_dict().items())
