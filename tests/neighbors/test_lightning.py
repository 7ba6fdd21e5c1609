"""`rote.KNNProbeCallback` in a Trainer: Lightning's own where it is installed, and always a stand-in."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import rote

from . import lightning_stand_in
from .test_accuracy import clusters


def installed(name: str) -> bool:
    return importlib.util.find_spec(name.partition(".")[0]) is not None


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not installed(name), reason=f"needs {name}")


def forget() -> None:
    """The next look at the callback builds its class anew, on the Lightning that is there then."""
    sys.modules.pop("rote.neighbors.lightning", None)
    for module in (rote, rote.neighbors):
        vars(module).pop("KNNProbeCallback", None)


@pytest.fixture(autouse=True)
def fresh_class():
    forget()
    yield
    forget()


@pytest.fixture(params=["stand-in", pytest.param("lightning.pytorch", marks=needs("lightning"))])
def lightning(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Lightning or the stand-in; the callback's class is built on it."""
    if request.param == "stand-in":
        package = lightning_stand_in
        monkeypatch.setitem(sys.modules, "lightning.pytorch", package)
    else:
        package = importlib.import_module(request.param)
    assert issubclass(rote.KNNProbeCallback, package.Callback)
    return package


def data(rows: int, seed: int, **arguments) -> DataLoader:
    x, y = clusters(rows, seed)
    return DataLoader(TensorDataset(torch.from_numpy(x).float(), torch.from_numpy(y)), batch_size=16, **arguments)


