"""Accuracy over exactly a million addressed views, in the memory of one batch."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import json, resource, torch
from torch import nn
from rote.augment import recipes
from rote.data import load
from rote.metrics import pool_accuracy
from rote.train import LabelSource

bank = load("digits")
model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 10)).requires_grad_(False)
model[1].weight.fill_(0.0)
model[1].bias.copy_(torch.arange(10.0))
ids, labels = torch.arange(1000), LabelSource.per_view(0, 10)

def measured(views):
    score = pool_accuracy(model, bank.train.images, labels, recipes["none"], views=views, seed=0, image_ids=ids)
    return score.samples, score.correct, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

small = measured(10)
large = measured(1000)
nines = sum(
    int((labels.labels(ids[i : i + 1].repeat(1000), torch.arange(1000), torch.arange(1000)) == 9).sum())
    for i in range(1000)
)
print(json.dumps([small, large, nines]))
"""


def test_a_million_views_in_the_memory_of_ten_thousand():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    (_, _, before), (samples, correct, after), nines = json.loads(done.stdout)
    assert samples == 10**6
    assert correct == nines, "a network that always says 9 is right on every view labelled 9, each counted once"
    assert after - before < 20_000, "KiB; a byte a view alone would be 1,000, its pixels 3,000,000"
