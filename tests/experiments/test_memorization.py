"""`memorization`: scores of the stored answers, planted errors, kill -9 and going on, networks made again alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet
import pytest
import torch

from rote import address, data
from rote.address import Stream
from rote.experiments import MemorizationConfig, headline, memorization
from rote.experiments.memorization import subset_mask, trained_again
from rote.experiments.memorization import training as training_module
from rote.experiments.memorization.subsets import batches, subset_models
from rote.metrics import packed_bits
from rote.metrics.accuracy import clean_correct
from rote.metrics.auc import area_under_curve
from rote.metrics.memorization import memorization_scores
from rote.train import TrainingDiverged

FIELDS = {
    "images": 96,
    "runs": 40,
    "together": 8,
    "width": 24,
    "noise": 0.2,
    "noise_kind": "wrong",
    "epochs": 30,
    "batch_size": 32,
    "lr": 1e-2,
    "profile_shares": (0.3,),
    "profile_runs": 8,
    "device": "cpu",
}
TINY = {"images": 64, "runs": 24, "together": 8, "width": 4, "epochs": 8, "batch_size": 16, "lr": 1e-2, "noise": 0.2}
TINY |= {"device": "cpu"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return memorization(**FIELDS, out=tmp_path_factory.mktemp("runs"))


def matrices(run, examples=96):
    def read(name, n):
        return packed_bits.unpack(np.load(run.dir / f"{name}.npy"), n)

    return read("subset", examples), read("correct_train", examples), read("correct_test", 360)


def same(one, two) -> bool:
    return all((one.dir / name).read_bytes() == (two.dir / name).read_bytes() for name in MATRICES) and all(
        pyarrow.parquet.read_table(one.dir / name).equals(pyarrow.parquet.read_table(two.dir / name)) for name in TABLES
    )


MATRICES = ("subset.npy", "correct_train.npy", "correct_test.npy")
TABLES = ("estimates.parquet", "examples.parquet", "influence.parquet", "consistency.parquet", "plan.parquet")


def test_subsets_are_those_of_their_address(run):
    subset, _, _ = matrices(run)
    order = address.permutation(0, 96, 7, Stream.SUBSET)
    assert np.array_equal(np.flatnonzero(subset[7]), np.sort(order[:67].numpy()))
    assert subset[:40].sum(1).tolist() == [67] * 40
    assert subset[40:].sum(1).tolist() == [29] * 8
    plan = pyarrow.parquet.read_table(run.dir / "plan.parquet").to_pydict()
    assert plan["run_id"] == list(range(48))
    assert plan["images"] == [67] * 40 + [29] * 8
    assert len(set(plan["init_seed"])) == 48
    assert set(plan["config_hash"]) == {run.record["hash"]}


def test_scores_are_those_of_the_stored_answers(run):
    subset, correct, _ = matrices(run)
    found = memorization_scores(correct[:40], subset[:40])
    examples, estimates = run.examples, run.table("estimates.parquet")
    assert examples["memorization"] == pytest.approx(found.score)
    assert estimates["mem"] == pytest.approx(found.score)
    assert estimates["se"] == pytest.approx(found.standard_error)
    assert np.array_equal(estimates["n_in"], subset[:40].sum(0))
    assert np.array_equal(estimates["n_out"], 40 - subset[:40].sum(0))
    assert estimates["estimated"].all()
    assert np.array_equal(estimates["example_id"], examples["id"])
    names = ("memorization_first_half", "memorization_second_half")
    there = ~np.isnan(examples[names[0]]) & ~np.isnan(examples[names[1]])
    assert there.sum() > 80
    parts = [(correct[:40][part::2][:, there], subset[:40][part::2][:, there]) for part in (0, 1)]
    halves = [memorization_scores(*part).score for part in parts]
    for name, half in zip(names, halves, strict=True):
        assert examples[name][there] == pytest.approx(half)
    r = np.corrcoef(*halves)[0, 1]
    assert run.summary["half_correlation"] == pytest.approx(r)
    assert run.summary["split_half"] == pytest.approx(2 * r / (1 + r))


def test_the_summary_is_that_of_the_stored_answers(run):
    subset, correct, answers = (matrix[:40] for matrix in matrices(run))
    found, wrong, summary = memorization_scores(correct, subset), run.examples["is_corrupted"], run.summary
    assert summary["memorization_mean"] == pytest.approx(found.score.mean())
    assert summary["memorization_corrupted"] == pytest.approx(found.score[wrong].mean())
    assert summary["memorization_clean"] == pytest.approx(found.score[~wrong].mean())
    assert summary["standard_error"] == pytest.approx(found.standard_error.mean())
    assert summary["memorized"] == (found.score >= 0.25).sum()
    assert summary["train_accuracy"] == pytest.approx((correct & subset).sum() / subset.sum())
    assert summary["held_out_accuracy"] == pytest.approx((correct & ~subset).sum() / (~subset).sum())
    assert summary["test_accuracy"] == pytest.approx(answers.mean())
    assert (summary["corrupted"], summary["estimated"], summary["not_estimated"]) == (wrong.sum(), 96, 0)


def test_planted_errors_are_ranked_above_the_others(run):
    examples, summary = run.examples, run.summary
    wrong = examples["is_corrupted"]
    assert wrong.sum() == 96 - int(96 * 0.8)  # always wrong: every planted label is
    assert np.array_equal(wrong, examples["label_used"] != examples["label_true"])
    expected = area_under_curve(examples["memorization"], wrong)
    assert summary["auc"] == pytest.approx(expected.value)
    assert (summary["auc_low"], summary["auc_high"]) == pytest.approx((expected.low, expected.high))
    assert summary["auc_low"] > 0.5
    assert summary["memorization_corrupted"] > summary["memorization_clean"]
    assert "wrong labels above right ones" in " ".join(headline(run))


def test_consistency_is_held_out_correctness(run):
    subset, correct, _ = matrices(run)
    table = run.table("consistency.parquet")
    for share, rows in ((0.3, slice(40, 48)), (0.7, slice(0, 40))):
        own = table["share"] == share
        out = ~subset[rows]
        assert np.array_equal(table["n_out"][own], out.sum(0))
        rates = (correct[rows] & out).sum(0) / out.sum(0)
        assert table["held_out"][own] == pytest.approx(rates, nan_ok=True)
        several = out.sum(0) > 1
        errors = [np.std(correct[rows][out[:, i], i], ddof=1) / out[:, i].sum() ** 0.5 for i in np.flatnonzero(several)]
        assert table["se"][own][several] == pytest.approx(errors)
        assert np.isnan(table["se"][own][~several]).all()
    two = [table["held_out"][table["share"] == share] for share in (0.3, 0.7)]
    assert run.examples["c_score"] == pytest.approx(np.mean(two, axis=0), nan_ok=True)


def test_pairs_are_of_memorized_examples(run):
    subset, _, answers = matrices(run)
    pairs = run.table("influence.parquet")
    assert run.summary["influence_pairs"] == len(pairs["influence"]) > 0
    row = {int(image): i for i, image in enumerate(run.examples["id"])}
    for k in range(0, len(pairs["influence"]), 50):
        i, j = row[int(pairs["train_id"][k])], int(pairs["test_id"][k])
        seen = subset[:40, i]
        assert pairs["influence"][k] == pytest.approx(answers[:40][seen, j].mean() - answers[:40][~seen, j].mean())
        assert pairs["memorization"][k] == run.examples["memorization"][i] >= 0.25
    assert pairs["influence"].min() >= 0.15
    with np.load(run.dir / "influence.npz") as grid:
        bank = data.load("digits")
        assert np.array_equal(grid["test_image"][0], bank.test.images[int(grid["test_id"][0])].numpy())
        assert np.array_equal(grid["train_image"][0, 0], bank.train.images[int(grid["train_id"][0, 0])].numpy())
        assert grid["influence"][0, 0] == pairs["influence"][0]
        assert (np.diff(grid["influence"], axis=1) <= 0).all()


def test_small_tables_hold_everything_once(run):
    rows = run.table("memorization.csv")
    for label, wrong in (("right", False), ("wrong", True)):
        own = rows["label"] == label
        assert rows["examples"][own].sum() == (run.examples["is_corrupted"] == wrong).sum()
        assert rows["share"][own].sum() == pytest.approx(1)
    halves = run.table("halves.csv")
    assert len(halves["example_id"]) <= 96
    lines = run.metrics.select(metric="accuracy_clean", split="held-out", share=0.7)
    assert np.mean([line["value"] for line in lines]) == pytest.approx(run.summary["held_out_accuracy"])


def test_a_network_can_be_made_again_alone(run):
    config = MemorizationConfig.from_dict(run.config)
    network, mask = trained_again(config, 13)
    subset, correct, answers = matrices(run)
    assert np.array_equal(mask.numpy(), subset[13])
    start = training_module._loaded(config.resolved())
    train, test = start.answers(network, start.models[13])
    # One network alone rounds otherwise than eight together.
    assert (train.numpy() == correct[13]).mean() > 0.97
    assert (test.numpy() == answers[13]).mean() > 0.95
    with pytest.raises(ValueError, match=r"run must be in \[0, 48\)"):
        trained_again(config, 48)


def test_answers_use_statistics_of_the_networks_own_images():
    config = MemorizationConfig(**TINY).resolved()
    training = training_module._loaded(config)
    model = training.models[3]
    network = training.network(model)
    bank = training.inputs.bank
    rows = training.mask(model)
    own = bank.train.images[training.inputs.image_ids[rows]]
    from rote.metrics.batch_norm import recalibrated

    with recalibrated(network, own):
        expected = clean_correct(network, bank.train.images, training.label_used, image_ids=training.inputs.image_ids)
    assert torch.equal(training.answers(network, model)[0], expected)


@pytest.mark.parametrize("moment", [12, 40])
def test_goes_on_where_it_was_interrupted(tmp_path, without_times, killed_at, moment):
    whole = memorization(**TINY, out=tmp_path / "whole")
    killed_at(moment, lambda: memorization(**TINY, out=tmp_path / "cut"))
    assert list((tmp_path / "cut" / whole.dir.name / "checkpoints").glob("*.safetensors"))
    again = memorization(**TINY, out=tmp_path / "cut")
    assert same(again, whole)
    assert without_times(again.summary) == without_times(whole.summary)
    assert list(again.metrics) == list(whole.metrics)
    assert not (again.dir / "cells").exists()


_SWEEP = """
import sys
from rote.experiments import memorization
from rote.experiments.base import saving
saving.SAVE_EVERY_SECONDS = 0.02
memorization(**{fields!r}, out=sys.argv[1])
"""


def test_the_same_scores_after_kill_9(tmp_path):
    whole = memorization(**TINY, out=tmp_path / "whole")
    folder = tmp_path / "killed" / whole.dir.name
    command = [sys.executable, "-c", _SWEEP.format(fields=TINY), str(tmp_path / "killed")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while process.poll() is None and not list(folder.glob("cells/*.npz")):  # in the second of three batches, then
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (folder / "summary.json").exists()
    assert os.path.exists(folder / "config.json")
    assert same(memorization(**TINY, out=tmp_path / "killed"), whole)


def test_networks_that_diverge_are_left_out(tmp_path, monkeypatch):
    from rote.experiments.base.fleet import Fleet

    real = Fleet.diverged.fget
    monkeypatch.setattr(Fleet, "diverged", property(lambda fleet: [3, *real(fleet)[1:]]))  # the first of every batch
    run = memorization(**TINY, out=tmp_path)
    assert run.summary["diverged"] == 3
    assert run.summary["runs"] == 21
    subset, correct, _ = matrices(run, 64)
    sound = np.arange(24) % 8 != 0
    estimates = run.table("estimates.parquet")
    assert np.array_equal(estimates["n_in"], subset[sound].sum(0))
    there = estimates["estimated"]
    assert estimates["mem"][there] == pytest.approx(memorization_scores(correct[sound], subset[sound]).score[there])
    assert run.table("plan.parquet")["diverged"].tolist() == [not s for s in sound]
    monkeypatch.setattr(Fleet, "diverged", property(lambda fleet: [3] * 7 + [None]))
    with pytest.raises(TrainingDiverged, match="21 of 24 networks diverged"):
        memorization(**TINY, out=tmp_path / "all")


def test_an_example_that_was_never_held_out_has_a_flag_and_no_number(tmp_path, monkeypatch):
    def all_have_the_first(self, model):
        mask = subset_mask(self.config.seeds().data, model.run, len(self.inputs.image_ids), model.share)
        mask[0] = True
        return mask

    monkeypatch.setattr(training_module.SubsetTraining, "mask", all_have_the_first)
    # Nobody is drawn twice, but sizes differ by one, and streams that train together must be alike.
    run = memorization(**{**TINY, "together": 1, "runs": 8}, out=tmp_path)
    table = pyarrow.parquet.read_table(run.dir / "estimates.parquet").to_pydict()
    assert (table["n_in"][0], table["n_out"][0], table["estimated"][0]) == (8, 0, False)
    assert table["mem"][0] is None
    assert table["se"][0] is None
    assert run.summary["not_estimated"] == table["estimated"].count(False) >= 1
    for there, mem, se in zip(table["estimated"], table["mem"], table["se"], strict=True):
        assert there == (mem is not None) == (se is not None)
        assert not there or (np.isfinite(mem) and np.isfinite(se))
    consistency = pyarrow.parquet.read_table(run.dir / "consistency.parquet").to_pydict()
    assert consistency["held_out"][0] is None


def test_batches_hold_one_share():
    models = subset_models(5, 0.7, (0.3, 0.5), 3)
    assert [[model.run for model in batch] for batch in batches(models, 2)] == [
        [0, 1], [2, 3], [4], [5, 6], [7], [8, 9], [10],
    ]  # fmt: skip
    assert {batch[0].share for batch in batches(models, 2)} == {0.7, 0.3, 0.5}


def test_masks_need_nothing_but_seed_and_run():
    mask = subset_mask(5, 17, 100, 0.7)
    assert torch.equal(mask, subset_mask(5, 17, 100, 0.7))
    assert int(mask.sum()) == 70
    assert bool((subset_mask(5, 17, 100, 0.3) <= mask).all())
    assert not torch.equal(mask, subset_mask(5, 18, 100, 0.7))
    assert not torch.equal(mask, subset_mask(6, 17, 100, 0.7))
    counts = torch.stack([subset_mask(5, run, 100, 0.7) for run in range(100)]).sum(0)
    assert 50 < counts.min() <= counts.max() < 90  # 70, standard deviation 4.6
    for share in (0.0, 1.0, 0.001):
        with pytest.raises(ValueError, match="some of 100 images in"):
            subset_mask(5, 0, 100, share)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": 1.5}, "--noise"),
        ({"runs": 7}, "--runs must be at least 8"),
        ({"share": 1.0}, "--share"),
        ({"profile_shares": (0.0,)}, "--profile-shares"),
        ({"profile_shares": (0.7,)}, "--profile-shares must differ"),
        ({"profile_runs": 1}, "--profile-runs"),
        ({"memorized": 0.0}, "--memorized"),
        ({"influential": 1.5}, "--influential"),
        ({"together": 0}, "--together"),
        ({"workers": 2}, "--workers must be 1 without"),
        ({"mixup": "labels"}, "--mixup"),
        ({"label_classes": 4}, "--label-classes"),
        ({"keep_checkpoints": (1,)}, "--keep-checkpoints"),
    ],
)
def test_bad_options_name_themselves(change, message):
    with pytest.raises(ValueError, match=message):
        MemorizationConfig(**change)


def test_a_module_or_a_share_of_nobody_is_refused(tmp_path):
    with pytest.raises(ValueError, match="model must be the name"):
        memorization(model=torch.nn.Linear(2, 2), out=tmp_path)
    with pytest.raises(ValueError, match="share must leave some of 64 images"):
        memorization(**{**TINY, "share": 0.999}, out=tmp_path)


@pytest.mark.parametrize(("width", "batched"), [(4, True), (400, False)])
def test_wide_networks_train_one_after_another(tmp_path, monkeypatch, width, batched):
    seen = []

    class Noted(training_module.Fleet):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            seen.append(self.trainer.batched)

    monkeypatch.setattr(training_module, "Fleet", Noted)
    run = memorization(**{**TINY, "runs": 8, "images": 32, "epochs": 1, "width": width}, out=tmp_path)
    assert seen == [batched]
    assert run.summary["runs"] == 8
