"""What recording costs: a batch on its own, and a training step with and without it, beside other ways to record.

Peers keep less than the recorder does (AUM alone, logits alone, correctness and loss alone), but for the tensor
operations, which keep the same. The notes give the recorder's part of a training step.
"""

from __future__ import annotations

import time

import pytest
import torch

from benchmarks.metrics.plain_recorders import AumLoop, CartographyLoop, ForgettingLoop, TensorOperations
from rote import models, train
from rote.augment import recipes
from rote.metrics import RecordEpochs, Recorder

EXAMPLES, CLASSES, SIZE, BATCH, STEPS = 50_000, 10, 32, 128, 10
CALLS = 20


def peers_of(n: int, device: str) -> dict[str, object]:
    return {
        "AUM in a loop with .item()": AumLoop(n),
        "cartography's lines of JSON": CartographyLoop(n),
        "forgetting in a loop with .item()": ForgettingLoop(n),
        "tensor operations": TensorOperations(n, device),
    }


@pytest.mark.parametrize(
    ("rows", "classes"), [(128, 10), (128, 1000), (1024, 10)], ids=["128 x 10", "128 x 1000", "1024 x 10"]
)
def test_a_batch(race, device, quick, rows, classes):
    calls = 2 if quick else CALLS
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(rows, classes, generator=generator).to(device)
    labels = torch.randint(0, classes, (rows,), generator=generator).to(device)
    ids = torch.randperm(EXAMPLES, generator=generator)[:rows].to(device)

    def repeated(recorder):
        def run() -> None:
            for _ in range(calls):
                recorder.update(ids, logits, labels)

        return run

    race(
        repeated(Recorder(EXAMPLES)),
        {name: repeated(peer) for name, peer in peers_of(EXAMPLES, device).items()},
        work=calls * rows,
        unit="examples/s",
        case=f"recording a batch of {rows} x {classes} logits",
    )


class Watching(train.Callback):
    """A plain recorder in a training step."""

    def __init__(self, recorder) -> None:
        self.on_forward = recorder.update


def trainer_with(callbacks, images, labels, device: str, batch_size: int) -> train.Trainer:
    """Eager on both devices: the loops of the peers cannot stand in a graph."""
    config = train.TrainConfig(model="convnet", batch_size=batch_size, epochs=10_000, device=device, execution="eager")
    network = models.build("convnet", in_channels=3, image_size=SIZE, num_classes=CLASSES, seed=0)
    source = train.LabelSource.fixed(labels, num_classes=CLASSES)
    stream = train.TrainingStream(
        images, torch.arange(len(images)), source, recipes["flip-crop"], batch_size, train.Seeds()
    )
    return train.Trainer(network, stream, config, callbacks=callbacks)


@pytest.mark.parametrize("batch_size", [128, 512], ids="batch {}".format)
def test_a_training_step(race, device, quick, batch_size):
    if batch_size > 128 and device == "cpu" and not quick:
        pytest.skip("the smaller batch shows the larger part")
    batch_size, steps = (16, 2) if quick else (batch_size, STEPS)
    count = 64 if quick else 2048
    images = torch.randint(0, 256, (count, 3, SIZE, SIZE), dtype=torch.uint8, device=device)
    labels = torch.randint(0, CLASSES, (count,))

    def steps_with(*callbacks):
        trainer = trainer_with(callbacks, images, labels, device, batch_size)
        return lambda: trainer.train_until(trainer.step + steps)

    def part_of_a_step(contender: str, _: object) -> dict:
        """The recorder's own time beside that of the step, since their difference drowns in the machine's noise."""
        if contender:
            return {}
        alone, logits = Recorder(count), torch.randn(batch_size, CLASSES, device=device)
        ids, own = torch.arange(batch_size, device=device) % count, labels[:batch_size].to(device)
        seconds = min(_timed(lambda: alone.update(ids, logits, own), device) for _ in range(20))
        step = min(_timed(plain, device) for _ in range(3)) / steps
        return {"notes": [f"recording a batch: {seconds * 1e6:.0f} us, {seconds / step:.2%} of a step"]}

    plain = steps_with()
    race(
        steps_with(RecordEpochs(count)),
        {
            "not recorded": plain,
            **{name: steps_with(Watching(peer)) for name, peer in peers_of(count, device).items()},
        },
        work=steps * batch_size,
        unit="images/s",
        look=part_of_a_step,
        case=f"recorded training step of convnet, batch {batch_size}",
    )


def _timed(call, device: str) -> float:
    begin = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begin
