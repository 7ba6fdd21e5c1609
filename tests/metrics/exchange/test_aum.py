"""AUM's tables: written by another hand, round trips, and what is wrong with bad ones."""

from __future__ import annotations

import csv
from collections import defaultdict

import numpy as np
import pytest
import torch

from rote.metrics.exchange import (
    ExampleDynamics,
    ExchangeError,
    read_aum,
    read_aum_records,
    write_aum,
    write_aum_records,
)

HEADER = "sample_id,num_measurements,target_logit,target_val,other_logit,other_val,margin,aum"


@pytest.fixture
def recorded():
    rng = np.random.default_rng(2)
    return rng.normal(size=(4, 5, 3)), rng.integers(0, 3, 5)


def calculate(folder, logits, labels, names):
    """A calculator after the paper: an update per epoch, running sums in a dict."""
    sums, counts, records = defaultdict(float), defaultdict(int), []
    for epoch in logits:
        scores = torch.tensor(epoch)
        for i, name in enumerate(names):
            rest = scores[i].clone()
            rest[labels[i]] = -torch.inf
            other_value, other = rest.max(0)
            margin = (scores[i, labels[i]] - other_value).item()
            sums[name] += margin
            counts[name] += 1
            target = scores[i, labels[i]].item()
            mean = sums[name] / counts[name]
            records.append((name, counts[name], int(labels[i]), target, other.item(), other_value.item(), margin, mean))
    lines = [",".join(map(str, record)) for record in sorted(records, key=lambda record: record[:2])]
    (folder / "full_aum_records.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    values = sorted(((sums[name] / counts[name], name) for name in sums), reverse=True)
    (folder / "aum_values.csv").write_text("sample_id,aum\n" + "".join(f"{name},{aum}\n" for aum, name in values))


@pytest.mark.parametrize("names", [[0, 1, 2, 3, 4], ["sample_9", "b", "c", "d", "a"]])
def test_tables_of_the_tool_are_read(tmp_path, recorded, names):
    logits, labels = recorded
    calculate(tmp_path, logits, labels, names)
    ours = ExampleDynamics.of_logits(logits, labels)
    found, aum = read_aum(tmp_path)
    assert dict(zip(found.tolist(), aum, strict=True)) == pytest.approx(dict(zip(names, ours.aum(), strict=True)))
    assert (np.diff(aum) <= 0).all()
    records = read_aum_records(tmp_path)
    at = [records.sample_id.tolist().index(name) for name in names]
    np.testing.assert_allclose(records.margin[:, at], ours.margin)
    np.testing.assert_allclose(records.aum[at], ours.aum())
    assert records.label[at].tolist() == labels.tolist()
    for e in range(4):
        others = logits[e].copy()
        others[np.arange(5), labels] = -np.inf
        assert records.other[e, at].tolist() == others.argmax(1).tolist()


def test_our_tables_are_the_tools(tmp_path, recorded):
    logits, labels = recorded
    (tmp_path / "theirs").mkdir()
    calculate(tmp_path / "theirs", logits, labels, list(range(5)))
    write_aum(tmp_path / "ours", ExampleDynamics.of_logits(logits, labels).aum())
    write_aum_records(tmp_path / "ours", logits, labels)
    for name in ("aum_values.csv", "full_aum_records.csv"):
        ours, theirs = (list(csv.reader((tmp_path / who / name).open())) for who in ("ours", "theirs"))
        assert ours[0] == theirs[0]
        np.testing.assert_allclose(*(np.array(table[1:], dtype=float) for table in (ours, theirs)), rtol=1e-9)


def test_round_trip_with_names_and_examples_that_were_not_updated(tmp_path, recorded):
    logits, labels = recorded
    logits = logits.copy()
    logits[1, 3] = np.nan
    path = write_aum_records(tmp_path / "records.csv", logits, labels, list("pqrst"))
    found = read_aum_records(path)
    assert found.sample_id.tolist() == list("pqrst")
    ours = ExampleDynamics.of_logits(logits, labels)
    np.testing.assert_allclose(found.aum, ours.aum())
    assert np.isnan(found.margin[3, 3])
    assert found.other[3, 3] == -1
    np.testing.assert_allclose(found.margin[:3, 3], ours.margin[[0, 2, 3], 3])
    path = write_aum(tmp_path / "values.csv", ours.aum(), list("pqrst"))
    names, values = read_aum(path)
    assert dict(zip(names, values, strict=True)) == dict(zip("pqrst", ours.aum(), strict=True))


@pytest.mark.parametrize("names", [["7", "07"], ["--5", "1"], ["²", "1"], ["1", "9" * 25]])
def test_names_that_only_look_like_numbers_are_text(tmp_path, names):
    found, values = read_aum(write_aum(tmp_path, [2.0, 1.0], names))
    assert found.tolist() == names
    assert values.tolist() == [2.0, 1.0]


def test_names_that_are_numbers_are_numbers(tmp_path):
    names = [-3, 0, 10**18 - 1]
    found, _ = read_aum(write_aum(tmp_path, [3.0, 2.0, 1.0], names))
    assert found.dtype == np.int64
    assert found.tolist() == names


BAD_RECORDS = [
    ("sample_id,margin\n1,2\n", "wanted the columns sample_id, num_measurements"),
    (f"{HEADER}\n", "holds no example"),
    (f"{HEADER}\n1,1,0,3,1,2,1\n", "row 2: wanted 8 cells, got 7"),
    (f"{HEADER}\n1,1,0,x,1,2,1,1\n", "row 2: wanted a finite number as target_val, got 'x'"),
    (f"{HEADER}\n1,1.5,0,3,1,2,1,1\n", "row 2: wanted a whole number as num_measurements"),
    (f"{HEADER}\n1,1,0,3,1,2,5,5\n", "row 2: margin 5.0 is not target_val - other_val = 1.0"),
    (f"{HEADER}\n1,1,0,3,1,2,1,1\n1,1,0,3,1,2,1,1\n", "row 3: update 1 of '1' comes twice"),
    (f"{HEADER}\n1,2,0,3,1,2,1,1\n", "the updates of '1' must be 1 to 1"),
]


@pytest.mark.parametrize(("text", "message"), BAD_RECORDS, ids=[message for _, message in BAD_RECORDS])
def test_bad_records_are_named(tmp_path, text, message):
    path = tmp_path / "full_aum_records.csv"
    path.write_text(text)
    with pytest.raises(ExchangeError, match=message):
        read_aum_records(path)


def test_bad_values_are_named(tmp_path):
    path = tmp_path / "aum_values.csv"
    with pytest.raises(FileNotFoundError):
        read_aum(path)
    path.write_text("sample_id,aum\na,1\na,2\n")
    with pytest.raises(ExchangeError, match="sample_id 'a' comes twice"):
        read_aum(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ExchangeError, match="not a CSV table"):
        read_aum(path)
    with pytest.raises(ValueError, match="aum must be finite"):
        write_aum(tmp_path, [1.0, np.nan])
    with pytest.raises(ValueError, match="sample_id must be 2 names"):
        write_aum(tmp_path, [1.0, 2.0], ["a"])
