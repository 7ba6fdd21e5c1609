"""What the two processes of test_recorder_ranks.py run: recorders that record together, what they find saved.

As `ranks.py RANK FOLDER`, or with a third argument, the batch at which the process kills itself, that training alone.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch.utils.data import DistributedSampler

sys.path.insert(0, str(Path(__file__).parent))
from recorded_runs import Run, make_run

from rote.metrics import Recorder

CASES = {
    "partitioned": {},
    "last batches dropped": {"drop_last": True, "n": 70, "dtype": torch.bfloat16},
    "with replacement": {"repeats": True},
}


def whole_run(name: str) -> Run:
    return padded_run() if name == "padded" else late_run() if name == "late" else make_run(**CASES[name])


def parts_of(run: Run) -> list[Run]:
    """Every batch cut in two, of different lengths."""
    cut = [[tuple((t[:7], t[7:]) for t in batch) for batch in epoch] for epoch in run.batches]
    return [Run([[tuple(t[r] for t in b) for b in epoch] for epoch in cut], run.n, run.classes) for r in range(2)]


def padded_parts() -> list[Run]:
    """61 examples on two ranks: `DistributedSampler` repeats one of them in every epoch."""
    parts, n, classes = [], 61, 5
    for rank in range(2):
        sampler = DistributedSampler(range(n), num_replicas=2, rank=rank, seed=3)
        epochs = []
        for epoch in range(6):
            sampler.set_epoch(epoch)
            shown = torch.tensor(list(sampler))
            generator = torch.Generator().manual_seed(10 * epoch + rank)
            logits = torch.randn(len(shown), classes, generator=generator)
            batches = zip(shown.split(8), logits.split(8), strict=True)
            epochs.append([(ids, rows, ids % classes) for ids, rows in batches])
        parts.append(Run(epochs, n, classes))
    return parts


def padded_run() -> Run:
    """What one process would be shown: in every epoch the first rank's rows, then the second's."""
    first, second = padded_parts()
    return Run([a + b for a, b in zip(first.batches, second.batches, strict=True)], first.n, first.classes)


def late_run() -> Run:
    """Rank 1 is shown nothing before the third epoch; in the first nobody is."""
    run = make_run(epochs=4, repeats=True)
    run.batches[0] = []
    return run


def shares(name: str) -> list[Run]:
    if name == "padded":
        return padded_parts()
    run = whole_run(name)
    if name == "late":
        half = parts_of(run)
        first = Run([run.batches[0], run.batches[1], *half[0].batches[2:]], run.n, run.classes)
        return [first, Run([[], [], *half[1].batches[2:]], run.n, run.classes)]
    return parts_of(run)


def recordings(rank: int, folder: Path) -> dict[str, dict]:
    found = {}
    for name in (*CASES, "padded", "late"):
        share, where = shares(name)[rank], folder / name
        recorder = Recorder(share.n, folder=where if rank == 0 else None, logits=True, threshold=[0, 3])
        found[name] = share.play(recorder).scores()
    share = shares("partitioned")[rank]
    found["alone"] = share.play(Recorder(share.n, sync_on_epoch_end=False)).scores()
    groups = [dist.new_group([0]), dist.new_group([1])]
    found["group of one"] = share.play(Recorder(share.n, process_group=groups[rank])).scores()
    return found


def resumed(rank: int, folder: Path) -> dict[str, dict]:
    """Goes on from states: each rank's own, any rank's of an epoch's end, one process's in the middle of an epoch."""
    share, run = shares("with replacement")[rank], whole_run("with replacement")
    begun = Recorder(share.n)
    share.play(begun, range(2))
    save_file(begun.state_dict(), folder / f"end{rank}")
    for batch in share.batches[2][:2]:
        begun.update(*batch)
    save_file(begun.state_dict(), folder / f"middle{rank}")
    dist.barrier()
    own = Recorder(share.n)
    own.load_state_dict(load_file(folder / f"middle{rank}"))
    other = Recorder(share.n)
    other.load_state_dict(load_file(folder / f"end{1 - rank}"))
    single = Recorder(run.n, sync_on_epoch_end=False)
    run.play(single, range(2))
    for batch in run.batches[2][:2]:
        single.update(*batch)
    from_one = Recorder(share.n)
    from_one.load_state_dict(single.state_dict())
    found = {"middle": begun.scores()}
    for name, recorder in {"own": own, "other": other, "from one": from_one, "went on": begun}.items():
        for batch in share.batches[2] if name == "other" else share.batches[2][2:]:
            recorder.update(*batch)
        recorder.end_epoch()
        found[name] = share.play(recorder, range(3, 8)).scores()
    return found


def mistakes(rank: int, folder: Path) -> dict[str, Callable[[], None]]:
    """Calls that must raise on both ranks, whoever made the mistake."""

    def ending(*, n=9, classes=3, epochs=1, **options) -> Callable[[], None]:
        def call() -> None:
            recorder = Recorder(n, **options)
            recorder.update(torch.arange(2), torch.zeros(2, classes), torch.zeros(2, dtype=torch.int64))
            for _ in range(epochs):
                recorder.end_epoch()

        return call

    def load(name: str) -> Callable[[], None]:
        return lambda: Recorder(60).load_state_dict(load_file(folder / name))

    def left() -> None:
        recorder = Recorder(4)
        recorder.update([0], torch.zeros(1, 3), [0])
        recorder.sync_on_epoch_end = False
        recorder.end_epoch()

    return {
        "n": ending(n=9 + rank),
        "num_classes": ending(classes=3 + rank),
        "phase": ending(phase=("train_pass", "eval_pass")[rank]),
        "logits": ending(logits=rank == 1),
        "threshold": ending(threshold=[rank]),
        "epoch": ending(first_epoch=rank),
        "folder": ending(folder=folder if rank == 1 else None),
        "another rank's state": load(f"middle{1 - rank}"),
        "left": left,
    }


def killed_training(rank: int, folder: Path, kill_at: int) -> None:
    """Saves a state of its own after every third batch, and goes on from it."""
    share = shares("partitioned")[rank]
    recorder, file, start = Recorder(share.n, folder=folder), folder / f"state{rank}", 0
    if file.exists():
        saved = load_file(file)
        start = int(saved.pop("batches"))
        recorder.load_state_dict(saved)
    number = 0
    for epoch in share.batches:
        for batch in epoch:
            if number >= start:
                recorder.update(*batch)
                if number % 3 == 0:
                    save_file(recorder.state_dict() | {"batches": torch.tensor(number + 1)}, f"{file}-")
                    os.replace(f"{file}-", file)
                if number == kill_at:
                    (folder / f"ready{rank}").touch()
                    while not (folder / f"ready{1 - rank}").exists():  # neither dies in a collective of the other
                        time.sleep(0.01)
                    os.kill(os.getpid(), signal.SIGKILL)
            number += 1
        if number > start:
            recorder.end_epoch()
    torch.save(recorder.scores(), folder / f"rank{rank}.pt")


def main(rank: int, folder: Path, kill_at: int | None) -> None:
    torch.set_num_threads(1)
    store = f"file://{folder}/store{kill_at}"
    dist.init_process_group("gloo", store, timedelta(seconds=60), world_size=2, rank=rank)
    if kill_at is not None:
        killed_training(rank, folder, kill_at)
    else:
        found = recordings(rank, folder) | resumed(rank, folder)
        errors = {}
        for name, call in mistakes(rank, folder).items():
            try:
                call()
            except Exception as error:
                errors[name] = f"{type(error).__name__}: {error}"
        torch.save({"scores": found, "errors": errors}, folder / f"rank{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