def network(lightning: ModuleType) -> torch.nn.Module:
    """An encoder with batch norm, part of it frozen in evaluation mode, and dropout: what a probe can disturb."""

    class Network(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            frozen = torch.nn.BatchNorm1d(8)
            self.backbone = torch.nn.Sequential(frozen, torch.nn.Linear(8, 6), torch.nn.BatchNorm1d(6))
            self.head = torch.nn.Sequential(torch.nn.Dropout(), torch.nn.Linear(6, 4))
            self.losses, self.modes = [], []

        def forward(self, x):
            return self.head(self.backbone(x))

        def training_step(self, batch, batch_idx):
            self.backbone[0].eval()
            self.modes.append([part.training for part in self.modules()])
            loss = torch.nn.functional.cross_entropy(self(batch[0]), batch[1])
            self.losses.append(loss.item())
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    return Network()


def trained(lightning: ModuleType, callbacks: list, epochs: int = 3, **settings):
    module = network(lightning)
    arguments = {"accelerator": "cpu", "logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = lightning.Trainer(
        max_epochs=epochs, callbacks=callbacks, enable_model_summary=False, **{**arguments, **settings}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few workers, few batches
        trainer.fit(module, data(96, 2, shuffle=True))
    return module, trainer


def embedded(module: torch.nn.Module, rows: int, seed: int):
    x, y = clusters(rows, seed)
    with torch.no_grad():
        return module.eval().backbone(torch.from_numpy(x).float()), torch.from_numpy(y)


def test_logs_what_knn_accuracy_says_of_the_embeddings(lightning: ModuleType):
    probe = rote.KNNProbeCallback(data(80, 0), data(40, 5), encoder="backbone", k=(1, 5), num_classes=4)
    module, trainer = trained(lightning, [probe])
    expected = rote.knn_accuracy(*embedded(module, 80, 0), *embedded(module, 40, 5), k=(1, 5))
    logged = {name: value.item() for name, value in trainer.callback_metrics.items() if name.startswith("probe/")}
    assert logged == pytest.approx({"probe/knn@1": expected[1], "probe/knn@5": expected[5]}, abs=1e-6)
    assert probe.probe(module) == expected


def test_leaves_one_out_without_a_test_dataloader(lightning: ModuleType):
    probe = rote.KNNProbeCallback(
        data(60, 0), encoder=lambda module, x: module.backbone(x), k=5, prefix="loo", metric="l2", weights="distance"
    )
    module, trainer = trained(lightning, [probe], epochs=1)
    expected = rote.leave_one_out_accuracy(*embedded(module, 60, 0), k=5, metric="l2", weights="distance")
    assert trainer.callback_metrics["loo/knn@5"].item() == pytest.approx(expected, abs=1e-6)


def test_training_goes_on_as_if_nothing_had_been_probed(lightning: ModuleType):
    torch.manual_seed(3)
    plain, _ = trained(lightning, [])
    torch.manual_seed(3)
    probed, _ = trained(lightning, [rote.KNNProbeCallback(data(80, 0, shuffle=True), data(40, 5), k=1)])
    assert probed.losses == plain.losses
    assert probed.modes == plain.modes
    assert not all(probed.modes[-1])  # the frozen part stayed frozen
    assert any(probed.modes[-1])
    for (name, ours), (_, theirs) in zip(probed.state_dict().items(), plain.state_dict().items(), strict=True):
        assert torch.equal(ours, theirs), name


def test_probes_every_n_epochs_in_evaluation_mode_without_gradients(lightning: ModuleType):
    seen = []

    def encoder(module, x):
        seen.append((module.trainer.current_epoch, module.backbone[2].training, torch.is_grad_enabled()))
        return module.backbone(x)

    trained(lightning, [rote.KNNProbeCallback(data(16, 0), encoder=encoder, k=1, every_n_epochs=2)], epochs=5)
    assert seen == [(1, False, False), (3, False, False)]


def test_runs_in_the_precision_of_the_trainer(lightning: ModuleType):
    dtypes = set()

    def encoder(module, x):
        embeddings = module.backbone[1](x)
        dtypes.add(embeddings.dtype)
        return embeddings

    trained(lightning, [rote.KNNProbeCallback(data(32, 0), encoder=encoder, k=1)], epochs=1, precision="bf16-mixed")
    assert dtypes == {torch.bfloat16}


def test_unpack_takes_any_batch_and_groups(lightning: ModuleType):
    x, y = clusters(30, 1)
    twice = torch.from_numpy(x).float().repeat(2, 1)
    batches = [[twice, torch.from_numpy(y).repeat(2), torch.arange(30).repeat(2)]]
    identity = lambda module, inputs: inputs
    module, grouped = network(lightning), rote.KNNProbeCallback(batches, encoder=identity, k=1)
    assert grouped.probe(module) == {1: rote.leave_one_out_accuracy(twice, batches[0][1], 1, groups=batches[0][2])}
    ungrouped = rote.KNNProbeCallback(batches, encoder=identity, k=1, unpack=lambda batch: batch[:2])
    assert ungrouped.probe(module) == {1: 1.0}
    with pytest.raises(TypeError, match=r"a batch must be \(inputs, labels\) .* got list of 1"):
        rote.KNNProbeCallback([batches[0][:1]], encoder=identity, k=1).probe(module)


def test_a_failed_probe_leaves_the_module_and_nothing_behind(lightning: ModuleType):
    module = network(lightning).train()
    probe = rote.KNNProbeCallback(data(32, 0), encoder=lambda module, x: x[:, :, None], k=1)
    with pytest.raises(ValueError, match="embeddings must be"):
        probe.probe(module)
    assert all(part.training for part in module.modules())
    probe.encoder = None
    assert set(probe.probe(module)) == {1}


def test_bad_settings(lightning: ModuleType):
    with pytest.raises(ValueError, match="every_n_epochs must be an integer of at least 1; got 0"):
        rote.KNNProbeCallback([], every_n_epochs=0)
    with pytest.raises(TypeError, match="encoder must be a submodule's name"):
        rote.KNNProbeCallback([], encoder=3)
    with pytest.raises(ValueError, match="k must be at least 1"):
        rote.KNNProbeCallback([], k=0)
    with pytest.raises(AttributeError, match="spine"):
        trained(lightning, [rote.KNNProbeCallback(data(16, 0), encoder="spine", k=1)])


@needs("lightning")
def test_checkpoints_and_early_stopping_monitor_it(tmp_path: Path):
    package = importlib.import_module("lightning.pytorch")
    probe = rote.KNNProbeCallback(data(80, 0), data(40, 5), encoder="backbone", k=1)
    best = package.callbacks.ModelCheckpoint(tmp_path, monitor="probe/knn@1", mode="max", save_on_train_epoch_end=True)
    stop = package.callbacks.EarlyStopping("probe/knn@1", mode="max", patience=1, check_on_train_epoch_end=True)
    _, trainer = trained(package, [best, stop, probe], epochs=30, enable_checkpointing=True)
    assert trainer.current_epoch < 30
    assert best.best_model_score.item() == stop.best_score.item()
    assert Path(best.best_model_path).is_file()


@pytest.mark.parametrize("name", [pytest.param(n, marks=needs(n)) for n in ("lightning.pytorch", "pytorch_lightning")])
def test_either_package_will_do(name: str):
    code = f"import {name} as used, rote; assert issubclass(rote.KNNProbeCallback, used.Callback)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_without_lightning_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    for name in ("lightning", "lightning.pytorch", "pytorch_lightning"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    class Absent:
        def find_spec(self, name: str, path=None, target=None):
            if name.partition(".")[0] in ("lightning", "pytorch_lightning"):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    with pytest.raises(ImportError, match=r"rote.KNNProbeCallback needs Lightning: pip install lightning"):
        _ = rote.KNNProbeCallback
