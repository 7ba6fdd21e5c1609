"""Reference sets and queries of the probes."""

from __future__ import annotations

import torch

from rote import data, models
from rote.experiments.probing import probes
from rote.experiments.probing.probes import ProbeSuite

BANK = data.load("digits")
ORDER = BANK.balanced_order(0)
MODEL = models.build("convnet", in_channels=3, image_size=16, num_classes=10, width=2, projector_width=64)


def suite(num_seen: int, k: int = 20) -> ProbeSuite:
    return ProbeSuite(BANK, ORDER, num_seen, k=k, bn="recalibrated")


def test_seen_and_unseen_are_disjoint_and_equally_many():
    halves = suite(100).halves
    assert halves["seen"].tolist() == ORDER[:100].tolist()
    assert not set(halves["unseen"].tolist()) & set(ORDER[:100].tolist())
    assert [len(ids) for ids in suite(1000).halves.values()] == [437, 437]
    assert suite(len(ORDER)).halves == {}
    assert suite(10).halves == {}  # fewer than the neighbours that vote


def test_wide_layers_are_asked_of_few_images(monkeypatch):
    everything = {(r.layer, r.references): r for r in suite(100).measure(MODEL, MODEL.layers, "projector.hidden")}
    monkeypatch.setattr(probes, "FEW_QUERIES", 50)
    measured = suite(100)
    assert torch.bincount(BANK.test.labels[measured.few], minlength=10).tolist() == [5] * 10
    for result in measured.measure(MODEL, MODEL.layers, "encoder"):
        if result.references != "all":
            continue
        whole = everything[result.layer, "all"].correct
        wide = result.layer in ("projector.hidden", "logits")  # 64 and 10 units beside the 8 of the encoder
        assert torch.equal(result.correct, whole[measured.few] if wide else whole)
        assert result.n_references == len(ORDER)


def test_pixels_are_searched_once(monkeypatch):
    first = suite(100).pixels()
    monkeypatch.setattr(probes, "pixel_probe_correct", None)
    assert torch.equal(suite(50).pixels().correct, first.correct)
    monkeypatch.undo()
    assert not torch.equal(suite(50, k=1).pixels().correct, first.correct)


def test_probing_leaves_the_network_as_it_was():
    before = {name: value.clone() for name, value in MODEL.state_dict().items()}
    suite(100).measure(MODEL, ("encoder",), "encoder")
    assert MODEL.training
    assert all(torch.equal(before[name], value) for name, value in MODEL.state_dict().items())
