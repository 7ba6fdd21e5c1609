"""What every process of test_distributed.py runs: the same trainings, each on its own rows, their states saved.

Alone, as `processes.py 0 1 FOLDER`, it trains the whole batches: the run to compare with.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from rote import models, train
from rote.augment import HorizontalFlip, MixUp, Recipe, recipes
from rote.metrics import RecordEpochs
from rote.train.distributed import DataParallel

STEPS = 20
RECORDED_STEPS = 9  # three epochs
CASES = {
    "batch norm": {},
    "sgd, cross-entropy": {"optimizer": "sgd", "lr": 0.05, "loss": "ce", "schedule": "cosine"},
    "mlp": {"model": "mlp"},
    "group norm, labels of views": {"norm": "group", "labels": "per_view", "views": 5},
    "mixed": {"recipe": "mixup", "labels": "fresh"},
    "float32": {"precision": "float32"},
}
MIXUP = Recipe(HorizontalFlip(), MixUp(p=0.7), partners=27)


def trainer(
    processes: DataParallel | None, *, labels="fixed", views=None, recipe="flip-crop", init=1, callbacks=(), **fields
):
    """A trainer of 27 of 40 images, three steps of eight an epoch."""
    fields = {"epochs": 10, "batch_size": 8, "device": "cpu", "width": 8, "lr": 3e-3, "precision": "float64"} | fields
    config = train.TrainConfig(**fields)
    images = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    model = models.build(
        config.model,
        in_channels=3,
        image_size=8,
        num_classes=4,
        width=8,
        projector_width=16,
        norm=config.norm,
        seed=init,
    )
    ids = torch.arange(40)[3:30]
    source = {
        "fixed": lambda: train.LabelSource.fixed(train.random_labels(ids, 4, 5), num_classes=4, image_ids=ids),
        "fresh": lambda: train.LabelSource.fresh(5, 4),
        "per_view": lambda: train.LabelSource.per_view(5, 4),
    }[labels]()
    recipe = MIXUP if recipe == "mixup" else recipes[recipe]
    stream = train.TrainingStream(images, ids, source, recipe, config.batch_size, train.Seeds.from_seed(7), views)
    return train.Trainer(model, stream, config, processes=processes, check_every=5, callbacks=callbacks)


def state_of(trained: train.Trainer) -> dict[str, torch.Tensor]:
    running = trained.take_running()
    return {name: value.clone() for name, value in trained.model.state_dict().items()} | {
        "running": torch.tensor(running, dtype=torch.float64),
        "epochs": torch.tensor([list(epoch) for epoch in trained.take_epochs()], dtype=torch.float64),
    }


def recorded(processes: DataParallel | None, rank: int, folder: Path) -> dict[str, dict]:
    """Scores of a training, of one that goes on from a checkpoint of each process's own, and of one that diverges."""
    found = {}

    def recording(name: str) -> RecordEpochs:
        return RecordEpochs(40, folder=folder / name if rank == 0 else None, eval_pass=True, batch_size=10)

    def keep(name: str, callback: RecordEpochs) -> None:
        found[name] = {"train": callback.train.scores(), "evaluation": callback.evaluation.scores()}

    whole = recording("whole")
    trainer(processes, callbacks=[whole]).train_until(RECORDED_STEPS)
    keep("whole", whole)
    trained, mine = trainer(processes, callbacks=[recording("stopped")]), folder / f"middle{rank}"
    trained.train_until(4)
    train.save_checkpoint(mine, trained)
    again = recording("stopped")
    resumed = trainer(processes, init=5, callbacks=[again])
    train.load_checkpoint(mine, resumed)
    resumed.train_until(RECORDED_STEPS)
    keep("stopped", again)

    def break_weights(trainer: train.Trainer) -> None:
        if trainer.step == 8:  # in an epoch, behind the state of step 5
            with torch.no_grad():
                next(trainer.model.parameters()).fill_(float("nan"))

    diverging = recording("diverged")
    broken = trainer(processes, callbacks=[diverging])
    try:
        broken.train_until(RECORDED_STEPS, break_weights)
    except train.TrainingDiverged:
        broken.train_until(RECORDED_STEPS)
    keep("diverged", diverging)
    return found


def errors(processes: DataParallel, rank: int, folder: Path) -> dict[str, str]:
    """What is refused, and how."""
    found = {}
    try:
        other = trainer(processes, callbacks=[RecordEpochs(40, eval_pass=True)])
        train.load_checkpoint(folder / f"middle{1 - rank}", other)
    except train.CheckpointError as error:
        found["another's record"] = str(error)
    for name, fields in {"odd batch": {"batch_size": 9}, "compiled": {"execution": "compiled"}}.items():
        try:
            trainer(processes, **fields)
        except ValueError as error:
            found[name] = str(error)
    try:
        trainer(processes, optimizer="sgd", lr=1e200).train_until(STEPS)
    except train.TrainingDiverged as error:
        found["diverged"] = f"{error.step} {error.last_good_step}"
    return found


def main(rank: int, count: int, folder: Path) -> None:
    torch.set_num_threads(1)
    processes = None
    if count > 1:
        store = f"file://{folder}/store"
        dist.init_process_group("gloo", store, timedelta(seconds=60), world_size=count, rank=rank)
        processes = DataParallel()
    results = {}
    for name, fields in CASES.items():
        # Every process but the first begins with weights of its own, which must not matter.
        trained = trainer(processes, init=1 + rank, **fields)
        trained.train_until(STEPS)
        results[name] = state_of(trained)
    halfway = trainer(processes, init=1 + rank)
    halfway.train_until(9)
    if rank == 0:
        train.save_checkpoint(folder / "state", halfway)
    if processes is not None:
        processes.wait()
        results["any"] = torch.tensor([processes.any(False), processes.any(rank == 1)])
    halfway.train_until(12)
    resumed = trainer(processes, init=5)
    train.load_checkpoint(folder / "state", resumed)
    assert resumed.step == 9
    resumed.train_until(STEPS)
    results["resumed"] = state_of(resumed)
    scores = recorded(processes, rank, folder)
    found = {} if processes is None else errors(processes, rank, folder)
    torch.save({"results": results, "errors": found, "scores": scores}, folder / f"rank{rank}of{count}.pt")
    if processes is not None:
        dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
