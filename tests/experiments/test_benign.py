"""`benign`: what a run leaves behind, and that it says what it did."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

import rote
from rote.data import ImageBank, Split
from rote.experiments import BenignConfig, benign
from rote.metrics import embed, recalibrated
from rote.runs import RunMismatch
from rote.train import TrainingDiverged


def test_a_run_leaves_what_the_design_promises(tiny):
    run = benign(**tiny)
    assert run.dir.parent == tiny["out"]
    assert run.dir.name.startswith("benign-")
    files = {path.name for path in run.dir.iterdir()}
    assert {"config.json", "metrics.jsonl", "examples.parquet", "queries.parquet", "summary.json"} <= files
    assert run.config["images"] == 64
    assert run.config["view_seed"] == 0
    assert run.record["versions"]["torch"] == torch.__version__
    assert run.record["recipe"]["operations"]

    summary = run.summary
    assert summary["verdict"] in ("benign", "malign", "undecided", "not memorized")
    assert summary["steps"] == 8
    assert summary["images"] == 64
    low, high = summary["probe_gain_interval"]
    assert low < summary["probe_gain"] < high
    better = max(summary["probe_accuracy_init"], summary["probe_accuracy_raw"])
    assert summary["probe_gain"] == pytest.approx(summary["probe_accuracy"] - better)
    assert summary["probe_by_layer"]["encoder"] == {
        "init": summary["probe_accuracy_init"],
        "final": summary["probe_accuracy"],
    }
    assert next(iter(summary["probe_by_layer"])) == "pixels"
    assert None not in [value for layer in summary["probe_by_layer"].values() for value in layer.values()]

    steps = [m["step"] for m in run.metrics.select(split="train", metric="accuracy_clean")]
    assert steps == [0, 4, 8]
    for name in ("accuracy_fresh_views", "accuracy_running", "loss"):
        assert run.metrics.select(split="train", metric=name)[-1]["step"] == 8
    probe = run.metrics.select(metric="probe_accuracy", layer="encoder", step=8, references="all")[0]
    assert probe["split"] == "test"
    assert probe["value"] == probe["correct"] / probe["n_queries"]
    assert (probe["k"], probe["n_references"], probe["bn"]) == (20, 1437, "recalibrated")
    halves = run.metrics.select(metric="probe_accuracy", step=8, references="seen")
    halves += run.metrics.select(metric="probe_accuracy", step=8, references="unseen")
    assert [(m["layer"], m["n_references"]) for m in halves] == [("encoder", 64), ("encoder", 64)]


def test_examples_are_those_trained_on(tiny):
    run = benign(**tiny)
    bank = rote.data.load("digits")
    ids = bank.balanced_order(0)[:64]
    examples = run.examples
    assert examples["id"].tolist() == ids.tolist()
    assert examples["label_true"].tolist() == bank.train.labels[ids].tolist()
    assert (examples["is_corrupted"] == (examples["label_used"] != examples["label_true"])).all()
    assert examples["label_redrawn"].all()
    assert examples["correct"].mean() == pytest.approx(run.summary["train_accuracy"])
    assert ((examples["confidence"] > 0) & (examples["confidence"] <= 1)).all()


def test_headline_probe_is_scikit_learns(tiny):
    run = benign(**tiny)
    bank = rote.data.load("digits")
    with recalibrated(run.model, bank.train.images):
        references = embed(run.model, bank.train.images, ["encoder"])["encoder"]
        queries = embed(run.model, bank.test.images, ["encoder"])["encoder"]
    peer = KNeighborsClassifier(20, metric="cosine", algorithm="brute").fit(references, bank.train.labels)
    assert run.summary["probe_accuracy"] == pytest.approx(peer.score(queries, bank.test.labels), abs=2 / 360)


def test_finished_run_returns_at_once_and_touches_nothing(tiny):
    first = benign(**tiny)
    before = {path: path.stat().st_mtime_ns for path in first.dir.rglob("*")}
    again = benign(**tiny)
    assert again.summary == first.summary
    assert {path: path.stat().st_mtime_ns for path in first.dir.rglob("*")} == before


def test_fresh_starts_over(tiny, without_times):
    first = benign(**tiny)
    created = first.record["created"]
    before = (first.dir / "summary.json").stat().st_mtime_ns
    again = benign(**tiny, fresh=True)
    assert (again.dir / "summary.json").stat().st_mtime_ns > before
    assert without_times(again.summary) == without_times(first.summary)
    assert again.record["created"] >= created
    assert len(again.metrics) == len(first.metrics)


def test_a_constant_rate_run_is_extended(tiny, without_times):
    straight = benign(**{**tiny, "out": tiny["out"] / "straight", "schedule": "constant", "epochs": 8})
    tiny |= {"schedule": "constant"}
    short = benign(**tiny)
    longer = benign(**{**tiny, "epochs": 8})
    assert longer.dir == short.dir
    assert without_times(longer.summary) | {"train_accuracy_running": 0, "train_loss": 0} == without_times(
        straight.summary
    ) | {"train_accuracy_running": 0, "train_loss": 0}
    assert longer.examples["confidence"].tolist() == straight.examples["confidence"].tolist()
    assert longer.record["config"]["epochs"] == 8
    with pytest.raises(RunMismatch, match="8 epochs, more than --epochs 4"):
        benign(**tiny)


def test_an_annealed_run_of_other_length_is_another_run(tiny):
    assert benign(**tiny).dir != benign(**{**tiny, "epochs": 2}).dir


def test_another_config_under_the_same_name(tiny):
    benign(**tiny, name="mine")
    with pytest.raises(RunMismatch, match=r"lr: 0\.01, now 0\.02"):
        benign(**{**tiny, "lr": 2e-2}, name="mine")


def test_kept_checkpoints_open_again(tiny):
    run = rote.load_run(benign(**tiny, keep_checkpoints=(0, 2)).dir)
    model = run.encoder()
    assert not model.training
    bank = rote.data.load("digits")
    with recalibrated(model, bank.train.images):
        logits = model(bank.train.images[torch.tensor(run.examples["id"])].float() / 255)
    assert logits.argmax(1).tolist() == run.examples["prediction"].tolist()
    initial = rote.models.build(**run.record["architecture"]).state_dict()
    kept = run.encoder(epoch=0).state_dict()
    assert all(torch.equal(kept[name], initial[name]) for name in initial)
    assert any(not torch.equal(run.encoder(epoch=2).state_dict()[name], initial[name]) for name in initial)


def test_running_accuracy_of_every_epoch(tiny):
    run = benign(**{**tiny, "epochs": 40, "augment": "none", "width": 8})
    lines = run.metrics.select(metric="accuracy_running")
    assert [line["step"] for line in lines] == list(range(2, 81, 2))
    assert {line["samples"] for line in lines} == {64}
    reached = [line["step"] for line in lines if line["value"] >= 0.9]
    assert reached
    assert run.summary["steps_to_90"] == reached[0]
    assert run.summary["train_accuracy_running"] == lines[-1]["value"]
    assert benign(**tiny).summary["steps_to_90"] is None


def test_test_accuracy_is_that_of_the_output(tiny):
    run = benign(**tiny, labels="true")
    test = rote.data.load("digits").test
    with recalibrated(run.model, rote.data.load("digits").train.images):
        right = run.model(test.images.float() / 255).argmax(1) == test.labels
    assert run.summary["test_accuracy"] == pytest.approx(float(right.float().mean()), abs=1 / 360)
    assert [m["step"] for m in run.metrics.select(split="test", metric="accuracy")] == [0, 4, 8]
    assert [m["step"] for m in benign(**tiny).metrics.select(split="test", metric="accuracy")] == [0, 8]
    assert benign(**tiny, label_classes=2).summary["test_accuracy"] is None


class Own(nn.Module):
    """A network that Rote does not know."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 6, 3, padding=1)
        self.second = nn.Conv2d(6, 8, 3, stride=2)
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        x = torch.relu(self.second(torch.relu(self.first(x))))
        return self.last(x.mean((2, 3)))


