"""Prediction depth against float64 numpy and scikit-learn, and the definition by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler, normalize

from rote import metrics
from rote.metrics.features import Extractor, Shown
from rote.metrics.prediction_depth import depth_of, prediction_depth


@pytest.fixture
def labels():
    return torch.arange(60) // 12


def test_depth_by_hand():
    predicted = torch.tensor([1, 1, 1, 1, 1])
    probed = torch.tensor(
        [
            [1, 0, 1, 0, 1],
            [1, 1, 0, 1, 1],
            [1, 1, 1, 0, 0],
        ]
    )
    assert depth_of(probed, predicted).tolist() == [0, 1, 2, 3, 3]
    with pytest.raises(ValueError, match="probed must be int64"):
        depth_of(probed, predicted[1:])


def loop_depth(probed, predicted):
    """The definition read aloud: from the end on, as long as the probe agrees."""
    depths = []
    for column, answer in zip(probed.T, predicted, strict=True):
        depth = len(column)
        while depth > 0 and column[depth - 1] == answer:
            depth -= 1
        depths.append(depth)
    return depths


def oracle(model, references, labels, queries, k, metric, normalization, leave_out):
    """(probed [L, Q], predicted [Q]) by scikit-learn in float64."""
    taps = ["pixels", *[name for name in model.layers if name != "logits"]]
    extract = Extractor(model, "flatten")

    def features(images):
        found = extract.held([*taps, "logits"], Shown(images, torch.arange(len(images))))
        found = {name: value.double().numpy() for name, value in found.items()}
        logits = found.pop("logits")
        exponentials = np.exp(logits - logits.max(1, keepdims=True))
        return {**found, "softmax": exponentials / exponentials.sum(1, keepdims=True)}, logits.argmax(1)

    there, _ = features(references)
    asked, predicted = features(queries)
    probed = []
    for tap in [*taps, "softmax"]:
        r, q = there[tap], asked[tap]
        if normalization == "unit":
            r, q = normalize(r), normalize(q)
        if normalization == "standardize":
            scaler = StandardScaler().fit(r)
            r, q = scaler.transform(r), scaler.transform(q)
        probe = KNeighborsClassifier(k, metric={"l2": "euclidean"}.get(metric, metric), algorithm="brute")
        probe.fit(r, labels.numpy())
        if leave_out:
            nearest = probe.kneighbors(None, return_distance=False)
            votes = np.stack([(labels.numpy()[nearest] == c).sum(1) for c in range(5)], 1)
            probed.append(votes.argmax(1))
        else:
            probed.append(probe.predict(q))
    return np.stack(probed), predicted


@pytest.mark.parametrize("normalization", ["none", "unit", "standardize"])
@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_depth_is_scikit_learns(images, labels, convnet, metric, normalization):
    references, queries = torch.arange(0, 60, 2), torch.arange(1, 60, 2)
    found = prediction_depth(
        convnet,
        images[references],
        labels[references],
        images[queries],
        k=5,
        metric=metric,
        normalization=normalization,
    )
    probed, predicted = oracle(
        convnet, images[references], labels[references], images[queries], 5, metric, normalization, False
    )
    assert found.taps == ("pixels", *convnet.layers[:-1], "softmax")
    np.testing.assert_array_equal(found.probed, probed)
    np.testing.assert_array_equal(found.predicted, predicted)
    assert found.depth.tolist() == loop_depth(probed, predicted)
    assert found.settled.tolist() == (probed[-1] == predicted).tolist()
    assert convnet.training


def test_training_images_leave_themselves_out_unless_asked(images, labels, convnet):
    alone = prediction_depth(convnet, images, labels, k=3)
    probed, predicted = oracle(convnet, images, labels, images, 3, "l2", "none", True)
    np.testing.assert_array_equal(alone.probed, probed)
    assert alone.depth.tolist() == loop_depth(probed, predicted)
    inside = prediction_depth(convnet, images, labels, k=1, exclude_self=False)
    assert (inside.probed[0] == labels).all()  # every image is its own nearest neighbour in pixels
    assert not (prediction_depth(convnet, images, labels, k=1).probed[0] == labels).all()
    same = prediction_depth(convnet, images, labels, images, k=3)
    torch.testing.assert_close(same.probed, prediction_depth(convnet, images, labels, k=3, exclude_self=False).probed)


def test_all_references_may_vote_where_none_is_the_query(images, labels, convnet):
    few, own = images[:5], labels[::12]
    every = prediction_depth(convnet, few, own, images[5:8], k=5, layers=[])
    assert (every.probed == 0).all()  # one vote for each class: the smaller one
    assert (prediction_depth(convnet, few, own, k=5, layers=[], exclude_self=False).probed == 0).all()
    with pytest.raises(ValueError, match="k must be between 1"):
        prediction_depth(convnet, few, own, images[5:8], k=6, layers=[])


def test_reference_labels_and_layers_are_arguments(images, labels, convnet):
    noisy = labels.flip(0)
    true = prediction_depth(convnet, images, labels, k=3, layers=["stage1"], pooling="average")
    other = prediction_depth(convnet, images, noisy, k=3, layers=["stage1"], pooling="average")
    assert true.taps == ("pixels", "stage1", "softmax")
    assert (true.probed != other.probed).any()
    torch.testing.assert_close(true.predicted, other.predicted)
    with metrics.recalibrated(convnet, images):
        prediction_depth(convnet, images, labels, k=3)


def test_bad_arguments_are_named(images, labels, convnet):
    with pytest.raises(ValueError, match="k must be between 1 and the number of references"):
        prediction_depth(convnet, images, labels, k=60)
    with pytest.raises(ValueError, match="normalization must be one of none, unit, standardize; got 'z'"):
        prediction_depth(convnet, images, labels, normalization="z")
    with pytest.raises(ValueError, match="layers must be out of"):
        prediction_depth(convnet, images, labels, k=3, layers=["stage9"])
    with pytest.raises(ValueError, match="pooling"):
        prediction_depth(convnet, images, labels, k=3, pooling="sum")
