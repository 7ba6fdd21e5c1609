"""`rote.KNNAccuracy`: batch by batch it is `knn_accuracy` and `leave_one_out_accuracy`, on one process and on two."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

import rote
from rote.neighbors.collected import CollectedRows

from .test_accuracy import clusters

VOTING = [{}, {"metric": "l2", "weights": "distance"}, {"weights": "softmax", "temperature": 0.2}]


def fed(accuracy: rote.KNNAccuracy, x, y, size: int, train: bool | None = None, groups=None) -> rote.KNNAccuracy:
    for start in range(0, len(y), size):
        rows = slice(start, start + size)
        accuracy.update(x[rows], y[rows], train, groups=None if groups is None else groups[rows])
    return accuracy


@pytest.mark.parametrize("voting", VOTING, ids=["cosine", "distance", "softmax"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_any_batches_give_what_one_call_gives(voting: dict, size: int):
    (x, y), (tx, ty) = clusters(150, 0), clusters(60, 5)
    accuracy = rote.KNNAccuracy(k=(20, 1, 5), num_classes=4, **voting)
    fed(fed(accuracy, tx, ty, size, train=False), x, y, size, train=True)
    expected = rote.knn_accuracy(x, y, tx, ty, k=(20, 1, 5), **voting)
    assert accuracy.compute() == expected == accuracy.compute()
    assert len(set(expected.values())) > 1


@pytest.mark.parametrize("voting", VOTING, ids=["cosine", "distance", "softmax"])
def test_leave_one_out(voting: dict):
    x, y = clusters(120, 3)
    accuracy = fed(rote.KNNAccuracy(k=5, leave_one_out=True, **voting), x, y, 50)
    assert accuracy.compute() == rote.leave_one_out_accuracy(x, y, 5, **voting)


def test_groups_keep_views_of_one_image_apart():
    (x, y), image = clusters(60, 1), np.arange(60)
    views, labels, images = np.repeat(x, 2, axis=0), np.repeat(y, 2), np.repeat(image, 2)
    with_groups = fed(rote.KNNAccuracy(k=1, leave_one_out=True), views, labels, 13, groups=images)
    assert with_groups.compute() == rote.leave_one_out_accuracy(views, labels, 1, groups=images)
    assert with_groups.compute() < fed(rote.KNNAccuracy(k=1, leave_one_out=True), views, labels, 13).compute() == 1.0
    two_roles = fed(rote.KNNAccuracy(k=3), views, labels, 13, train=True, groups=images)
    fed(two_roles, x, y, 13, train=False, groups=image)
    assert two_roles.compute() == rote.knn_accuracy(views, labels, x, y, 3, groups=(image, images))


def test_more_batches_may_follow_and_reset_forgets():
    (x, y), (tx, ty) = clusters(100, 0), clusters(40, 5)
    accuracy = rote.KNNAccuracy(k=(1,))
    fed(accuracy, x[:50], y[:50], 20, train=True).update(tx, ty, train=False)
    assert accuracy.compute() == rote.knn_accuracy(x[:50], y[:50], tx, ty, k=(1,))
    fed(accuracy, x[50:], y[50:], 20, train=True)
    assert accuracy.compute() == rote.knn_accuracy(x, y, tx, ty, k=(1,))
    assert "100 train, 40 test rows" in repr(accuracy)
    accuracy.reset()
    with pytest.raises(ValueError, match="at least one train row; got none"):
        accuracy.compute()
    fed(accuracy, -x, y, 20, train=True).update(tx, ty, train=False)
    assert accuracy.compute() == rote.knn_accuracy(-x, y, tx, ty, k=(1,))


def test_rows_are_copies_in_the_dtype_given():
    (x, y), (tx, ty) = clusters(80, 0), clusters(40, 5)
    x, tx = torch.from_numpy(x).bfloat16(), torch.from_numpy(tx).half()
    expected = rote.knn_accuracy(x, y, tx, ty, k=5)
    accuracy = rote.KNNAccuracy(k=5)
    buffer = torch.empty(40, 3, 8, dtype=torch.bfloat16, requires_grad=True)  # tokens: of each row only one is wanted
    for start in (0, 40):
        buffer.data[:, 1] = x[start : start + 40]
        accuracy.update(buffer[:, 1], y[start : start + 40], train=True)
    buffer.data.zero_()
    with torch.inference_mode():
        accuracy.update(tx, ty, train=False)
    assert accuracy.compute() == expected
    assert pickle.loads(pickle.dumps(accuracy)).compute() == expected
    held = accuracy._rows["train"].joined()
    assert held.embeddings.dtype == torch.bfloat16
    assert held.embeddings.untyped_storage().nbytes() == 80 * 8 * 2
    assert not held.embeddings.requires_grad


def test_batches_are_freed_while_they_are_joined():
    rows = CollectedRows("train")
    for _ in range(5):
        rows.add(torch.ones(3, 2), torch.ones(3, dtype=torch.int64), None, None, None)
    assert rows.joined() is rows.joined()
    assert len(rows._batches) == 1
    assert rows.joined().labels.tolist() == [1] * 15


def test_a_row_with_nan_is_wrong_as_a_query_and_absent_as_a_neighbour():
    accuracy = rote.KNNAccuracy(k=1, metric="l2")
    accuracy.update(np.array([[0.0], [np.nan], [9.0]]), np.array([0, 1, 1]), train=True)
    accuracy.update(np.array([[1.0], [np.nan]]), np.array([0, 0]), train=False)
    assert accuracy.compute() == 0.5


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"k": 0}, ValueError, "k must be at least 1; got 0"),
        ({"k": ()}, ValueError, "at least one number of neighbours"),
        ({"k": (1, True)}, TypeError, "k must be an integer or a sequence of integers"),
        ({"k": "5"}, TypeError, "k must be an integer or a sequence of integers"),
        ({"metric": "manhattan"}, ValueError, "metric must be one of"),
        ({"metric": "ip", "weights": "distance"}, ValueError, "needs a distance"),
        ({"temperature": 0}, ValueError, "temperature must be positive"),
    ],
)
def test_bad_settings(arguments: dict, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        rote.KNNAccuracy(**arguments)


X, Y = torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64)


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        ({"embeddings": X[0]}, ValueError, r"embeddings must be .* of shape \[B, d\]; got float32 \[3\]"),
        ({"embeddings": X.int()}, TypeError, r"embeddings must be float64, .*; got int32 \[4, 3\]"),
        (
            {"embeddings": X[:, :2]},
            ValueError,
            "embeddings must have the columns of the train batches before, 3; got 2",
        ),
        ({"embeddings": X.half()}, ValueError, "the dtype of the train batches before, float32; got float16"),
        ({"labels": Y[:3]}, ValueError, r"labels must be integers of shape \[4\], one for each"),
        ({"labels": Y.float()}, TypeError, "labels must be integers"),
        ({"labels": Y + 10}, ValueError, r"labels must lie in \[0, num_classes=10\); got values from 10 to 10"),
        ({"train": None}, TypeError, "train must be True .* or False"),
        ({"train": 1}, TypeError, "train must be True .* or False"),
        ({"groups": Y}, ValueError, "groups must be given with all train batches .* before have none, this one has"),
        ({"groups": Y.int()}, TypeError, r"groups must be int64 of shape \[B\]"),
        ({"groups": Y[:2]}, ValueError, r"groups must be int64 of shape \[B\] with B = 4"),
    ],
)
def test_bad_batches_change_nothing(batch: dict, error: type[Exception], message: str):
    accuracy = rote.KNNAccuracy(k=1, num_classes=10)
    accuracy.update(X, Y, train=True)
    with pytest.raises(error, match=message):
        accuracy.update(**{"embeddings": X, "labels": Y, "train": True, **batch})
    assert "4 train, 0 test rows" in repr(accuracy)


def test_roles_that_do_not_fit():
    accuracy = rote.KNNAccuracy(k=5)
    accuracy.update(X, Y, train=True)
    accuracy.update(X[:0], Y[:0], train=False)
    with pytest.raises(ValueError, match="at least one test row; got none"):
        accuracy.compute()
    accuracy.update(X, Y, train=False)
    with pytest.raises(ValueError, match="k must lie between 1 and the number of train rows, 4; got 5"):
        accuracy.compute()
    other = rote.KNNAccuracy(k=1)
    other.update(X, Y, train=True)
    other.update(X[:, :2], Y, train=False, groups=Y)
    with pytest.raises(ValueError, match="must have the same number of columns; got 2, 3"):
        other.compute()
    alone = rote.KNNAccuracy(k=4, leave_one_out=True)
    alone.update(X, Y)
    with pytest.raises(ValueError, match="the number of other rows, 3; got 4"):
        alone.compute()
    with pytest.raises(TypeError, match="train must be left out"):
        alone.update(X, Y, train=True)


RANK = """
import datetime, sys
import numpy as np, torch, torch.distributed as dist
import rote
from tests.neighbors.test_accuracy import clusters
from tests.neighbors.test_metric_object import VOTING, fed

