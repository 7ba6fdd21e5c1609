"""R networks trained as one beside R networks trained one after another, by the width of the network.

Both render the same views with the same seeds and give the same weights up to rounding. What `batching_pays` would
choose stands in the notes: its rule is made from these rows.
"""

from __future__ import annotations

import pytest
import torch

from benchmarks.train.digit_sized import BATCH, train_settings
from rote import train

STEPS = 20
CASES = {
    **{f"mlp of width {width}": ("mlp", width) for width in (16, 32, 64, 128, 256)},
    **{f"convnet of width {width}": ("convnet", width) for width in (4, 8, 16)},
}


@pytest.mark.parametrize("replicas", [8, 16], ids="{} replicas".format)
@pytest.mark.parametrize("name", CASES)
def test_replicas(race, device, quick, name, replicas):
    model, width = CASES[name]
    if quick and width > 16:
        pytest.skip("a large one")
    settings = [train_settings(model, width, device, seed) for seed in range(replicas)]
    together = train.ReplicaTrainer(*zip(*settings, strict=True), batched=True)
    alone = [train.Trainer(*train_settings(model, width, device, seed)) for seed in range(replicas)]

    def one_after_another():
        for trainer in alone:
            trainer.train_until(trainer.step + STEPS)

    network = settings[0][0]
    pays = train.batching_pays(network, replicas, torch.device(device))
    parameters = sum(p.numel() for p in network.parameters())
    notes = [f"{parameters:,} parameters", f"chosen by itself: {'one batch' if pays else 'one after another'}"]
    race(
        lambda: together.train_until(together.step + STEPS),
        {"one after another": one_after_another},
        work=replicas * STEPS * BATCH,
        unit="images/s",
        look=lambda contender, _: {"notes": [] if contender else notes},
        case=f"{replicas} replicas of an {name}" if model == "mlp" else f"{replicas} replicas of a {name}",
    )