def own_bank(seed: int = 0) -> ImageBank:
    rng = np.random.default_rng(seed)
    train = Split(rng.integers(0, 256, (60, 1, 10, 10), dtype=np.uint8), np.arange(60) % 3)
    test = Split(rng.integers(0, 256, (24, 1, 10, 10), dtype=np.uint8), np.arange(24) % 3)
    return ImageBank("noise", train, test, ("a", "b", "c"))


def test_own_pieces_fit_in(tiny):
    torch.manual_seed(0)
    model = Own()
    options = {**tiny, "augment": "none", "images": 30, "k": 5}
    del options["data"]
    run = benign(model=model, data=own_bank(), taps=["first", "second"], **options)
    assert list(run.summary["probe_by_layer"]) == ["pixels", "first", "second", "logits"]
    assert run.summary["probe_accuracy"] == run.summary["probe_by_layer"]["second"]["final"]
    assert run.summary["probe_accuracy_projector"] is None
    assert run.summary["data"] == "noise"
    assert run.model.module is model
    # Another initialization is another run, and the module is filled again from a finished one.
    torch.manual_seed(0)
    again = benign(model=Own(), data=own_bank(), taps=["first", "second"], **options)
    assert again.dir == run.dir
    assert torch.equal(again.model.module.last.weight, model.last.weight)
    torch.manual_seed(1)
    other = benign(model=Own(), data=own_bank(), taps=["first", "second"], **options)
    assert other.dir != run.dir
    assert benign(model=Own(), data=own_bank(1), taps=["second"], **options).dir != run.dir


