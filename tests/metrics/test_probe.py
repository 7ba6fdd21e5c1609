"""Probes against scikit-learn on the same features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize

from rote import metrics


def sklearn_correct(references, labels, queries, query_labels, k):
    classifier = KNeighborsClassifier(k).fit(normalize(np.asarray(references, dtype=np.float64)), labels)
    return classifier.predict(normalize(np.asarray(queries, dtype=np.float64))) == query_labels.numpy()


@pytest.fixture
def labels():
    return torch.arange(60) // 12


def test_embeddings_are_the_layers_outputs_in_eval_mode(images, convnet):
    ids = torch.tensor([5, 1, 44])
    found = metrics.embed(convnet, images, ["stage1", "encoder"], image_ids=ids, batch_size=2)
    assert tuple(found) == ("stage1", "encoder")
    assert convnet.training
    convnet.eval()
    with torch.no_grad():
        expected = convnet.activations(images[ids].float() / 255, ["stage1", "encoder"])
    for layer in found:
        torch.testing.assert_close(found[layer], expected[layer])
        assert not found[layer].requires_grad


def test_knn_probe_is_scikit_learns_on_normalized_features(images, labels, convnet):
    reference, query = torch.arange(0, 60, 2), torch.arange(1, 60, 2)
    arguments = (images[reference], labels[reference], images[query], labels[query])
    layers = convnet.layers
    found = metrics.knn_probe_correct(convnet, *arguments, layers, k=5)
    assert tuple(found) == layers
    for layer in layers:
        features = metrics.embed(convnet, images, [layer])[layer]
        expected = sklearn_correct(features[reference], labels[reference], features[query], labels[query], 5)
        # Neighbours at equal distances may be chosen differently; here the features have none.
        assert found[layer].tolist() == expected.tolist(), layer
    shares = metrics.knn_probe(convnet, *arguments, ["encoder"], k=5)
    assert shares == {"encoder": pytest.approx(found["encoder"].float().mean().item())}


def test_pixel_probe_is_scikit_learns_on_flat_pixels(images, labels):
    reference, query = torch.arange(0, 60, 2), torch.arange(1, 60, 2)
    arguments = (images[reference], labels[reference], images[query], labels[query])
    found = metrics.pixel_probe_correct(*arguments, k=7)
    flat = images.flatten(1).double() / 255
    expected = sklearn_correct(flat[reference], labels[reference], flat[query], labels[query], 7)
    assert found.tolist() == expected.tolist()
    assert metrics.pixel_probe(*arguments, k=7) == pytest.approx(expected.mean())


def test_bad_arguments_are_named(images, labels, convnet):
    with pytest.raises(ValueError, match=r"query_labels must be int64 \[60\]; got torch.int64 \(59,\)"):
        metrics.pixel_probe(images, labels, images, labels[1:])
    with pytest.raises(ValueError, match="k must be between 1 and the number of references, 60; got 61"):
        metrics.pixel_probe(images, labels, images, labels, k=61)
    with pytest.raises(ValueError, match=r"reference_images must be uint8 \[N, C, H, W\], N > 0"):
        metrics.pixel_probe(images[:0], labels[:0], images, labels)
    with pytest.raises(ValueError, match="layers must be out of"):
        metrics.knn_probe(convnet, images, labels, images, labels, ["stage9"])
    with pytest.raises(ValueError, match="layers must name at least one layer"):
        metrics.embed(convnet, images, [])
