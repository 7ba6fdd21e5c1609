"""Ways to run a step: they do the same updates. A CUDA graph's step is run here without its capture."""

from __future__ import annotations

import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch.utils._python_dispatch import TorchDispatchMode

from rote import models, train
from rote.augment import HorizontalFlip, MixUp, Recipe, recipes
from rote.train.execution import CompiledSteps, EagerSteps
from rote.train.graph import DeviceSamples, DeviceSteps, GraphSteps
from rote.train.running import _DeviceSums

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

LABELS = {
    "fixed": lambda ids: train.LabelSource.fixed(train.random_labels(ids, 4, 5), num_classes=4, image_ids=ids),
    "fresh": lambda ids: train.LabelSource.fresh(5, 4),
    "per_view": lambda ids: train.LabelSource.per_view(5, 4),
}

MIXING = {
    "mixup": Recipe(HorizontalFlip(), MixUp(p=0.7), partners=27),
    "mixup-inputs": Recipe(HorizontalFlip(), MixUp(p=0.7, mix_labels=False), partners=27),
}


def make(images, *, labels="fixed", views=None, recipe="flip-crop", network=None, check_every=5, **fields):
    fields = {"epochs": 6, "batch_size": 8, "device": "cpu", "width": 8, "projector_width": 16, "lr": 3e-3} | fields
    config = train.TrainConfig(**fields)
    sizes = {"width": config.width, "depth": config.depth, "projector_width": config.projector_width}
    model = network or models.build(
        config.model, in_channels=3, image_size=8, num_classes=4, norm=config.norm, seed=1, **sizes
    )
    ids = torch.arange(40)[3:30]  # 27 images: three batches of eight, three images left over
    if isinstance(recipe, str):
        recipe = MIXING[recipe] if recipe in MIXING else recipes[recipe]
    seeds = train.Seeds(order=(1 << 64) - 1, view=7)
    stream = train.TrainingStream(images, ids, LABELS[labels](ids), recipe, config.batch_size, seeds, views)
    return train.Trainer(model, stream, config, check_every=check_every)


def on_device_steps(trainer):
    """The trainer, running the step that a graph captures, with its sums where a device has them."""
    trainer._running._sums = _DeviceSums(torch.device("cpu"))
    trainer._steps = DeviceSteps(trainer._steps.parts)
    return trainer


def states(trainer):
    state = trainer.state_dict()
    tensors = {f"model/{name}": value.clone() for name, value in state["model"].items()}
    for index, values in state["optimizer"].items():
        tensors |= {f"{index}/{name}": value.clone() for name, value in values.items() if torch.is_tensor(value)}
    return tensors | {"sums": state["sums"].clone()}


def assert_same_bits(one, two):
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert torch.equal(value, two[name]), name


@pytest.mark.parametrize("views", [None, 5])
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("recipe", ["flip-crop", *MIXING])
def test_samples_on_the_device_are_those_of_the_stream(images, labels, views, recipe):
    if (labels, views, recipe) == ("per_view", 5, "mixup"):
        pytest.skip("labels that single views of a pool have cannot be mixed")
    stream = make(images, labels=labels, views=views, recipe=recipe).stream
    samples = DeviceSamples(stream)
    step = torch.zeros(1, dtype=torch.int64)
    for number in (0, 1, 2, 3, 4, 11, 2, 7000):
        step.fill_(number)
        samples.prepare(number)
        for got, expected in zip(samples(step), stream.samples(number), strict=True):
            assert got is expected is None or torch.equal(got, expected)
        assert step.item() == number


@pytest.mark.parametrize(
    "fields",
    [
        {"optimizer": "adam", "schedule": "cosine"},
        {"optimizer": "adam", "schedule": "one-cycle", "weight_decay": 1e-2, "labels": "fresh"},
        {"optimizer": "adam", "precision": "float64", "labels": "per_view", "views": 5},
        {"optimizer": "adam", "precision": "bfloat16", "model": "mlp", "norm": "layer"},
        {"optimizer": "sgd", "schedule": "step", "lr": 0.05, "labels": "per_view"},
        {"recipe": "mixup", "loss": "ce", "labels": "fresh"},
        {"recipe": "mixup-inputs", "views": 5, "labels": "per_view"},
        {"optimizer": "sgd", "momentum": 0.0, "lr": 0.05, "loss": "ce", "label_smoothing": 0.1},
        {"optimizer": "lars", "lr": 0.3, "precision": "float64", "norm": "group"},
        {"optimizer": "muon", "warmup_epochs": 2, "precision": "float64"},
        {"model": "vit-tiny", "width": 16, "depth": 1, "norm": "layer"},
    ],
    ids=lambda fields: "-".join(str(value) for value in fields.values()),
)
def test_the_step_of_a_graph_is_the_eager_step_to_the_bit(images, fields):
    eager, device = make(images, **fields), on_device_steps(make(images, **fields))
    assert isinstance(eager._steps, EagerSteps)
    for stop in (1, 2, 11, 18):
        eager.train_until(stop)
        device.train_until(stop)
        assert_same_bits(states(eager), states(device))
    assert eager.take_running() == device.take_running()