def test_own_module_needs_taps_that_exist(tiny):
    with pytest.raises(ValueError, match="taps belong to a module"):
        benign(taps=["stage1"], **tiny)
    del tiny["data"]
    tiny |= {"images": 30, "k": 5}
    with pytest.raises(ValueError, match="needs taps"):
        benign(model=Own(), data=own_bank(), **tiny)
    with pytest.raises(ValueError, match="taps must name submodules"):
        benign(model=Own(), data=own_bank(), taps=["third"], **tiny)
    with pytest.raises(ValueError, match="logits"):
        benign(model=nn.Sequential(nn.Flatten(), nn.Linear(100, 2)), data=own_bank(), taps=["0"], **tiny)


def test_divergence_is_an_error_that_keeps_the_folder_usable(tiny):
    with pytest.raises(TrainingDiverged, match="not finite"):
        benign(**{**tiny, "lr": 1e30, "loss": "ce"})


def test_full_disk_surfaces_and_loses_nothing(tiny, monkeypatch, without_times):
    expected = benign(**{**tiny, "out": tiny["out"] / "straight"})
    written = []

    def full(path, content):
        written.append(path)
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("rote.runs.whole_files.write_json", full)
        with pytest.raises(OSError, match="No space left"):
            benign(**tiny)
    assert written
    run = benign(**tiny)
    assert without_times(run.summary) == without_times(expected.summary)
    assert [m["value"] for m in run.metrics] == [m["value"] for m in expected.metrics]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": 5000}, "--images must be at most 1437"),
        ({"images": 0}, "--images must be at least 1"),
        ({"augment": "nothing"}, "--augment must be same-class or one of none"),
        ({"labels": "wrong"}, "--labels must be random, true, fresh or exemplar"),
        ({"k": 2000}, "--k must be at most 1437"),
        ({"data": "mnist"}, "mnist"),
        ({"label_classes": 1}, "--label-classes"),
        ({"labels": "true", "label_classes": 3}, "--label-classes"),
        ({"seed": -1}, "seed"),
        ({"evaluations": 0}, "--evaluations"),
        ({"name": "a/b"}, "--name"),
        ({"keep_checkpoints": (-1,)}, "--keep-checkpoints"),
        ({"optimizer": "newton"}, "optimizer"),
        ({"model": "transformer"}, "transformer"),
        ({"noise": 1.5}, "--noise"),
        ({"noise": 0.5, "labels": "true"}, "--noise is a dial of random labels"),
        ({"views": 0}, "--views"),
        ({"mixup_p": 2.0, "mixup": "inputs"}, "--mixup-p"),
        ({"mixup": "inputs", "augment": "same-class"}, "--mixup stands behind"),
        ({"same_class_images": 3}, "--same-class-images"),
        ({"augment": "same-class", "same_class_images": 400}, "leave 18 others of its class"),
        ({"augment": "digits@much"}, "wants a number"),
    ],
)
def test_bad_options_name_themselves(tiny, change, message):
    with pytest.raises(ValueError, match=message):
        benign(**{**tiny, **change})
    assert not tiny["out"].exists() or not list(tiny["out"].iterdir())


def test_evaluations_are_even_and_hold_both_ends():
    assert BenignConfig(epochs=100, evaluations=10).evaluation_epochs() == list(range(0, 101, 10))
    assert BenignConfig(epochs=3, evaluations=10).evaluation_epochs() == [0, 1, 2, 3]
    assert BenignConfig(epochs=7, evaluations=2).evaluation_epochs() == [0, 4, 7]


def test_config_survives_its_json(tiny):
    config = BenignConfig(**tiny, keep_checkpoints=(1, 2)).resolved()
    run = benign(config)
    stored = json.loads((run.dir / "config.json").read_text())["config"]
    again = BenignConfig.from_dict(stored)
    assert again == BenignConfig(**{**tiny, "out": "runs"}, keep_checkpoints=(1, 2)).resolved() or (
        again.as_dict() | {"out": None} == config.as_dict() | {"out": None}
    )
