"""`rote scores`: the dispatcher, label errors of arrays of any kind, and the page of a run."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from PIL import Image

import rote
from rote.cli import main
from rote.metrics import knn_disagreement
from rote.metrics.exchange import ExampleDynamics, write_aum, write_cartography

COUNT = 90


@pytest.fixture
def arrays():
    """(embeddings, labels, true, probabilities): three classes, every ninth label wrong."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, COUNT)
    labels = np.where(np.arange(COUNT) % 9 == 4, (true + 1) % 3, true)
    x = np.eye(3, 6)[true] * 5 + rng.normal(size=(COUNT, 6))
    p = np.full((COUNT, 3), 0.1)
    p[np.arange(COUNT), true] = 0.8
    return x, labels, true, p


@pytest.fixture
def files(tmp_path, arrays):
    for name, array in zip(("x", "y", "t", "p"), arrays, strict=True):
        np.save(tmp_path / f"{name}.npy", array)
    return tmp_path


def label_errors(files, *words, out="found"):
    given = ["--embeddings", str(files / "x.npy"), "--labels", str(files / "y.npy"), "--k", "5"]
    return main(["scores", "label-errors", *given, *words, "--out", str(files / out)])


def read(files, out="found"):
    with open(files / out / "label_errors.csv", newline="") as file:
        return list(csv.DictReader(file)), json.loads((files / out / "summary.json").read_text())


def test_the_dispatcher(capsys):
    assert main(["scores"]) == 2
    assert main(["scores", "--help"]) == 0
    text = capsys.readouterr().out
    assert all(kind in text for kind in ("memorization", "label-errors", "page"))
    assert main(["scores", "difficulty"]) == 2
    assert "no scores 'difficulty'" in capsys.readouterr().err


def test_embeddings_and_labels_alone(files, arrays, capsys):
    assert label_errors(files, "--true-labels", str(files / "t.npy")) == 0
    rows, summary = read(files)
    x, labels, true, _ = arrays
    votes = knn_disagreement(x, labels, 5)
    assert [int(row["rank"]) for row in rows] == list(range(1, COUNT + 1))
    at = [int(row["row"]) for row in rows]
    assert sorted(at) == list(range(COUNT))
    np.testing.assert_allclose([float(row["knn_disagreement"]) for row in rows], votes.score[at])
    wrong = labels != true
    assert set(at[:10]) == set(np.flatnonzero(wrong))
    assert [row["is_corrupted"] == "True" for row in rows] == wrong[at].tolist()
    assert summary["suspected"] == int(((votes.share > 0.5) & (votes.suggested != torch.tensor(labels))).sum())
    assert summary["precision_knn_disagreement"] == summary["average_precision_suspicion"] == 1.0
    assert sum(row["examples"] for row in summary["by_label"]) == COUNT
    table = pyarrow.parquet.ParquetFile(files / "found" / "label_errors.parquet").read()
    assert table["row"].to_pylist() == at
    page = (files / "found" / "suspects.html").read_text()
    assert [int(row) for row in re.findall(r"data-row='(\d+)'", page)] == at[:90]
    assert "<img" not in page
    assert (files / "found" / "examples.html").exists()
    assert "10 are wrong, found at that number: 100.0 %" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["npz", "list", "columns"])
def test_other_files_of_arrays(files, arrays, kind):
    x, labels, _, _ = arrays
    assert label_errors(files) == 0
    if kind == "npz":
        np.savez(files / "both.npz", embeddings=x, labels=labels)
        given = {"embeddings": "both.npz", "labels": "both.npz"}
    else:
        columns = {"embedding": x.tolist()} if kind == "list" else {f"x{i}": x[:, i] for i in range(6)}
        pyarrow.parquet.write_table(pyarrow.table({**columns, "label": labels}), files / "both.parquet")
        given = {"embeddings": "both.parquet", "labels": "both.parquet"}
    words = [word for name, path in given.items() for word in (f"--{name}", str(files / path))]
    assert main(["scores", "label-errors", *words, "--k", "5", "--out", str(files / "other")]) == 0
    assert read(files)[0] == read(files, "other")[0]