@pytest.mark.parametrize("labels", LABELS)
def test_a_state_can_be_gone_back_to(images, labels, tmp_path):
    whole = on_device_steps(make(images, labels=labels))
    whole.train_until(7)
    train.save_checkpoint(tmp_path / "state", whole)
    whole.train_until(18)
    resumed = on_device_steps(make(images, labels=labels))
    resumed.train_until(4)
    train.load_checkpoint(tmp_path / "state", resumed)
    resumed.train_until(18)
    assert_same_bits(states(resumed), states(whole))


def test_one_update_follows_another_without_the_host(images):
    """What a replay does: the same function again, with nothing told from outside."""
    eager, device = (
        make(images, schedule="constant", views=3),
        on_device_steps(make(images, schedule="constant", views=3)),
    )
    eager.train_until(8)
    device._steps.update(0, device.lr)
    for _ in range(7):
        device._steps.run()
    assert device._steps._step.item() == 8
    # Epochs are told apart by the trainer's loop.
    assert_same_bits(*({**found, "sums": found["sums"][0]} for found in (states(eager), states(device))))


class Watch(TorchDispatchMode):
    """Notes the operators of a step, and refuses those that look at a value or come with a size that depends on one."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.seen.append(str(function))
        assert torch.Tag.data_dependent_output not in function.tags, function
        if function != torch.ops.aten.index.Tensor or any(i.dtype == torch.bool for i in args[1] if i is not None):
            assert torch.Tag.dynamic_output_shape not in function.tags, function
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("recipe", ["benign-full", *MIXING])
def test_a_step_looks_at_no_value(images, labels, recipe, monkeypatch):
    # On the CPU mixed labels are checked against their range; on a device nobody looks.
    monkeypatch.setattr("rote.augment.arguments.may_read_values", lambda tensor: False)
    trainer = on_device_steps(make(images, labels=labels, recipe=recipe))
    trainer.train_until(2)
    with Watch() as watch:
        trainer._steps.run()
    assert any("rote.augment_step_addresses" in name for name in watch.seen)
    assert any("rote.augment_render" in name for name in watch.seen)
    assert any("_fused_adam_" in name for name in watch.seen)
    with pytest.raises(AssertionError, match="_local_scalar_dense"), Watch():
        torch.ones(1).item()


def test_a_loss_that_is_not_finite_is_found_at_its_step(images):
    eager, device = make(images, optimizer="sgd", lr=1e12), on_device_steps(make(images, optimizer="sgd", lr=1e12))
    found = []
    for trainer in (eager, device):
        with pytest.raises(train.TrainingDiverged) as error:
            trainer.train_until(18)
        found.append((error.value.step, error.value.last_good_step))
    assert found[0] == found[1]
    assert 0 < found[0][0] < 6


class OwnStream:
    """A stream of the user's own: ready tensors, whatever the step."""

    batch_size, steps_per_epoch, dtype, channels_last = 8, 4, torch.float32, False

    def to(self, device):
        return self

    def batch(self, step):
        generator = torch.Generator().manual_seed(step)
        x = torch.rand(8, 3, 8, 8, generator=generator)
        return x.contiguous(memory_format=torch.channels_last), torch.arange(8) % 4


def test_a_graph_needs_cuda_and_a_stream_of_addresses(images):
    with pytest.raises(ValueError, match="execution='graph' needs a CUDA device; this run is on cpu"):
        make(images, execution="graph")
    with pytest.raises(ValueError, match="needs a TrainingStream; got OwnStream"):
        DeviceSteps(train.Trainer(build_small(), OwnStream(), train.TrainConfig(device="cpu"))._steps.parts)


def build_small():
    return models.build("convnet", in_channels=3, image_size=8, num_classes=4, width=8, projector_width=16, seed=1)


