"""Recorders of two processes over gloo: the scores and files of one process that is shown all rows."""

from __future__ import annotations

import signal

import numpy as np
import pytest
from safetensors.torch import load_file

from rote.metrics import Recorder, read_dynamics

from . import ranks
from .recorded_runs import expected_scores


@pytest.fixture(scope="module")
def saved(tmp_path_factory, saved_by_two_ranks):
    """(folder, what both ranks found)."""
    folder = tmp_path_factory.mktemp("ranks")
    return folder, saved_by_two_ranks(ranks.__file__, folder)


def assert_same(found: dict, wanted: dict) -> None:
    assert found.keys() >= wanted.keys()
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def assert_same_up_to_rounding(found: dict, wanted: dict) -> None:
    for name, values in wanted.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(found[name], values, rtol=1e-12, atol=1e-14, err_msg=name)
        else:
            np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.mark.parametrize("name", ["partitioned", "last batches dropped", "padded"])
def test_an_example_shown_once_by_a_rank_has_the_bits_of_one_process(saved, tmp_path, name):
    folder, found = saved
    run = ranks.whole_run(name)
    wanted = run.play(Recorder(run.n, folder=tmp_path, logits=True, threshold=[0, 3])).scores()
    for rank in range(2):
        assert_same(found[rank]["scores"][name], wanted)
    assert read_dynamics(folder / name).equals(read_dynamics(tmp_path))


def test_what_the_sampler_repeats_counts_twice(saved):
    shown = saved[1][0]["scores"]["padded"]["presentations"]
    assert shown.sum() == 6 * 62
    assert (shown >= 6).all()


@pytest.mark.parametrize("name", ["with replacement", "late"])
def test_an_example_shown_more_often_agrees_to_rounding(saved, name):
    found = saved[1]
    run, (first, second) = ranks.whole_run(name), ranks.shares(name)
    in_order = ranks.Run([a + b for a, b in zip(first.batches, second.batches, strict=True)], run.n, run.classes)
    for rank in range(2):
        assert_same(found[rank]["scores"][name], found[0]["scores"][name])
        assert_same_up_to_rounding(found[rank]["scores"][name], expected_scores(in_order))
        assert_same_up_to_rounding(found[rank]["scores"][name], in_order.play(Recorder(run.n)).scores())
    assert in_order.play(Recorder(run.n)).scores()["presentations"].max() > 8 or name == "late"


def test_a_rank_by_itself_has_its_own_rows(saved):
    for rank, share in enumerate(ranks.shares("partitioned")):
        wanted = share.play(Recorder(share.n)).scores()
        for name in ("alone", "group of one"):
            assert_same(saved[1][rank]["scores"][name], wanted)


def test_states_go_on(saved):
    folder, found = saved
    together = found[0]["scores"]["with replacement"]
    for rank in range(2):
        scores = found[rank]["scores"]
        for name in ("own", "other", "went on"):
            assert_same(scores[name], {k: v for k, v in together.items() if k not in ("is_threshold", "aum_flagged")})
        assert scores["from one"]["presentations"].sum() == 8 * 60
        assert_same(found[1]["scores"]["from one"], scores["from one"])
    # In the middle of an epoch scores are those of its beginning, and one process goes on from there too.
    alone = Recorder(60)
    alone.load_state_dict(load_file(folder / "end1"))
    assert_same(alone.scores(), found[0]["scores"]["middle"])
    assert_same(found[1]["scores"]["middle"], found[0]["scores"]["middle"])
    with pytest.raises(ValueError, match="got one with what rank 1 of 2 alone saw of an epoch, on one process"):
        Recorder(60).load_state_dict(load_file(folder / "middle1"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("n", "ValueError: n: wanted the same on every rank, got 9 on rank 0 and 10 on rank 1"),
        ("num_classes", "ValueError: num_classes: wanted the same on every rank, got 3 on rank 0 and 4 on rank 1"),
        ("phase", "ValueError: phase: wanted the same on every rank, got train_pass on rank 0 and eval_pass on rank 1"),
        ("logits", "ValueError: logits: wanted the same on every rank, got False on rank 0 and True on rank 1"),
        ("threshold", "ValueError: threshold (its checksum): wanted the same on every rank"),
        ("epoch", "ValueError: epoch: wanted the same on every rank, got 0 on rank 0 and 1 on rank 1"),
        ("folder", "ValueError: folder: wanted on rank 0, which writes; got one on rank 1 and none there"),
        ("another rank's state", "ValueError: own_counts: wanted a state that this rank saved"),
        ("left", "RuntimeError: torch.distributed must be initialized before anything is recorded"),
    ],
)
def test_ranks_that_disagree_are_told_so_on_both(saved, name, message):
    for rank in range(2):
        assert saved[1][rank]["errors"][name].startswith(message)


def test_kill_and_start_again(tmp_path, saved_by_two_ranks):
    whole = ranks.whole_run("partitioned")
    wanted = whole.play(Recorder(whole.n, folder=tmp_path / "whole")).scores()
    (tmp_path / "killed").mkdir()
    saved_by_two_ranks(ranks.__file__, tmp_path / "killed", "22", ends=-signal.SIGKILL)
    for found in saved_by_two_ranks(ranks.__file__, tmp_path / "killed", "-1"):
        assert_same(found, wanted)
    assert read_dynamics(tmp_path / "whole").equals(read_dynamics(tmp_path / "killed"))
