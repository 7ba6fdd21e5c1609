"""rote::record against float64 numpy, row by row: values, histories, rare rows, dtypes and bad arguments."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rote.ops.record import COUNTS, SUMS, VALUES, record, record_tensors

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def column(state, name):
    for names, tensor in ((COUNTS, state.counts), (SUMS, state.sums), (VALUES, state.values)):
        if name in names:
            return tensor[:, names.index(name)].numpy()
    raise KeyError(name)


def expected(logits: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """The definitions, in float64."""
    rows = np.arange(len(labels))
    largest = logits.max(1, keepdims=True)
    log_p = logits - largest - np.log(np.exp(logits - largest).sum(1, keepdims=True))
    p = np.exp(log_p)
    others = logits.copy()
    others[rows, labels] = -np.inf
    error = p.copy()
    error[rows, labels] -= 1
    return {
        "loss": -log_p[rows, labels],
        "margin": logits[rows, labels] - others.max(1),
        "p_true": p[rows, labels],
        "el2n": np.linalg.norm(error, axis=1),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("classes", [2, 3, 8, 10, 100, 1000])
def test_values_of_one_presentation(dtype, classes):
    generator = torch.Generator().manual_seed(classes)
    logits = (torch.randn(40, classes, generator=generator) * torch.logspace(-2, 2, 40)[:, None]).to(dtype)
    labels = torch.randint(0, classes, (40,), generator=generator)
    ids = torch.randperm(60, generator=generator)[:40]
    state = record_tensors(60, "cpu", num_classes=classes)
    record(logits, labels, ids, state)
    wide = logits.double().numpy()
    for name, values in expected(wide, labels.numpy()).items():
        np.testing.assert_allclose(column(state, name)[ids], values.astype(np.float32), rtol=2e-7, atol=1e-15)
        total = "mean_p_true" if name == "p_true" else name
        sums = state.sums[:, SUMS.index(total)].numpy()[ids]
        np.testing.assert_allclose(sums, values, rtol=1e-10, atol=1e-15)
    assert np.array_equal(column(state, "predicted")[ids], wide.argmax(1))
    assert np.array_equal(column(state, "correct")[ids], wide.argmax(1) == labels.numpy())
    assert torch.equal(state.logits[ids], logits.float())
    untouched = np.setdiff1d(np.arange(60), ids)
    assert not state.counts[untouched].any()
    assert not state.sums[untouched].any()
    assert not state.logits[untouched].any()


def test_nothing_cancels_where_the_label_is_certain():
    """1 - p would round to 0 for all of these."""
    state = record_tensors(3, "cpu")
    record(
        torch.tensor([[0.0, -40.0], [0.0, -100.0], [0.0, -300.0]]).double(),
        torch.zeros(3).long(),
        torch.arange(3),
        state,
    )
    wanted = np.exp([-40.0, -100.0, -300.0])
    np.testing.assert_allclose(column(state, "loss").astype(float)[:2], wanted[:2], rtol=1e-6)
    np.testing.assert_allclose(state.sums[:, SUMS.index("loss")], wanted, rtol=1e-14)
    np.testing.assert_allclose(state.sums[:, SUMS.index("el2n")], wanted * np.sqrt(2), rtol=1e-14)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_ties_go_to_the_first_class(label):
    state = record_tensors(1, "cpu")
    record(torch.tensor([[2.0, 2.0, 1.0]]), torch.tensor([label]), torch.tensor([0]), state)
    assert column(state, "predicted")[0] == 0
    assert column(state, "correct")[0] == (label == 0)
    assert state.values[0, VALUES.index("margin")] == (0.0 if label < 2 else -1.0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_left_out_classes_and_rows_that_are_no_distribution(dtype):
    inf, nan = float("inf"), float("nan")
    rows = [[-inf, 1, 0], [-inf, 1, -inf], [nan, 1, 0], [inf, 1, 0], [-inf, -inf, -inf], [5, 1, nan]]
    logits, labels = torch.tensor(rows).to(dtype), torch.tensor([0, 1, 1, 0, 0, 0])
    state = record_tensors(6, "cpu")
    record(logits, labels, torch.arange(6), state)
    assert column(state, "undefined").tolist() == [0, 0, 1, 1, 1, 1]
    assert column(state, "correct").tolist() == [0, 1, 0, 0, 0, 0]
    assert column(state, "predicted").tolist() == logits.argmax(1).tolist()
    assert state.values[0].tolist()[:3] == [inf, -inf, 0]
    assert state.values[1].tolist() == [0, inf, 1, 0]
    assert state.values[2:].isnan().all()
    assert not state.sums[2:].any()


def test_rows_of_one_example_count_in_their_order():
    history = [1, 0, 0, 1, 0, 1, 1]
    logits = torch.tensor([[0.0, 1.0] if right else [1.0, 0.0] for right in history])
    state = record_tensors(4, "cpu")
    record(logits, torch.ones(7).long(), torch.full((7,), 2), state)
    found = {name: column(state, name)[2] for name in COUNTS}
    wanted = {"presentations": 7, "correct": 4, "forgetting": 2, "first_correct": 0, "last_incorrect": 4, "seen": 7}
    assert found == wanted | {"undefined": 0, "predicted": 1}
    np.testing.assert_array_equal(state.values[2, VALUES.index("margin")], 1.0)


def test_threads_strides_and_batches_change_nothing():
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(3000, 12, generator=generator)
    labels = torch.randint(0, 10, (3000,), generator=generator)
    ids = torch.randint(0, 500, (3000,), generator=generator)
    whole, pieces, strided = (record_tensors(500, "cpu", num_classes=10) for _ in range(3))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        record(logits[:, 1:11], labels, ids, whole)
    finally:
        torch.set_num_threads(before)
    for rows in torch.arange(3000).split(700):
        record(logits[rows, 1:11], labels[rows], ids[rows], pieces)
    record(logits[:, 1:11].t().contiguous().t(), labels.repeat_interleave(2)[::2], ids, strided)
    for other in (pieces, strided):
        for a, b in zip(whole[:4], other[:4], strict=True):
            assert torch.equal(a, b)


def test_no_rows():
    state = record_tensors(3, "cpu")
    record(torch.zeros(0, 4), torch.zeros(0).long(), torch.zeros(0).long(), state)
    assert not state.counts.any()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"logits": torch.zeros(4, 3).int()}, TypeError, "logits: wanted float32"),
        ({"logits": torch.zeros(4, 1)}, ValueError, "at least two classes"),
        ({"logits": torch.zeros(12)}, ValueError, "logits: wanted"),
        ({"labels": torch.zeros(4).int()}, TypeError, "labels: wanted torch.int64"),
        ({"labels": torch.zeros(4, 3).long()}, ValueError, "labels: wanted shape"),
        ({"labels": torch.tensor([0, 1, 2, 3])}, ValueError, r"labels: wanted classes in \[0, 3\), got 3"),
        ({"labels": torch.tensor([0, 1, 2, -1])}, ValueError, "labels: wanted classes"),
        ({"ids": torch.zeros(4)}, TypeError, "ids: wanted torch.int64"),
        ({"ids": torch.zeros(3).long()}, ValueError, "ids: wanted shape"),
        ({"ids": torch.tensor([0, 1, 2, 9])}, ValueError, r"ids: wanted ids in \[0, 9\), got 9"),
        ({"ids": torch.tensor([-1, 1, 2, 3])}, ValueError, "ids: wanted ids"),
        ({"ids": torch.zeros(4, device="meta").long()}, ValueError, "ids: wanted device"),
    ],
)
def test_bad_arguments_are_named_and_record_nothing(changes, error, message):
    state = record_tensors(9, "cpu")
    arguments = {"logits": torch.zeros(4, 3), "labels": torch.zeros(4).long(), "ids": torch.arange(4)} | changes
    with pytest.raises(error, match=message):
        record(**arguments, state=state)
    assert not state.counts.any()


def test_bad_states_are_named():
    good = record_tensors(9, "cpu")
    arguments = torch.zeros(4, 3), torch.zeros(4).long(), torch.arange(4)
    with pytest.raises(ValueError, match="kept_logits: wanted"):
        record(*arguments, record_tensors(9, "cpu", num_classes=4))
    with pytest.raises(ValueError, match="sums: wanted"):
        record(*arguments, good._replace(sums=good.sums[:, :3]))
    with pytest.raises(ValueError, match="counts: wanted"):
        record(*arguments, good._replace(counts=good.counts.long()))
    with pytest.raises(ValueError, match="n: wanted"):
        record_tensors(0, "cpu")
    with pytest.raises(ValueError, match="num_classes: wanted"):
        record_tensors(3, "cpu", num_classes=1)


def test_the_operator_passes_torch_s_own_checks():
    state = record_tensors(9, "cpu", num_classes=3)
    torch.library.opcheck(
        torch.ops.rote.record.default, (torch.randn(4, 3), torch.tensor([0, 1, 2, 0]), torch.arange(4), *state)
    )


def test_inside_torch_compile():
    def step(logits, labels, ids, state):
        record(logits * 2, labels, ids, state)
        return logits.sum()

    logits, labels, ids = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2]), torch.arange(6)
    plain, compiled = record_tensors(6, "cpu"), record_tensors(6, "cpu")
    step(logits, labels, ids, plain)
    torch.compile(step, backend="aot_eager", fullgraph=True)(logits, labels, ids, compiled)
    for a, b in zip(plain[:3], compiled[:3], strict=True):
        assert torch.equal(a, b)
