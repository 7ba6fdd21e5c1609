"""A recorder that is stopped anywhere, killed too, goes on to the same scores and the same files."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from rote.metrics import Recorder, read_dynamics

from .recorded_runs import make_run


def play_from(run, recorder, start: int, save=lambda done: None) -> Recorder:
    """Shows the batches from number `start` on, counted over all epochs."""
    number = 0
    for epoch in run.batches:
        for batch in epoch:
            if number >= start:
                recorder.update(*batch)
                save(number + 1)
            number += 1
        if number > start:
            recorder.end_epoch()
    return recorder


def assert_same(first: Recorder, second: Recorder) -> None:
    for name, values in first.scores().items():
        np.testing.assert_array_equal(values, second.scores()[name], err_msg=name)


@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("stop", [1, 6, 9, 31])
def test_in_the_middle_of_an_epoch(tmp_path, stop, logits):
    """Four batches an epoch: after the first, within the second and third, before the last."""
    run = make_run(repeats=True)
    whole = run.play(Recorder(run.n, folder=tmp_path / "whole", logits=logits))
    stopped = Recorder(run.n, folder=tmp_path / "stopped", logits=logits)
    states = {}

    def save(done: int) -> None:
        if done == stop:
            states[done] = {name: value.clone() for name, value in stopped.state_dict().items()}

    play_from(run, stopped, 0, save)
    save_file(states[stop], tmp_path / "state.safetensors")
    resumed = Recorder(run.n, folder=tmp_path / "stopped", logits=logits)
    resumed.load_state_dict(load_file(tmp_path / "state.safetensors"))
    play_from(run, resumed, stop)
    assert_same(whole, resumed)
    assert read_dynamics(tmp_path / "whole").equals(read_dynamics(tmp_path / "stopped"))


def test_loading_goes_back_in_place():
    run = make_run()
    recorder = run.play(Recorder(run.n), range(4))
    state = copy.deepcopy(recorder.state_dict())
    memory = recorder.state_dict()["counts"].data_ptr()
    run.play(recorder, range(4, 8))
    recorder.load_state_dict(state)
    assert recorder.epoch == 5
    assert recorder.state_dict()["counts"].data_ptr() == memory
    assert_same(run.play(recorder, range(4, 8)), run.play(Recorder(run.n)))


def test_the_state_before_anything_was_shown():
    run = make_run(epochs=2)
    recorder = Recorder(run.n)
    state = copy.deepcopy(recorder.state_dict())
    run.play(recorder)
    recorder.load_state_dict(state)
    assert recorder.epoch == 1
    assert not recorder.scores()["presentations"].any()
    assert_same(run.play(recorder), run.play(Recorder(run.n)))


def test_states_of_other_recorders_are_refused():
    run = make_run(epochs=1)
    state = run.play(Recorder(run.n)).state_dict()
    with pytest.raises(ValueError, match=r"counts: wanted shape \[61, 8\], got \[60, 8\]"):
        Recorder(61).load_state_dict(state)
    with pytest.raises(ValueError, match="logits"):
        Recorder(60, logits=True).load_state_dict(state)
    with_logits = run.play(Recorder(run.n, logits=True)).state_dict()
    with pytest.raises(ValueError, match="logits"):
        Recorder(60).load_state_dict(with_logits)
    with pytest.raises(ValueError, match="wanted 4 columns"):
        Recorder(60, logits=True, num_classes=4).load_state_dict(with_logits)


SCRIPT = """
import os, signal, sys
from pathlib import Path
import torch
from safetensors.torch import load_file, save_file
sys.path.insert(0, {tests!r})
from recorded_runs import make_run
from rote.metrics import Recorder

folder, kill_at = Path({folder!r}), {kill_at}
run = make_run(repeats=True)
recorder = Recorder(run.n, folder=folder)
state, start = folder / "state.safetensors", 0
if state.exists():
    saved = load_file(state)
    start = int(saved.pop("batches"))
    recorder.load_state_dict(saved)
number = 0
for epoch in run.batches:
    for batch in epoch:
        if number >= start:
            recorder.update(*batch)
            if number % 3 == 0:
                save_file(recorder.state_dict() | {{"batches": torch.tensor(number + 1)}}, str(state) + "-")
                os.replace(str(state) + "-", state)
            if number == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
        number += 1
    if number > start:
        recorder.end_epoch()
save_file(recorder.state_dict(), folder / "end.safetensors")
"""


def test_kill_and_start_again(tmp_path):
    run = make_run(repeats=True)
    whole = run.play(Recorder(run.n, folder=tmp_path / "whole"))
    (tmp_path / "killed").mkdir()

    def start(kill_at: int) -> int:
        script = SCRIPT.format(tests=str(Path(__file__).parent), folder=str(tmp_path / "killed"), kill_at=kill_at)
        return subprocess.run([sys.executable, "-c", script], env=os.environ, check=False).returncode

    assert start(kill_at=22) == -signal.SIGKILL
    assert start(kill_at=-1) == 0
    resumed = Recorder(run.n)
    resumed.load_state_dict(load_file(tmp_path / "killed" / "end.safetensors"))
    assert_same(whole, resumed)
    assert read_dynamics(tmp_path / "whole").equals(read_dynamics(tmp_path / "killed"))
    assert not list((tmp_path / "killed" / "dynamics").glob(".*"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_state_goes_on_where_the_logits_are():
    run = make_run(epochs=2)
    recorder = Recorder(run.n)
    recorder.load_state_dict(run.play(Recorder(run.n), range(1)).state_dict())
    for ids, logits, labels in run.batches[1]:
        recorder.update(ids, logits.cuda(), labels)
    recorder.end_epoch()
    assert_same(run.play(Recorder(run.n)), recorder)