class Graphs:
    """A backend of torch.compile that keeps the graphs and runs them as they are."""

    def __init__(self):
        self.graphs = []

    def __call__(self, module, inputs):
        self.graphs.append(module)
        return module.forward


@pytest.mark.parametrize(("labels", "recipe"), [("per_view", "flip-crop"), ("fixed", "mixup")])
def test_augmentation_forward_and_loss_compile_as_one_graph(images, labels, recipe):
    torch.compiler.reset()
    backend = Graphs()
    trainer, eager = (make(images, labels=labels, recipe=recipe) for _ in range(2))
    trainer._steps = CompiledSteps(trainer._steps.parts, backend)
    trainer.train_until(7)  # past the end of an epoch: nothing is compiled again
    assert len(backend.graphs) == 1
    called = [str(node.target) for node in backend.graphs[0].graph.nodes if node.op == "call_function"]
    assert any("augment_render" in name for name in called)
    assert any("mse_loss" in name for name in called)
    eager.train_until(7)
    assert_same_bits(states(trainer), states(eager))


@pytest.mark.filterwarnings("ignore:Dynamo does not know how to trace")
def test_own_streams_and_recipes_compile_in_parts(images, shifts):
    torch.compiler.reset()
    counter = CompileCounter()
    trainer = train.Trainer(build_small(), OwnStream(), train.TrainConfig(device="cpu", epochs=2))
    eager = train.Trainer(build_small(), OwnStream(), train.TrainConfig(device="cpu", epochs=2))
    trainer._steps = CompiledSteps(trainer._steps.parts, counter)
    trainer.train_until(3)
    eager.train_until(3)
    assert counter.frame_count == 1
    assert_same_bits(states(trainer), states(eager))
    trainer, eager = make(images, recipe=shifts), make(images, recipe=shifts)
    trainer._steps = CompiledSteps(trainer._steps.parts, "eager")
    trainer.train_until(3)
    eager.train_until(3)
    assert_same_bits(states(trainer), states(eager))


def test_compiled_code_computes_what_eager_operators_do(images):
    torch.compiler.reset()
    fields = {"depth": 2, "precision": "float64"}
    compiled, eager = make(images, execution="compiled", **fields), make(images, execution="eager", **fields)
    assert isinstance(compiled._steps, CompiledSteps)
    compiled.train_until(7)
    eager.train_until(7)
    for name, value in eager.model.state_dict().items():
        torch.testing.assert_close(compiled.model.state_dict()[name], value, rtol=1e-9, atol=1e-9)
    one, two = compiled.take_running(), eager.take_running()
    assert one.loss == pytest.approx(two.loss, rel=1e-9)
    assert one.accuracy == two.accuracy


def test_a_checkpoint_of_one_execution_goes_on_in_another(images, tmp_path):
    trainer = make(images)
    trainer.train_until(5)
    train.save_checkpoint(tmp_path / "state", trainer)
    other = make(images, execution="eager")
    train.load_checkpoint(tmp_path / "state", other)
    other.train_until(18)
    trainer.train_until(18)
    assert_same_bits(states(trainer), states(other))


@cuda
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "lars", "muon"])
def test_a_graph_does_the_updates_of_eager_steps(images, labels, optimizer, tmp_path):
    fields = {"labels": labels, "optimizer": optimizer, "device": "cuda", "precision": "float32", "lr": 1e-2}
    graph, eager = make(images, execution="graph", **fields), make(images, execution="eager", **fields)
    assert isinstance(graph._steps, GraphSteps)
    graph.train_until(10)
    eager.train_until(10)
    for name, value in eager.model.state_dict().items():
        torch.testing.assert_close(graph.model.state_dict()[name], value, rtol=1e-4, atol=1e-5)
    train.save_checkpoint(tmp_path / "state", graph)
    graph.train_until(18)
    resumed = make(images, execution="graph", **fields)
    train.load_checkpoint(tmp_path / "state", resumed)
    resumed.train_until(18)
    assert_same_bits(states(resumed), states(graph))
    assert resumed._steps._graph is not None


@cuda
def test_a_step_that_waits_for_the_device_is_not_captured(images):
    class Waits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(192, 4)

        def forward(self, x):
            return self.linear(x.flatten(1)) * float(x.sum() > 0)

    trainer = make(images, network=Waits(), device="cuda", execution="graph")
    with pytest.raises(RuntimeError, match="execution='eager' or 'compiled' runs it"):
        trainer.train_until(10)