store, rank, world = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
dist.init_process_group("gloo", init_method="file://" + store, rank=rank, world_size=world,
                        timeout=datetime.timedelta(seconds=60))
(x, y), (tx, ty) = clusters(101, 0), clusters(37, 5)
mine = lambda rows: rows[[0, 64][rank] : [64, None][rank]]  # 64 and 37 train rows; 37 and no test rows
for dtype in (np.float64, np.float32, np.float16):
    x, tx = x.astype(dtype), tx.astype(dtype)
    for voting in VOTING:
        accuracy = rote.KNNAccuracy(k=(1, 5, 20), **voting)
        fed(accuracy, mine(x), mine(y), 10, train=True)
        fed(accuracy, mine(tx), mine(ty), 10, train=False)
        assert accuracy.compute() == rote.knn_accuracy(x, y, tx, ty, (1, 5, 20), **voting)
        alone = fed(rote.KNNAccuracy(k=5, leave_one_out=True, **voting), mine(x), mine(y), 10)
        for _ in range(2):  # computing changes nothing
            assert alone.compute() == rote.leave_one_out_accuracy(x, y, 5, **voting)

tensors = torch.from_numpy(x).bfloat16()
half = fed(rote.KNNAccuracy(k=3, leave_one_out=True), mine(tensors), mine(y), 64)
assert half.compute() == rote.leave_one_out_accuracy(tensors, y, 3)
assert half._rows["train"].shape.rows == len(mine(y))  # this rank still holds its own rows, no others