def test_all_evidence_and_pictures(files, arrays):
    _, labels, true, _ = arrays
    rng = np.random.default_rng(1)
    logits = np.eye(3)[true] * 3 + rng.normal(size=(4, COUNT, 3))
    write_cartography(files / "training", logits, labels)
    pictures = files / "pictures"
    for i in range(COUNT):
        folder = pictures / f"{i // 50}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((6, 8, 3), i, dtype=np.uint8)).save(folder / f"{i:03d}.png")
    words = ["--probabilities", str(files / "p.npy"), "--dynamics", str(files / "training"), "--images", str(pictures)]
    assert label_errors(files, *words, "--show", "7", "--neighbours", "3") == 0
    rows, summary = read(files)
    assert summary["dynamics"] == "cartography"
    looks = ExampleDynamics.of_logits(logits, labels)
    at = [int(row["row"]) for row in rows]
    np.testing.assert_allclose([float(row["aum"]) for row in rows], looks.aum()[at])
    np.testing.assert_allclose([float(row["confidence"]) for row in rows], looks.cartography()["confidence"][at])
    assert {float(row["self_confidence"]) for row in rows} == {0.8, 0.1}
    assert "forgetting_events" in rows[0]
    page = (files / "found" / "suspects.html").read_text()
    assert page.count("<article") == 7
    assert page.count("<img") == 7 * 4
    explorer = (files / "found" / "examples.html").read_text()
    data = json.loads(re.search(r"id='data'>(.*?)</script>", explorer, flags=re.S)[1])
    assert data["n"] == COUNT
    assert set(data["trajectories"]) == {"loss", "margin"}
    assert data["pictures"]["width"] == 64


def test_byte_order_does_not_matter_and_rows_without_neighbours_are_told(files, capsys):
    x = np.load(files / "x.npy")
    x[3, 1] = np.nan
    np.save(files / "x.npy", x.astype(">f8"))
    assert label_errors(files) == 0
    assert "1 have no neighbour" in capsys.readouterr().out
    rows, summary = read(files)
    assert summary["without_neighbours"] == 1
    assert rows[-1]["row"] == "3"


def test_ids_name_pictures_and_dynamics(files, arrays):
    rng = np.random.default_rng(2)
    ids = rng.permutation(400)[:COUNT]
    np.save(files / "ids.npy", ids)
    aum = np.arange(400.0)
    write_aum(files / "aum.csv", aum)
    words = ["--ids", str(files / "ids.npy"), "--dynamics", str(files / "aum.csv"), "--images", "digits"]
    assert label_errors(files, *words, "--ranked-by", "aum", "--page-examples", "20") == 0
    rows, _ = read(files)
    assert [float(row["aum"]) for row in rows] == sorted(aum[ids])
    assert [int(row["id"]) for row in rows] == sorted(ids)
    explorer = (files / "found" / "examples.html").read_text()
    data = json.loads(re.search(r"id='data'>(.*?)</script>", explorer, flags=re.S)[1])
    assert data["n"] == 20
    assert data["classes"] == list(rote.data.load("digits").classes)
    assert "20 most suspicious" in explorer


