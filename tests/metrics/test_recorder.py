"""Every score of the recorder against the formulas of the tools it comes from, in float64, on recorded runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote import metrics
from rote.metrics import Recorder

from .recorded_runs import Run, expected_scores, make_run

WHOLE = ("forgetting_events", "never_learned", "unforgettable", "presentations", "epochs_seen")

RUNS = {
    "whole epochs": {},
    "last batches dropped": {"drop_last": True, "n": 70},
    "ids drawn with replacement": {"repeats": True},
    "two classes": {"classes": 2},
    "many classes": {"classes": 1000, "n": 20, "epochs": 4},
    "one epoch": {"epochs": 1},
}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_scores(name, dtype):
    run = make_run(dtype=dtype, **RUNS[name])
    scores = run.play(Recorder(run.n, num_classes=run.classes)).scores()
    for score, values in expected_scores(run).items():
        if score in WHOLE:
            assert scores[score].tolist() == values.tolist(), score
        else:
            np.testing.assert_allclose(scores[score], values, rtol=1e-12, atol=1e-13, err_msg=score)
    assert len({len(values) for values in scores.values()}) == 1
    assert scores["example_id"].tolist() == list(range(run.n))


def shown(history: list[bool | None]) -> dict[str, float]:
    """Scores of one example that is right, wrong or not shown, one epoch after another."""
    recorder = Recorder(2)
    for right in history:
        if right is not None:
            recorder.update(torch.tensor([1]), torch.tensor([[0.0, 1.0 if right else -1.0]]), torch.tensor([1]))
        recorder.end_epoch()
    return {name: values[1] for name, values in recorder.scores().items()}


nan = float("nan")


@pytest.mark.parametrize(
    ("history", "wanted"),
    [
        # events, never learned, unforgettable, first, last learned, last incorrect, first epoch, learned epoch
        ([1, 1, 1], (0, False, True, 0, 0, nan, 1, 1)),
        ([0, 0], (0, True, False, nan, nan, 1, nan, nan)),
        ([0, 1, 1], (0, False, True, 1, 1, 0, 2, 2)),
        ([1, 0, 1, 0, 1], (2, False, False, 0, 4, 3, 1, 5)),
        ([1, 0], (1, False, False, 0, nan, 1, 1, nan)),
        ([None, 0, None, 1, None], (0, False, True, 1, 1, 0, 4, 4)),
        ([1, None, 0, None, 1], (1, False, False, 0, 2, 1, 1, 5)),
        ([1, None], (0, False, True, 0, 0, nan, 1, 1)),
        ([None, None], (0, False, False, nan, nan, nan, nan, nan)),
        ([], (0, False, False, nan, nan, nan, nan, nan)),
    ],
)
def test_histories_by_hand(history, wanted):
    found = shown(history)
    names = ("forgetting_events", "never_learned", "unforgettable", "first_learned", "last_learned", "last_incorrect")
    np.testing.assert_array_equal([found[name] for name in (*names, "first_learned_epoch", "learned_epoch")], wanted)
    assert found["presentations"] == found["epochs_seen"] == sum(right is not None for right in history)


def test_means_by_hand():
    """Two classes, margins 2, -1 and 0 (a tie, answered by the first class)."""
    recorder = Recorder(1)
    for margin in (2.0, -1.0, 0.0):
        recorder.update(torch.tensor([0]), torch.tensor([[margin, 0.0]]), torch.tensor([0]))
    recorder.end_epoch()
    scores = recorder.scores()
    p = 1 / (1 + np.exp([-2.0, 1.0, 0.0]))
    assert scores["aum"][0] == pytest.approx(1 / 3, rel=1e-15)
    assert scores["confidence"][0] == pytest.approx(p.mean(), rel=1e-15)
    assert scores["variability"][0] == pytest.approx(p.std(), rel=1e-14)
    assert scores["correctness"][0] == pytest.approx(2 / 3, rel=1e-15)
    assert scores["mean_el2n"][0] == pytest.approx(np.sqrt(2) * (1 - p).mean(), rel=1e-15)
    assert scores["mean_loss"][0] == pytest.approx(-np.log(p).mean(), rel=1e-15)
    assert scores["correct"][0]
    assert (scores["presentations"][0], scores["epochs_seen"][0]) == (3, 1)
    assert [scores[name][0] for name in ("margin", "p_true")] == [0.0, 0.5], "of the last presentation"


def test_rows_that_are_no_distribution_are_counted_and_passed_over():
    recorder = Recorder(2)
    for row in ([1.0, 0.0], [nan, 0.0], [0.0, 0.0]):
        recorder.update(torch.tensor([0]), torch.tensor([row]), torch.tensor([0]))
    recorder.update(torch.tensor([1]), torch.tensor([[nan, nan]]), torch.tensor([0]))
    scores = recorder.scores()
    assert scores["undefined"].tolist() == [1, 1]
    assert scores["presentations"].tolist() == [3, 1]
    assert scores["forgetting_events"].tolist() == [1, 0]
    assert scores["aum"][0] == 0.5
    assert scores["correctness"][0] == pytest.approx(2 / 3)
    assert np.isnan([scores[name][1] for name in ("aum", "confidence", "variability", "mean_loss", "loss")]).all()
    assert scores["never_learned"].tolist() == [False, True]


def test_scores_agree_with_those_of_trajectories(tmp_path):
    """What is made along training and what is read back from disk are the same, up to float32."""
    run = make_run(drop_last=True, n=70)
    scores = run.play(Recorder(run.n, folder=tmp_path)).scores()
    read = {
        name: metrics.trajectories(tmp_path, name, n=run.n).values for name in ("p_true", "correct", "margin", "el2n")
    }
    found = metrics.forgetting(read["correct"])
    for name in found._fields:
        np.testing.assert_array_equal(scores["forgetting_events" if name == "events" else name], getattr(found, name))
    data_map = metrics.cartography(read["p_true"], read["correct"])
    for name in ("confidence", "variability", "correctness", "threshold_closeness"):
        np.testing.assert_allclose(getattr(data_map, name), scores[name], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(metrics.area_under_margin(read["margin"]), scores["aum"], rtol=1e-5, atol=1e-6)
    order = metrics.learning_order(read["correct"])
    np.testing.assert_array_equal(order.learned, scores["learned_epoch"])
    np.testing.assert_array_equal(order.first_learned, scores["first_learned_epoch"])
    corrected = metrics.cartography(read["p_true"], bias_corrected=True).variability
    by_scores = metrics.bias_corrected_variability(scores["variability"], scores["presentations"])
    np.testing.assert_allclose(corrected, by_scores, rtol=1e-5, atol=1e-7)


def test_threshold_samples():
    run = make_run(n=200, epochs=4)
    threshold = torch.arange(0, 200, 7)
    scores = run.play(Recorder(200, threshold=threshold)).scores()
    assert np.flatnonzero(scores["is_threshold"]).tolist() == threshold.tolist()
    limit = np.percentile(scores["aum"][::7], 99)
    wanted = [i % 7 != 0 and scores["aum"][i] < limit for i in range(200)]
    assert scores["aum_flagged"].tolist() == wanted
    assert 0 < sum(wanted) < 171
    mask = run.play(Recorder(200, threshold=scores["is_threshold"])).scores()["aum_flagged"]
    assert mask.tolist() == wanted


def test_table_has_nulls_and_whole_numbers():
    table = make_run(epochs=3).play(Recorder(61)).examples()
    assert table.num_rows == 61
    assert table["first_learned"].type == "int32"
    last = {name: table[name][60].as_py() for name in table.column_names}
    assert last["presentations"] == last["forgetting_events"] == 0
    undefined = ("first_learned", "last_incorrect", "aum", "confidence", "correctness", "loss", "predicted", "el2n")
    assert {last[name] for name in undefined} == {None}
    never = table["never_learned"].to_numpy()
    assert never.any()
    assert table["first_learned"].is_null().to_numpy()[never].all()


def test_recording_does_not_touch_the_graph():
    logits = torch.randn(4, 3, requires_grad=True)
    Recorder(4).update(torch.arange(4), logits, torch.zeros(4).long())
    logits.sum().backward()
    assert torch.equal(logits.grad, torch.ones(4, 3))


def test_ids_of_other_integer_types_and_lists():
    recorder = Recorder(300)
    recorder.update(torch.tensor([200], dtype=torch.uint8), torch.zeros(1, 3), torch.tensor([1], dtype=torch.int32))
    recorder.update([7], torch.zeros(1, 3), np.array([2]))
    assert np.flatnonzero(recorder.scores()["presentations"]).tolist() == [7, 200]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n: wanted"),
        ({"num_classes": 1}, "num_classes: wanted"),
        ({"phase": "test"}, "phase: wanted one of train_pass, eval_pass"),
        ({"first_epoch": -1}, "first_epoch"),
        ({"threshold": torch.tensor([5])}, r"threshold: wanted ids in \[0, 5\)"),
        ({"threshold": torch.zeros(4, dtype=torch.bool)}, r"threshold: wanted bool \[5\]"),
        ({"threshold": torch.zeros(4)}, "threshold: wanted"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Recorder(**({"n": 5} | arguments))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"ids": torch.tensor([0, 5])}, ValueError, "ids: wanted"),
        ({"ids": torch.tensor([0.0, 1.0])}, TypeError, "ids: wanted int64"),
        ({"labels": torch.tensor([0, 3])}, ValueError, "labels: wanted"),
        ({"labels": torch.ones(2, 3) / 3}, TypeError, "labels: wanted int64"),
        ({"labels": torch.tensor([True, False])}, TypeError, "labels: wanted int64"),
        ({"logits": torch.zeros(2, 4)}, ValueError, r"logits: wanted \[B, C\], C = 3"),
        ({"logits": torch.zeros(6)}, ValueError, r"logits: wanted \[B, C\]"),
    ],
)
def test_bad_batches_are_named(changes, error, message):
    recorder = Recorder(5, num_classes=3)
    batch = {"ids": torch.tensor([0, 1]), "logits": torch.zeros(2, 3), "labels": torch.tensor([0, 1])} | changes
    with pytest.raises(error, match=message):
        recorder.update(**batch)
    assert not recorder.scores()["presentations"].any()


def test_the_number_of_classes_may_not_change():
    recorder = Recorder(5)
    recorder.update(torch.tensor([0]), torch.zeros(1, 3), torch.tensor([0]))
    with pytest.raises(ValueError, match="C = 3"):
        recorder.update(torch.tensor([0]), torch.zeros(1, 4), torch.tensor([0]))


def test_a_device_that_is_not_the_logits():
    with pytest.raises(ValueError, match="logits: wanted device cuda, got cpu"):
        Recorder(5, device="cuda").update(torch.tensor([0]), torch.zeros(1, 3), torch.tensor([0]))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_the_same_scores():
    run = make_run(repeats=True)
    on_device = Run([[(ids, z.cuda(), y) for ids, z, y in epoch] for epoch in run.batches], run.n, run.classes)
    first, second = run.play(Recorder(run.n)).scores(), on_device.play(Recorder(run.n)).scores()
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], err_msg=name)