# The same image on both ranks: only ids that mean the same everywhere keep them apart.
doubled = rote.KNNAccuracy(k=1, leave_one_out=True)
doubled.update(x, y, groups=np.arange(101))
assert doubled.compute() == rote.leave_one_out_accuracy(np.tile(x, (2, 1)), np.tile(y, 2), 1,
                                                        groups=np.tile(np.arange(101), 2))

# One rank without any rows, and one that does not join the others.
accuracy = rote.KNNAccuracy(k=1)
apart = rote.KNNAccuracy(k=1, sync_on_compute=False)
for role, rows, labels in ((True, x, y), (False, tx, ty)):
    apart.update(rows[rank:], labels[rank:], train=role)
    if rank == 1:
        accuracy.update(rows, labels, train=role)
assert accuracy.compute() == rote.knn_accuracy(x, y, tx, ty, 1)
assert apart.compute() == rote.knn_accuracy(x[rank:], y[rank:], tx[rank:], ty[rank:], 1)

# What one rank did wrong, all ranks say.
bad = rote.KNNAccuracy(k=1, leave_one_out=True)
bad.update(x[:, rank:], y)
try:
    bad.compute()
except ValueError as error:
    assert "must have the same number of columns; got 7, 8" in str(error)
else:
    raise AssertionError("ranks with different d were joined")
bad = rote.KNNAccuracy(k=1, leave_one_out=True)
bad.update(torch.from_numpy(x).to([torch.float32, torch.float64][rank]), y)
try:
    bad.compute()
except ValueError as error:
    assert "must have the same dtype; got float32, float64" in str(error)
else:
    raise AssertionError("ranks with different dtypes were joined")
dist.destroy_process_group()
print("rank", rank, "agrees")
"""


def test_two_processes_agree_with_one(tmp_path: Path):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", textwrap.dedent(RANK), str(tmp_path / "store")]
    ranks = [
        subprocess.Popen(
            [*command, str(rank), "2"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for rank in range(2)
    ]
    outputs = [process.communicate(timeout=180)[0] for process in ranks]
    for rank, output in enumerate(outputs):
        assert f"rank {rank} agrees" in output, output
