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
