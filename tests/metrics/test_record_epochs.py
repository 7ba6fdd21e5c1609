"""Recording inside a training: what is recorded, that the training is unchanged, and that it goes on after a stop."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from rote import models, train
from rote.augment import HorizontalFlip, MixUp, Recipe, recipes
from rote.metrics import RecordEpochs, read_dynamics, trajectories
from rote.metrics.training_dynamics import el2n
from rote.train.checkpoint import CheckpointError
from rote.train.execution import CompiledSteps
from rote.train.graph import DeviceSteps
from rote.train.running import _DeviceSums

from .recorded_runs import Run, expected_scores

IDS = torch.arange(60)[5:32]  # 27 images: three batches of eight, three images left over


def make(images, callbacks=(), *, recipe="flip-crop", labels=None, **fields):
    fields = {"epochs": 6, "batch_size": 8, "device": "cpu", "width": 4, "projector_width": 16, "lr": 3e-3} | fields
    config = train.TrainConfig(**fields)
    model = models.build("convnet", in_channels=3, image_size=8, num_classes=4, width=4, projector_width=16, seed=1)
    if labels is None:
        labels = train.LabelSource.fixed(train.random_labels(IDS, 4, 5), num_classes=4, image_ids=IDS)
    recipe = recipes[recipe] if isinstance(recipe, str) else recipe
    stream = train.TrainingStream(images, IDS, labels, recipe, config.batch_size, train.Seeds.from_seed(2))
    return train.Trainer(model, stream, config, callbacks=callbacks, check_every=5)


def assert_same(first: RecordEpochs, second: RecordEpochs) -> None:
    for one, two in zip(first._recorders().values(), second._recorders().values(), strict=True):
        assert one.epoch == two.epoch
        for name, values in one.scores().items():
            np.testing.assert_array_equal(values, two.scores()[name], err_msg=name)


def test_the_train_pass_holds_the_logits_of_each_batch_before_its_update(images, tmp_path):
    recording = RecordEpochs(60, folder=tmp_path, logits=True)
    trainer, shown = make(images, [recording]), {}
    for step in range(12):
        before = copy.deepcopy(trainer.model).train()
        ids, _, labels = trainer.stream.addresses(step)
        logits = before(trainer.stream.batch(step)[0]).detach()
        shown |= {(step // 3 + 1, int(i)): (z.numpy(), int(y)) for i, z, y in zip(ids, logits, labels, strict=True)}
        trainer.train_until(step + 1)
    rows = read_dynamics(tmp_path).to_pylist()
    assert {(row["epoch"], row["example_id"]) for row in rows} == shown.keys()
    for row in rows:
        logits, label = shown[row["epoch"], row["example_id"]]
        np.testing.assert_array_equal(row["logits"], logits)
        assert row["el2n"] == pytest.approx(el2n(logits[None], [label])[0], rel=1e-6)
        assert row["correct"] == (logits.argmax() == label)
    scores = recording.train.scores()
    assert scores["presentations"].sum() == 96
    assert not scores["presentations"][np.setdiff1d(np.arange(60), IDS)].any()


def test_all_scores_of_a_training_against_loops_over_its_logits(images, tmp_path):
    recording = RecordEpochs(60, folder=tmp_path, logits=True)
    make(images, [recording], epochs=8, lr=1e-2).train_until(24)
    rows = read_dynamics(tmp_path)
    ids = torch.from_numpy(rows["example_id"].to_numpy().astype(np.int64))
    logits = torch.tensor(rows["logits"].to_pylist())
    epochs, labels = torch.from_numpy(rows["epoch"].to_numpy().copy()), train.random_labels(ids, 4, 5)
    batches = [[(ids[epochs == e], logits[epochs == e], labels[epochs == e])] for e in range(1, 9)]
    scores = recording.train.scores()
    for name, values in expected_scores(Run(batches, 60, 4)).items():
        np.testing.assert_allclose(scores[name], values, rtol=1e-11, atol=1e-13, err_msg=name)
    assert scores["forgetting_events"].sum() > 0
    assert scores["never_learned"].any() or scores["unforgettable"].any()


def test_the_eval_pass_sees_all_images_in_eval_mode_at_each_epochs_end(images, tmp_path):
    recording = RecordEpochs(60, folder=tmp_path, train_pass=False, eval_pass=True, batch_size=10)
    trainer = make(images, [recording])
    assert recording.train is None
    labels = trainer.stream.labels.labels(IDS, IDS, IDS)
    losses = []
    for epoch in (1, 2):
        trainer.train_until(3 * epoch)
        model = copy.deepcopy(trainer.model).eval()
        with torch.no_grad():
            logits = model(images[IDS].float() / 255)
        losses.append(torch.nn.functional.cross_entropy(logits, labels, reduction="none").numpy())
    found = trajectories(tmp_path, "loss", n=60, phase="eval_pass")
    np.testing.assert_allclose(found.values[:, IDS], losses, rtol=1e-4, atol=1e-6)
    assert not (tmp_path / "dynamics" / "epoch=0001.parquet").exists()


def test_recording_leaves_the_training_as_it_is(images, tmp_path):
    recorded = make(images, [RecordEpochs(60, folder=tmp_path, eval_pass=True)])
    alone = make(images)
    for trainer in (recorded, alone):
        trainer.train_until(10)
    for name, value in alone.model.state_dict().items():
        assert torch.equal(value, recorded.model.state_dict()[name]), name


@pytest.mark.parametrize("way", ["graph", "compiled"])
def test_ways_to_run_a_step_record_the_same(images, way):
    plain, other = RecordEpochs(60), RecordEpochs(60)
    make(images, [plain]).train_until(7)
    trainer = make(images, [other])
    if way == "graph":
        trainer._running._sums = _DeviceSums(torch.device("cpu"))
        trainer._steps = DeviceSteps(trainer._steps.parts)
    else:
        trainer._steps = CompiledSteps(trainer._steps.parts, backend="eager")
    trainer.train_until(7)
    assert_same(plain, other)


def test_mixed_views_are_recorded_under_their_own_label(images):
    seen = []

    class Look(train.Callback):
        def on_forward(self, image_ids, logits, labels):
            seen.append((image_ids.clone(), logits.clone(), labels.clone()))

    recording = RecordEpochs(60, eval_pass=True)
    trainer = make(images, [recording, Look()], recipe=Recipe(HorizontalFlip(), MixUp(p=1.0), partners=27))
    trainer.train_until(3)
    for step, (ids, logits, labels) in enumerate(seen):
        assert torch.equal(ids, trainer.stream.addresses(step)[0])
        assert torch.equal(labels, trainer.stream.labels.labels(ids, ids, ids))
        assert logits.shape == (8, 4)
        assert not logits.requires_grad
    assert recording.train.scores()["presentations"].sum() == 24
    # Mixed images are gathered into a bank of their own; the eval pass must find them there.
    model = trainer.model.eval()
    with torch.no_grad():
        answers = model(images[IDS].float() / 255).argmax(1).numpy()
    assert np.array_equal(recording.evaluation.scores()["predicted"][IDS], answers)


@pytest.mark.parametrize("stop", [1, 4, 6, 11])
def test_a_checkpoint_goes_on_in_the_same_scores_and_files(images, tmp_path, stop):
    """In the middle of an epoch, and saved behind its last update, before the epoch's end is called."""
    whole, file = RecordEpochs(60, folder=tmp_path / "whole", eval_pass=True), tmp_path / "newest.safetensors"
    make(images, [whole]).train_until(12)

    class Killed(Exception):
        pass

    def save(trainer):
        if trainer.step == stop:
            train.save_checkpoint(file, trainer)
            raise Killed

    with pytest.raises(Killed):
        make(images, [RecordEpochs(60, folder=tmp_path / "stopped", eval_pass=True)]).train_until(12, save)
    resumed = RecordEpochs(60, folder=tmp_path / "stopped", eval_pass=True)
    trainer = make(images, [resumed])
    train.load_checkpoint(file, trainer)
    trainer.train_until(12)
    assert_same(whole, resumed)
    for phase in ("train_pass", "eval_pass"):
        assert read_dynamics(tmp_path / "whole", phase=phase).equals(read_dynamics(tmp_path / "stopped", phase=phase))


