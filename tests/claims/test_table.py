"""The table in its forms, and from stored results."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from rote.claims import CRITERIA, as_csv, as_html, as_markdown, as_text, claims_table, store
from rote.cli import main
from rote.runs import RunMismatch

from .test_states import LOW, MILD, plain_runs

RESULTS = Path(__file__).parents[2] / "results" / "laptop"


@pytest.fixture
def some(runs):
    runs.benign(augment=MILD)
    plain_runs(runs, LOW["probe_accuracy"])
    runs.layers()
    runs.capacity([], frontier=lambda _: [{"parameters": 10, "samples": 3, "budget_limited": True}])
    return runs


def test_csv_has_every_claim(some):
    rows = list(csv.DictReader(io.StringIO(as_csv(claims_table(some.folders)))))
    assert {int(row["number"]) for row in rows} == {criterion.number for criterion in CRITERIA}
    assert [int(row["number"]) for row in rows] == sorted(int(row["number"]) for row in rows)
    third = next(row for row in rows if row["number"] == "3")
    assert third["state"] == "holds"
    assert third["seeds"] == "5"
    assert third["scale"] == "CIFAR-10, 512 images, convnet, benign-mild, 3,600 steps"
    assert third["criterion"].endswith(">= 5 points")


def test_text_and_markdown_tell_the_states(some):
    lines = claims_table(some.folders)
    text = as_text(lines)
    assert " 3  HOLDS" in text
    assert max(map(len, text.splitlines())) <= 118
    counted = {
        state: int(number) for number, state in (part.split(" ", 1) for part in text.splitlines()[-1].split(", "))
    }
    assert sum(counted.values()) == len(lines)
    table = as_markdown(lines).split("\n\n")[0].splitlines()
    assert len(table) == len(lines) + 2
    assert all(row.count("|") - row.count("\\|") == 8 for row in table)


def test_html_is_escaped(some):
    fragment = as_html(claims_table(some.folders))
    assert "&gt;= 5 points" in fragment
    assert fragment.count("<tr") == len(claims_table(some.folders)) + 1


def test_stored_results_give_the_same_table(some, tmp_path):
    before = as_csv(claims_table(some.folders))
    stored = store(some.folders, tmp_path / "stored")
    assert as_csv(claims_table(stored)) == before
    store(some.folders, tmp_path / "stored")  # again, over what is there
    assert as_csv(claims_table(stored)) == before


def test_stored_results_name_no_machine(some, tmp_path):
    (some.folders[0] / "examples.parquet").write_bytes(b"large")
    stored = store(some.folders, tmp_path / "stored")
    files = [path for folder in stored for path in folder.iterdir()]
    assert {path.suffix for path in files} == {".json", ".csv"}
    for path in files:
        text = path.read_text()
        assert "somebody" not in text
        assert "somewhere" not in text


def test_store_leaves_strangers_alone(some, tmp_path):
    (place,) = store(some.folders[:1], tmp_path / "stored")
    (place / "config.json").unlink()
    with pytest.raises(RunMismatch, match="no run wrote"):
        store(some.folders[:1], tmp_path / "stored")


def test_large_tables_are_not_stored(some, tmp_path):
    (some.folders[0] / "huge.csv").write_text("x" * 300_000)
    with pytest.raises(ValueError, match=r"huge.csv has 300,000 bytes"):
        store(some.folders, tmp_path / "stored")


def test_command(some, tmp_path, capsys):
    assert main(["claims", str(some.root), "--store", str(tmp_path / "stored")]) == 0
    text = capsys.readouterr().out
    assert f"stored: {len(some.folders)} runs" in text
    assert main(["claims", str(tmp_path / "stored"), "--format", "csv", "--out", str(tmp_path / "claims.csv")]) == 0
    assert (tmp_path / "claims.csv").read_text() == (tmp_path / "stored" / "claims.csv").read_text()
    capsys.readouterr()
    assert main(["claims"]) == 2
    assert "rote claims needs at least one run folder" in capsys.readouterr().err


def test_the_stored_laptop_results_give_the_committed_table():
    if not RESULTS.is_dir():
        pytest.skip("results/laptop is not there: the laptop suite has not been stored yet")
    folders = sorted(path.parent for path in RESULTS.glob("*/config.json"))
    assert as_csv(claims_table(folders)) == (RESULTS / "claims.csv").read_text()
    assert as_markdown(claims_table(folders)) == (RESULTS / "claims.md").read_text()
