"""`rote.KNNProbeCallback` in two processes: each batch on one of them, and the accuracy of all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .test_lightning import needs

ROOT = Path(__file__).parents[2]

RANK = """
import datetime, sys
import torch, torch.distributed as dist
package = __import__("importlib").import_module(sys.argv[4])
sys.modules["lightning.pytorch"] = package
import rote
from tests.neighbors.test_lightning import data, embedded, network

store, rank, world = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
dist.init_process_group("gloo", init_method="file://" + store, rank=rank, world_size=world,
                        timeout=datetime.timedelta(seconds=60))
module = network(package)
batches = []
def encoder(module, x):
    batches.append(len(x))
    return module.backbone(x)
found = rote.KNNProbeCallback(data(72, 0), data(20, 5), encoder=encoder, k=(1, 5)).probe(module)
assert batches == [[16, 16, 8, 16], [16, 16, 4]][rank], batches  # each batch on one rank
assert found == rote.knn_accuracy(*embedded(module, 72, 0), *embedded(module, 20, 5), k=(1, 5))
for loader in (data(72, 0, shuffle=True),
               data(72, 0, sampler=torch.utils.data.DistributedSampler(range(72), world, rank))):
    try:
        rote.KNNProbeCallback(loader, k=1).probe(module)
    except ValueError as error:
        assert "shares the batches among the ranks itself" in str(error)
    else:
        raise AssertionError("a dataloader that differs between ranks was taken")
dist.destroy_process_group()
print("rank", rank, "agrees")
"""


def test_two_processes_share_the_batches(tmp_path: Path):
    command = [sys.executable, "-c", RANK, str(tmp_path / "store")]
    ranks = [
        subprocess.Popen(
            [*command, str(rank), "2", "tests.neighbors.lightning_stand_in"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [process.communicate(timeout=180)[0] for process in ranks]
    for rank, output in enumerate(outputs):
        assert f"rank {rank} agrees" in output, output


DDP = """
import json, pathlib
import lightning.pytorch as package
import torch, rote
from tests.neighbors.test_lightning import data, embedded, network

seen = []
def encoder(module, x):
    seen.append(len(x))
    return module.backbone(x)
class Check(package.Callback):
    def on_train_end(self, trainer, pl_module):
        logged = trainer.callback_metrics["probe/knn@5"].item()
        expected = rote.knn_accuracy(*embedded(pl_module, 72, 0), *embedded(pl_module, 20, 5), k=5)
        record = {"world_size": trainer.world_size, "rows": sum(seen), "logged": logged, "expected": expected}
        pathlib.Path(__file__).with_name(f"rank{trainer.global_rank}.json").write_text(json.dumps(record))
module = network(package)
module.backbone[2].momentum = 0.0  # else the ranks' running statistics differ until the next step
trainer = package.Trainer(max_epochs=2, accelerator="cpu", devices=2, strategy="ddp", logger=False,
                          enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
                          callbacks=[rote.KNNProbeCallback(data(72, 0), data(20, 5), encoder=encoder, k=5), Check()])
trainer.fit(module, data(96, 2, shuffle=True))
"""


@needs("lightning")
def test_ddp_of_lightning(tmp_path: Path):
    script = tmp_path / "train.py"  # Lightning starts the second process from the script's own command line
    script.write_text(DDP)
    environment = dict(os.environ)
    environment["PYTHONPATH"] = f"{ROOT}:{environment.get('PYTHONPATH', '')}"
    done = subprocess.run(
        [sys.executable, str(script)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for rank, rows in enumerate([2 * 56, 2 * 36]):  # two epochs; each batch on one rank
        record = json.loads((tmp_path / f"rank{rank}.json").read_text())
        assert record["world_size"] == 2
        assert record["rows"] == rows
        assert record["logged"] == pytest.approx(record["expected"], abs=1e-6)
    assert "sync_dist" not in done.stderr  # nothing for Lightning to warn of