BAD = [
    (["--k", "90"], "--k: wanted at most 89"),
    (["--probabilities", "x.npy"], "every row must add up to 1"),
    (["--images", "nowhere"], "--images: nowhere is no file, no folder and none of the data sets"),
    (["--images", "digits"], "--images: wanted 90 pictures, one an example, got 1437"),
    (["--ids", "x.npy"], r"x.npy: wanted ids \[N\], got shape"),
    (["--dynamics", "y.npy"], "wanted a data map"),
    (["--dynamics", "."], "no training dynamics"),
    (["--ranked-by", "aum"], "needs evidence that was not given"),
    (["--labels", "x.npy"], r"x.npy: wanted labels \[N\], got shape"),
    (["--labels", "p1.npy"], r"p1.npy: wanted int \[90\]"),
    (["--embeddings", "text.npy"], "text.npy: wanted a .npy or .npz file of plain arrays"),
    (["--embeddings", "none.npy"], "none.npy: No such file"),
    (["--embeddings", "two.npz"], "two.npz: wanted an array called embeddings or features"),
    (["--embeddings", "none.parquet"], "none.parquet: 1 rows of embeddings are null"),
    (["--embeddings", "long.npy"], r"long.npy: wanted float16, 32 or 64 \[N, d\]"),
    (["--labels", "below.npy"], "below.npy: wanted numbers from 0 to"),
    (["--images", "text.npy"], "text.npy: wanted uint8 .*cannot be read"),
    (["--images", "rgba.npy"], r"rgba.npy: wanted uint8 .*got uint8 \[90, 4, 4, 4\]"),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_mistakes_are_one_line(files, monkeypatch, capsys, words, message):
    (files / "text.npy").write_text("no array")
    np.save(files / "p1.npy", np.load(files / "p.npy")[:, 0])
    np.savez(files / "two.npz", a=np.zeros(2), b=np.zeros(2))
    np.save(files / "long.npy", np.load(files / "x.npy").astype(np.longdouble))
    np.save(files / "below.npy", np.load(files / "y.npy") - 1)
    np.save(files / "rgba.npy", np.zeros((COUNT, 4, 4, 4), dtype=np.uint8))
    lists = pyarrow.array([None, *np.load(files / "x.npy")[1:].tolist()])
    pyarrow.parquet.write_table(pyarrow.table({"embeddings": lists}), files / "none.parquet")
    monkeypatch.chdir(files)
    assert label_errors(files, *words) == 2
    text = capsys.readouterr().err
    assert re.search(message, text), text
    assert text.count("\n") == 1
    assert not (files / "found").exists()


def test_the_page_of_a_run(tmp_path, capsys):
    words = ["--images", "48", "--augment", "none", "--width", "4", "--projector-width", "16", "--epochs", "2"]
    words += ["--batch-size", "16", "--evaluations", "1", "--out", str(tmp_path), "--name", "run"]
    assert main(["run", "benign", *words]) == 0
    assert main(["scores", "page", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "examples.html").read_text()
    data = json.loads(re.search(r"id='data'>(.*?)</script>", page, flags=re.S)[1])
    run = rote.load_run(tmp_path / "run")
    columns = {column["name"]: column for column in data["columns"]}
    assert columns["id"]["values"] == run.examples["id"].tolist()
    assert columns["label_used"]["kind"] == "label"
    assert columns["label_redrawn"]["kind"] == "flag"
    assert columns["is_corrupted"]["values"] == run.examples["is_corrupted"].astype(int).tolist()
    assert data["pictures"]["width"] == 16
    assert (
        main(
            ["scores", "page", str(tmp_path / "run"), "--most", "5", "--no-images", "--out", str(tmp_path / "few.html")]
        )
        == 0
    )
    few = (tmp_path / "few.html").read_text()
    assert json.loads(re.search(r"id='data'>(.*?)</script>", few, flags=re.S)[1])["n"] == 5
    capsys.readouterr()
    assert main(["scores", "page", str(tmp_path / "nothing")]) == 2
    assert "No such folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["scores", "page", str(tmp_path / "empty")]) == 2
    assert "no examples.parquet and no dynamics" in capsys.readouterr().err
    (tmp_path / "run" / "examples.parquet").write_bytes(b"PAR1 and no more")
    assert main(["scores", "page", str(tmp_path / "run")]) == 2
    assert "examples.parquet: not a Parquet table" in capsys.readouterr().err


def test_the_page_of_a_recorders_folder(tmp_path):
    logits = torch.randn(3, 20, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(20) % 4
    recorder = rote.metrics.Recorder(20, folder=tmp_path)
    for epoch in logits:
        recorder.update(torch.arange(20), epoch, labels)
        recorder.end_epoch()
    assert main(["scores", "page", str(tmp_path)]) == 0
    page = (tmp_path / "examples.html").read_text()
    data = json.loads(re.search(r"id='data'>(.*?)</script>", page, flags=re.S)[1])
    columns = {column["name"]: column for column in data["columns"]}
    np.testing.assert_allclose(columns["aum"]["values"], recorder.scores()["aum"], rtol=1e-4)
    assert set(data["trajectories"]) == {"loss", "margin", "p_true"}
    assert data["trajectories"]["loss"]["epochs"] == [1, 2, 3]
    assert data["pictures"] is None


def test_dynamics_of_a_recorder_and_its_looks(files, arrays):
    _, labels, true, _ = arrays
    recorder = rote.metrics.Recorder(COUNT, folder=files / "run")
    for seed in range(3):
        noise = torch.randn(COUNT, 3, generator=torch.Generator().manual_seed(seed))
        logits = torch.nn.functional.one_hot(torch.tensor(true), 3) * 3 + noise
        recorder.update(torch.arange(COUNT), logits, torch.tensor(labels))
        recorder.end_epoch()
    assert label_errors(files, "--dynamics", str(files / "run")) == 0
    rows, summary = read(files)
    assert summary["dynamics"] == "recorder"
    at = [int(row["row"]) for row in rows]
    np.testing.assert_allclose([float(row["aum"]) for row in rows], recorder.scores()["aum"][at], rtol=1e-4)
