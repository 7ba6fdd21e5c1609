"""Every measure on a second device: what it gives on the CPU, wherever network, images and labels lie.

Without a GPU the second device is emulated (tests/emulated_cuda.py): its numbers are the CPU's, and must be equal.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from rote import metrics, models, train
from rote.augment import HorizontalFlip, Recipe
from rote.metrics import packed_bits
from rote.metrics.alignment import filters_of, first_layer, patch_covariance
from rote.metrics.features import PIXELS, Extractor, Shown
from rote.metrics.influence import influence_pairs
from rote.metrics.invariance import invariance
from rote.metrics.linear_probe import fit_linear_probe
from rote.metrics.prediction_depth import NORMALIZATIONS
from rote.metrics.retrieval import view_retrieval
from rote.metrics.vote import vote_correct

LABELS = torch.arange(60) % 5
RECIPE = Recipe(HorizontalFlip())
SIZES = {"in_channels": 3, "image_size": 8, "num_classes": 5, "width": 4, "projector_width": 8, "seed": 2}


class Place:
    """Where a network is, and where the images and labels are that it is shown."""

    def __init__(self, network: str, data: str, images: torch.Tensor) -> None:
        self.network_device, self.device = network, data
        self.images, self.labels = images.to(data), LABELS.to(data)

    def network(self, name="convnet", dtype=torch.float32):
        return models.build(name, **SIZES).to(self.network_device, dtype)

    def float64_inputs(self):
        return self.images[:12].double() / 255


def with_statistics(place, measure):
    network = place.network()
    with metrics.recalibrated(network, place.images):
        return measure(network)


def accuracies(place):
    def measure(network):
        source = train.LabelSource.per_view(3, 5)
        return {
            "clean": metrics.clean_correct(network, place.images, place.labels, batch_size=16),
            "fresh": metrics.fresh_view_accuracy(
                network, place.images, place.labels, RECIPE, seed=1, views=2, batch_size=16
            ),
            "pool": metrics.pool_accuracy(network, place.images, source, RECIPE, views=3, seed=1, batch_size=16),
        }

    return with_statistics(place, measure)


def features(place):
    def measure(network):
        shown = Shown(place.images, torch.arange(60), torch.arange(60), RECIPE, address_ids=torch.arange(60))
        found = {}
        for bytes_held in (1 << 20, 200):
            extract = Extractor(network, "flatten", batch_size=16, held_bytes=bytes_held)
            taken = extract.features([PIXELS, "encoder"], shown)
            groups = torch.arange(60) // 2
            votes = vote_correct(
                taken["encoder"].at(torch.arange(20)), taken["encoder"], LABELS[:20], LABELS, 3,
                groups=(groups[:20], groups),
            )  # fmt: skip
            found[bytes_held] = [taken["encoder"].matrix(), votes, next(taken[PIXELS].blocks())]
        return found

    return with_statistics(place, measure)


def probes(place):
    def measure(network):
        asked = (place.images[:20], place.labels[:20])
        layers = metrics.knn_probe_correct(network, place.images, place.labels, *asked, ("encoder", "logits"), k=3)
        embeddings = metrics.embed(network, place.images, ["encoder"])["encoder"]
        # Features that are seen twice, so that the problem has curvature in all directions.
        fitted = fit_linear_probe(torch.cat([embeddings, -embeddings]), LABELS.repeat(2), 5)
        pixels = metrics.pixel_probe_correct(place.images, place.labels, *asked, k=3, device=place.network_device)
        alike = invariance(embeddings[:20], embeddings[20:40], embeddings[40:])
        return [layers, fitted.scores(embeddings), pixels, alike, view_retrieval(embeddings, embeddings)]

    return with_statistics(place, measure)


def prediction_depth(place):
    def measure(network):
        return [
            metrics.prediction_depth(network, place.images, place.labels, queries, k=3, normalization=how)
            for how, queries in zip(NORMALIZATIONS, (None, place.images[:7], None), strict=True)
        ]

    return with_statistics(place, measure)


def disagreement(place):
    rows = place.images.flatten(1).float().to(place.network_device)
    return [
        metrics.knn_disagreement(rows, place.labels, 4, weights=weights, groups=groups)
        for weights, groups in (
            ("uniform", None),
            ("distance", torch.arange(60, device=rows.device) // 2),
            ("softmax", None),
        )
    ]


def gradients(place):
    def measure(network):
        return [
            metrics.gradient_norms(network, place.images, place.labels, chunk=16),
            metrics.last_layer_gradient_norms(network, place.images, place.labels, batch_size=16),
        ]

    return with_statistics(place, measure)


def curvature(place):
    def measure(network):
        scores = metrics.CurvatureScores(place.images, place.labels, directions=2, batch_size=32)
        scores.look(network)
        again = metrics.CurvatureScores(place.images, place.labels, directions=2, batch_size=32, dtype=torch.float64)
        again.load_state_dict(scores.state_dict())
        again.look(network)
        return again.scores()

    return with_statistics(place, measure)


def critical(place):
    network, inputs = place.network(dtype=torch.float64), place.float64_inputs()
    span = torch.full((3, 1, 1), 0.5, device=place.device)
    how = {"ids": torch.arange(5, 17), "radius": 20.0, "alpha": 6.0, "beta": 3.0, "iterations": 4, "batch_size": 5}
    return [
        metrics.critical_samples(network, inputs, pixel_range=span, **how),
        metrics.critical_samples(network, inputs, fewest_new=1, **how),
        metrics.critical_radius(network, inputs, largest=200.0, iterations=2, halvings=2, batch_size=5),
    ]


def sensitivity(place):
    network = models.build("mlp", **{**SIZES, "norm": "none"}).to(place.device)
    course = metrics.UnrolledSGD(network, place.float64_inputs(), LABELS[:12], lr=0.1, batch_size=4, momentum=0.5)
    course.train_until(2)
    found = metrics.loss_sensitivity(course, 2, num_classes=5)
    matrix = metrics.class_matrix(found.by_class, LABELS[:12])
    return [found, matrix, metrics.diagonal_ratio(matrix), course.accuracy(2), course.loss(2)]


def alignment(place):
    network = place.network()
    covariance = patch_covariance(place.images, None, first_layer(network))
    return [filters_of(network), covariance]


def influence(place, runs=24, least=0.1):
    draw = np.random.default_rng(0)
    correct, included = draw.random((runs, 21)) < 0.6, draw.random((runs, 13)) < 0.5
    packed = [packed_bits.pack(bits) for bits in (correct, included)]
    found, opposite = influence_pairs(
        *packed, test_examples=21, train_examples=13, of=np.arange(13), least=least, device=place.network_device
    )
    return [*found, opposite]


# What is compared on a real device: how far float32 (or, where it is 1e-9, float64) may be from the CPU's. Counts,
# classes and truth values must be equal everywhere.
MEASURES = {
    accuracies: 1e-4,
    features: 1e-4,
    probes: 1e-3,
    prediction_depth: 0.0,
    disagreement: 1e-5,
    gradients: 1e-4,
    curvature: 2e-2,  # differences of gradients, divided by 1e-3
    critical: 1e-9,
    sensitivity: 1e-9,
    alignment: 0.0,
    influence: 1e-12,
}
PLACES = {"all": ("cuda", "cuda"), "network": ("cuda", "cpu")}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
def test_what_the_cpu_gives(second_device, images, measure, place):
    if measure is sensitivity and place == "network":
        pytest.skip("a training has its network and its inputs in one place")
    expected = flat(measure(Place("cpu", "cpu", images)))
    found = flat(measure(Place(*PLACES[place], images)))
    assert len(found) == len(expected) > 0
    tolerance = 0.0 if second_device is not None else MEASURES[measure]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype
        if ours.is_floating_point():
            torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance, equal_nan=True)
        else:
            assert torch.equal(ours, theirs)


def flat(found) -> list[torch.Tensor]:
    """The numbers of a result, on the CPU."""
    if isinstance(found, dict):
        return flat(list(found.values()))
    if isinstance(found, tuple | list):
        return [tensor for part in found for tensor in flat(part)]
    if isinstance(found, str) or found is None:
        return []
    return [torch.as_tensor(found).detach().cpu()]


def test_evaluations_wait_once_however_many_batches(second_device, images):
    if second_device is None:
        pytest.skip("waits are counted by the emulation")
    place = Place("cuda", "cuda", images)
    network = place.network().eval()

    def waits(batch_size):
        second_device.waits.clear()
        metrics.clean_correct(network, place.images, place.labels, batch_size=batch_size)
        source = train.LabelSource.per_view(3, 5)
        metrics.pool_accuracy(network, place.images, source, RECIPE, views=3, seed=1, batch_size=batch_size)
        return sum(second_device.waits.values())

    assert waits(4) == waits(60)


def test_influence_is_exact_in_tf32(second_device, images, float32_precision):
    """Counts of thousands of networks, which 11 bits do not hold, add up in float32 all the same."""
    expected = flat(influence(Place("cpu", "cpu", images), runs=5000, least=0.005))
    float32_precision("tf32")
    found = flat(influence(Place("cuda", "cpu", images), runs=5000, least=0.005))
    assert len(expected[0]) > 10
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_mixed_devices_are_found(second_device):
    """The emulation itself refuses what a real device refuses."""
    there, here = torch.ones(3, device="cuda"), torch.ones(3)
    rows = torch.zeros(2, dtype=torch.int64)
    mistakes = (
        lambda: there + here,
        lambda: here.add_(there),
        lambda: torch.cat([there, here]),
        lambda: here[rows.cuda()],
        lambda: there.gather(0, rows),
        lambda: nn.functional.linear(there, here[None]),
        lambda: torch.randn(3, device="cuda", generator=torch.Generator()),
        lambda: np.asarray(there),
    )
    for mistake in mistakes:
        with pytest.raises((RuntimeError, TypeError)):
            mistake()
    assert (there[rows] + torch.tensor(1.0)).tolist() == [2.0, 2.0]
    assert torch.equal((there + here.cuda()).cpu(), torch.full((3,), 2.0))
