"""Features of layers, held or streamed, and the vote on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

import rote
from rote import metrics
from rote.metrics.features import PIXELS, Extractor, Features, Shown
from rote.metrics.vote import majority, vote_correct

IDS = torch.tensor([5, 1, 44, 12, 13, 14, 59])


def test_held_and_streamed_are_the_embeddings(images, convnet):
    layers = [PIXELS, "stage1", "encoder", "logits"]
    expected = metrics.embed(convnet, images, layers[1:], image_ids=IDS)
    expected[PIXELS] = images[IDS].flatten(1).float() / 255
    for held_bytes in (1 << 30, 4 * 16 * 3):  # everything at once, or three rows of the encoder
        extractor = Extractor(convnet, batch_size=3, held_bytes=held_bytes)
        features = extractor.features(layers, Shown(images, IDS))
        assert (features["encoder"].held is None) == (held_bytes < 1000)
        for layer in layers:
            assert features[layer].dim == expected[layer].shape[1]
            for parts in (features[layer].chunks(), features[layer].blocks(), [features[layer].matrix()]):
                torch.testing.assert_close(torch.cat(list(parts)), expected[layer])
            some = features[layer].at(torch.tensor([6, 0]))
            torch.testing.assert_close(some.matrix(), expected[layer][[6, 0]])
            assert max(len(block) for block in features[layer].blocks()) <= max(features[layer].fitting, 1)
    assert convnet.training


def test_layers_are_grouped_by_what_memory_holds(images, convnet):
    # 4 + 4 + 8 + 16 + 16 + 5 numbers of 4 bytes for each of 10 rows.
    layers = [*convnet.layers]
    assert layers == ["stage1", "stage2", "stage3", "encoder", "projector.hidden", "logits"]
    assert Extractor(convnet, held_bytes=1 << 20).groups(layers, images, 10) == [layers]
    groups = Extractor(convnet, held_bytes=700).groups(layers, images, 10)
    assert groups == [["stage1", "stage2", "stage3"], ["encoder"], ["projector.hidden"], ["logits"]]


def test_views_are_those_asked_for(images, convnet, stamp):
    shown = Shown(images, torch.tensor([3, 4]), torch.tensor([7, 9]), stamp, seed=5)
    pixels = Extractor(convnet).held([PIXELS], shown)[PIXELS].view(2, 3, 8, 8)
    assert pixels[:, :, 0, 0].tolist() == [[7, 3, 2], [9, 4, 2]]
    assert Extractor(convnet).held([PIXELS], shown.at(slice(1, 2)))[PIXELS][0, 0] == 9


def test_one_transformation_of_two_images(images):
    recipe = rote.augment.Recipe(rote.augment.RandomCrop(padding=3), rote.augment.HorizontalFlip())
    ids, others = torch.arange(20), torch.arange(20, 40)
    views = torch.full((20,), 3)
    network = rote.models.build("mlp", in_channels=3, image_size=8, num_classes=2, width=4)
    shown = Shown(images, others, views, recipe, address_ids=ids)
    found = Extractor(network).held([PIXELS], shown)[PIXELS]
    drawn = recipe.params(ids, views, image_size=8)
    assert torch.equal(found, recipe.apply(images, others, drawn).flatten(1))


def held(values) -> Features:
    matrix = torch.as_tensor(values, dtype=torch.float32)
    return Features(None, "x", Shown(torch.zeros(1, 1, 1, 1), torch.arange(len(matrix))), matrix.shape[1], matrix)


def test_vote_is_scikit_learns():
    rng = np.random.default_rng(0)
    references, queries = rng.normal(size=(90, 6)), rng.normal(size=(40, 6))
    labels, asked = rng.integers(0, 4, 90), rng.integers(0, 4, 40)
    peer = KNeighborsClassifier(7, metric="cosine", algorithm="brute").fit(references, labels).predict(queries)
    parts = [held(references[:33]), held(references[33:])]
    for given in (held(references), parts):
        found = vote_correct(held(queries), given, torch.tensor(asked), torch.tensor(labels), 7)
        assert found.tolist() == (peer == asked).tolist()


def test_groups_never_vote_on_themselves():
    rng = np.random.default_rng(1)
    images = rng.normal(size=(30, 5))
    views = np.repeat(images, 3, 0) + 0.01 * rng.normal(size=(90, 5))
    labels, groups = rng.integers(0, 3, 30), np.arange(30)
    all_labels, all_groups = np.r_[labels, labels.repeat(3)], np.r_[groups, groups.repeat(3)]
    references = np.r_[images, views].astype(np.float32)
    expected = []
    for query, label, group in zip(images.astype(np.float32), labels, groups, strict=True):
        near = np.argsort(-(references @ query) / np.linalg.norm(references, axis=1), kind="stable")
        votes = all_labels[[n for n in near if all_groups[n] != group][:5]]
        expected.append(np.bincount(votes).argmax() == label)
    arguments = (held(images), [held(images), held(views)], torch.tensor(labels), torch.tensor(all_labels), 5)
    found = vote_correct(*arguments, groups=(torch.tensor(groups), torch.tensor(all_groups)))
    assert found.tolist() == expected
    assert vote_correct(*arguments[:-1], 1).all()  # without groups an image is its own neighbour


def test_majority_by_hand():
    labels = torch.tensor([2, 2, 1, 1, 0])
    indices = torch.tensor([[0, 1, 2], [0, 2, 4], [3, 0, -1], [4, -1, -1], [-1, -1, -1], [2, 3, 0]])
    assert majority(labels, indices).tolist() == [2, 0, 1, 0, -1, 1]


def test_bad_arguments(images, convnet):
    with pytest.raises(ValueError, match="pooling must be one of"):
        Extractor(convnet, "median")
    with pytest.raises(ValueError, match="views and recipe go together"):
        Shown(images, IDS, views=IDS)
    with pytest.raises(ValueError, match="shape of ids"):
        Shown(images, IDS, views=IDS[:2], recipe=rote.augment.recipes["none"])
    labels = torch.zeros(3, dtype=torch.int64)
    with pytest.raises(ValueError, match="k must be between 1 and the number of references, 3"):
        vote_correct(held(torch.ones(3, 2)), held(torch.ones(3, 2)), labels, labels, 4)
    with pytest.raises(ValueError, match=r"reference_labels must be int64 \[3\]"):
        vote_correct(held(torch.ones(3, 2)), held(torch.ones(3, 2)), labels, labels[:2], 1)
