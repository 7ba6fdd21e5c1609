"""A tiny `location`: its data and its options."""

from __future__ import annotations

from rote.data import ImageBank, load
from rote.data.bank import Split


def small_bank():
    """Few digits: what is asked of them costs more than training on them."""
    digits = load("digits")
    train, test = digits.train, digits.test
    parts = {"train": Split(train.images[:160], train.labels[:160]), "test": Split(test.images[:60], test.labels[:60])}
    return ImageBank(name="digits", classes=digits.classes, source={}, **parts)


BANK = small_bank()
FIELDS = {
    "data": BANK,
    "images": 48,
    "noise": 0.5,
    "model": "mlp",
    "width": 12,
    "projector_width": 16,
    "epochs": 24,
    "batch_size": 24,
    "lr": 2e-2,
    "evaluations": 1,
    "moments": (3,),
    "early_epoch": 3,
    "test_images": 40,
    "retrain_epochs": 2,
    "retrain_batch_size": 8,
    "tied_epochs": 4,
    "neuron_examples": 2,
    "neuron_batch_size": 8,
    "neuron_most": 6,
    "geometry_points": 3,
    "geometry_draws": 5,
    "k": 5,
    "device": "cpu",
}
