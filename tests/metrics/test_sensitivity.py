"""Loss-sensitivity against autograd through the whole loop and against retraining with a pixel changed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rote import address, models
from rote.metrics import UnrolledSGD, class_matrix, diagonal_ratio, loss_sensitivity

CLASSES, IMAGES, SIZE = 3, 12, 3
OPTIONS = {"lr": 0.5, "batch_size": 4, "seed": 3}


def network(seed=0, norm="none"):
    return models.build(
        "mlp", in_channels=1, image_size=SIZE, num_classes=CLASSES, width=5, depth=1, projector_width=4, norm=norm,
        seed=seed,
    )  # fmt: skip


@pytest.fixture(scope="module")
def samples():
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(IMAGES, 1, SIZE, SIZE, generator=generator, dtype=torch.float64)
    return inputs, torch.arange(IMAGES) % CLASSES


def unrolled(samples, epochs, momentum):
    """Training with the graph of all updates kept: (inputs that require gradients, weights at the end)."""
    inputs, labels = samples[0].clone().requires_grad_(), samples[1]
    weights = [p.detach().double().requires_grad_() for p in network().parameters()]
    names = [name for name, _ in network().named_parameters()]
    velocity = [torch.zeros_like(w) for w in weights]
    for epoch in range(epochs):
        for batch in address.permutation(OPTIONS["seed"], IMAGES, epoch).split(OPTIONS["batch_size"]):
            logits = torch.func.functional_call(network(), dict(zip(names, weights, strict=True)), (inputs[batch],))
            loss = nn.functional.cross_entropy(logits, labels[batch])
            gradients = torch.autograd.grad(loss, weights, create_graph=True)
            velocity = [momentum * v + g for v, g in zip(velocity, gradients, strict=True)]
            weights = [w - OPTIONS["lr"] * v for w, v in zip(weights, velocity, strict=True)]
    return inputs, dict(zip(names, weights, strict=True))


def final_losses(weights, samples):
    """float64 [N] on inputs that no derivative flows through."""
    logits = torch.func.functional_call(network(), weights, (samples[0],))
    return nn.functional.cross_entropy(logits, samples[1], reduction="none")


@pytest.mark.parametrize("momentum", [0.0, 0.8])
@pytest.mark.parametrize("epochs", [1, 3])
def test_is_that_of_autograd_through_the_loop(samples, epochs, momentum):
    inputs, weights = unrolled(samples, epochs, momentum)
    losses = final_losses(weights, samples)
    expected = torch.autograd.grad(losses.mean(), inputs, retain_graph=True)[0].flatten(1).abs().sum(1)
    course = UnrolledSGD(network(), *samples, momentum=momentum, **OPTIONS)
    course.train_until(epochs)
    found = loss_sensitivity(course, epochs, num_classes=CLASSES)
    assert torch.allclose(found.total, expected, rtol=1e-9, atol=1e-13)
    assert torch.allclose(loss_sensitivity(course, epochs).total, expected, rtol=1e-9, atol=1e-13)
    for i in range(CLASSES):
        own = losses[samples[1] == i].sum() / IMAGES
        expected = torch.autograd.grad(own, inputs, retain_graph=True)[0].flatten(1).abs().sum(1)
        assert torch.allclose(found.by_class[i], expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_is_the_difference_that_retraining_makes(samples, momentum):
    inputs, labels = samples
    epochs, width = 3, 1e-5

    def loss_after(changed):
        course = UnrolledSGD(network(), changed, labels, momentum=momentum, **OPTIONS)
        course.train_until(epochs)
        return float(course.losses(course.weights_after(epochs), inputs, labels).mean())

    course = UnrolledSGD(network(), inputs, labels, momentum=momentum, **OPTIONS)
    course.train_until(epochs)
    found = loss_sensitivity(course, epochs).total
    for example in (0, 7):
        differences = 0.0
        for pixel in range(SIZE * SIZE):
            change = torch.zeros_like(inputs)
            change[example, 0, pixel // SIZE, pixel % SIZE] = width
            differences += abs(loss_after(inputs + change) - loss_after(inputs - change)) / (2 * width)
        assert float(found[example]) == pytest.approx(differences, rel=1e-6)


def test_nothing_flows_where_nothing_was_visited(samples):
    course = UnrolledSGD(network(), *samples, **OPTIONS)
    assert not loss_sensitivity(course, 0).total.any()
    course.train_until(1)
    assert (loss_sensitivity(course, 1).total > 0).all()


def test_training_is_that_of_torch(samples):
    course = UnrolledSGD(network(), *samples, momentum=0.8, **OPTIONS)
    course.train_until(2)
    model = network().double()
    optimizer = torch.optim.SGD(model.parameters(), lr=OPTIONS["lr"], momentum=0.8)
    for epoch in range(2):
        for batch in address.permutation(OPTIONS["seed"], IMAGES, epoch).split(OPTIONS["batch_size"]):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(samples[0][batch]), samples[1][batch]).backward()
            optimizer.step()
    expected = nn.utils.parameters_to_vector(model.parameters())
    assert torch.allclose(course.weights_after(2), expected, rtol=1e-12)
    assert course.accuracy(2) == float((model(samples[0]).argmax(1) == samples[1]).double().mean())
    assert course.num_parameters == len(expected)


def test_progress(samples):
    course, seen = UnrolledSGD(network(), *samples, **OPTIONS), []
    course.train_until(2, seen.append)
    loss_sensitivity(course, 2, on_epoch=seen.append)
    assert seen == [1, 2, 1, 2]


def test_class_matrix_by_hand():
    by_class = torch.tensor([[4.0, 2.0, 1.0], [1.0, 1.0, 6.0]])
    matrix = class_matrix(by_class, torch.tensor([0, 0, 1]))
    assert matrix.tolist() == [[3.0, 1.0], [1.0, 6.0]]
    assert diagonal_ratio(matrix) == pytest.approx(4.5)
    assert diagonal_ratio(torch.tensor([[3.0, 1.0], [2.0, 6.0]])) == pytest.approx(3.0)  # 9 / 2 over 3 / 2
    assert diagonal_ratio(torch.full((3, 3), 5.0) + torch.eye(3)) == pytest.approx(6 / 5)
    with pytest.raises(ValueError, match="matrix must be"):
        diagonal_ratio(torch.ones(2, 3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 5}, "batch_size must divide the 12 images"),
        ({"batch_size": 24}, "batch_size must divide"),
        ({"lr": 0.0}, "lr must be positive"),
        ({"momentum": 1.0}, "momentum must be"),
        ({"labels": torch.zeros(3, dtype=torch.int64)}, "labels must be int64"),
        ({"labels": torch.zeros(12)}, "labels must be int64"),
        ({"model": network(norm="batch")}, "without batch normalization"),
    ],
)
def test_bad_courses(samples, change, message):
    arguments = {"model": network(), "inputs": samples[0], "labels": samples[1], **OPTIONS, **change}
    with pytest.raises(ValueError, match=message):
        UnrolledSGD(**arguments)


def test_bad_times_and_classes(samples):
    course = UnrolledSGD(network(), *samples, **OPTIONS)
    course.train_until(1)
    with pytest.raises(ValueError, match="epoch must be whole and in"):
        loss_sensitivity(course, 2)
    with pytest.raises(ValueError, match="epoch must be whole and in"):
        loss_sensitivity(course, 0.5)
    with pytest.raises(ValueError, match="num_classes must be above"):
        loss_sensitivity(course, 1, num_classes=2)


def test_a_rate_that_breaks_the_weights_is_reported(samples):
    course = UnrolledSGD(network(), samples[0] * 1e4, samples[1], **{**OPTIONS, "lr": 1e200})
    with pytest.raises(FloatingPointError, match="not finite after epoch"):
        course.train_until(5)
