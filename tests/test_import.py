"""`import rote` stays light: torch, numpy and the core; everything else is loaded by the first look at it.

A bound on what is loaded, not on seconds, which a busy machine would make flaky.
"""

from __future__ import annotations

import json
import subprocess
import sys

FOREIGN = """
import json, sys
import torch, numpy
before = set(sys.modules)
{statement}
new = sorted(set(sys.modules) - before)
foreign = [m for m in new if m.partition(".")[0] not in (*sys.stdlib_module_names, "rote")]
print(json.dumps({{"rote": [m for m in new if m.partition(".")[0] == "rote"], "foreign": foreign,
                  "new": len(new), "cuda": torch.cuda.is_initialized()}}))
"""


def loaded(statement: str) -> dict:
    """What a statement loads in a fresh interpreter that has torch and numpy already."""
    done = subprocess.run(
        [sys.executable, "-c", FOREIGN.format(statement=statement)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def test_import_rote_loads_the_core_and_nothing_else():
    found = loaded("import rote")
    assert found["foreign"] == []
    assert found["rote"] == ["rote", "rote._native"]
    assert found["new"] <= 10
    assert found["cuda"] is False


def test_the_engines_load_no_other_package_and_leave_cuda_alone():
    found = loaded(
        "import rote; x = torch.eye(3)\n"
        "rote.knn(x, x, 1), rote.Index(x).search(x, 1), rote.knn_accuracy(x, x[0].long(), x, x[0].long(), 1)\n"
        "rote.leave_one_out_accuracy(x, x[0].long(), 1), rote.KNNAccuracy(k=1), rote.augment.recipes, dir(rote)"
    )
    assert found["foreign"] == []
    assert {"rote.neighbors.metric", "rote.neighbors.search", "rote.augment"} <= set(found["rote"])
    assert found["cuda"] is False


def test_every_public_name_is_there_without_lightning():
    found = loaded(
        "sys.modules['lightning'] = sys.modules['pytorch_lightning'] = None; from rote import *; KNNAccuracy"
    )
    assert "sklearn.base" in found["foreign"]  # which KNNProbe is built on
    assert "rote.neighbors.metric" in found["rote"]


MISSING = """
import sys
for name in ("pyarrow", "matplotlib", "safetensors", "scipy", "sklearn", "tyro", "PIL"):
    sys.modules[name] = None
import tempfile, numpy as np, torch, rote
from pathlib import Path
folder, x, y = Path(tempfile.mkdtemp()), torch.randn(8, 3), torch.arange(8) % 2
recorder = rote.metrics.Recorder(8)
recorder.update(torch.arange(8), x, y)
def refused(what, wanted, call):
    try:
        call()
    except ImportError as error:
        assert wanted in str(error), (what, str(error))
    else:
        raise AssertionError(what)
lab = "pip install 'rote[lab]'"
refused("epochs", lab, lambda: rote.metrics.Recorder(8, folder=folder))
refused("table", lab, recorder.examples)
refused("weights", lab, lambda: rote.train.save_weights(folder / "w", torch.nn.Linear(2, 2)))
refused("figures", lab, lambda: rote.report.plot_layers)
refused("page", lab, lambda: rote.report.write_page)
refused("probe", lab, lambda: rote.KNNProbe)
refused("digits", lab, lambda: rote.data.load("digits"))
refused("experiments", lab, lambda: rote.experiments.benign)
from rote.metrics.exchange import datalab_inputs
refused("datalab", lab, lambda: datalab_inputs(x, y, k=3))
from rote.cli import main
assert main(["report", str(folder)]) == main(["run", "benign"]) == 2
"""


def test_a_missing_package_is_an_error_that_names_the_extra():
    done = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 2, lines
    assert all(line.startswith("rote: error: ") and "rote[lab]" in line for line in lines), lines