def test_a_divergence_takes_the_recording_back_too(images):
    recording, expected = RecordEpochs(60), RecordEpochs(60)
    trainer = make(images, [recording])

    def break_weights(trainer):
        if trainer.step == 7:
            with torch.no_grad():
                next(trainer.model.parameters()).fill_(float("nan"))

    with pytest.raises(train.TrainingDiverged) as error:
        trainer.train_until(12, break_weights)
    make(images, [expected]).train_until(error.value.last_good_step)
    assert 0 < trainer.step < 7
    assert_same(expected, recording)


def test_other_recordings_do_not_fit(images, tmp_path):
    file = tmp_path / "newest.safetensors"
    trainer = make(images, [RecordEpochs(60)])
    trainer.train_until(2)
    train.save_checkpoint(file, trainer)
    with pytest.raises(CheckpointError, match="recorded train_pass, this one train_pass, eval_pass"):
        train.load_checkpoint(file, make(images, [RecordEpochs(60, eval_pass=True)]))
    plain = make(images)
    plain.train_until(2)
    train.save_checkpoint(file, plain)
    with pytest.raises(CheckpointError, match="recorded no passes"):
        train.load_checkpoint(file, make(images, [RecordEpochs(60)]))


def test_bad_arguments_are_named(images):
    with pytest.raises(ValueError, match="train_pass, eval_pass: wanted"):
        RecordEpochs(60, train_pass=False)
    with pytest.raises(ValueError, match="batch_size: wanted"):
        RecordEpochs(60, batch_size=0)
    with pytest.raises(ValueError, match="n: wanted"):
        RecordEpochs(0)
    trainer = make(images, [RecordEpochs(60, eval_pass=True)], labels=train.LabelSource.fresh(5, 4))
    with pytest.raises(ValueError, match="eval_pass: wanted labels that images keep, got 'fresh'"):
        trainer.train_until(3)
    with pytest.raises(ValueError, match="ids: wanted"):
        make(images, [RecordEpochs(20)]).train_until(3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_inside_a_captured_graph(images):
    eager, graph = RecordEpochs(60, eval_pass=True), RecordEpochs(60, eval_pass=True)
    make(images, [eager], device="cuda", execution="eager").train_until(14)
    make(images, [graph], device="cuda", execution="graph").train_until(14)
    assert_same(eager, graph)
