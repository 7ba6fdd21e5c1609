"""The `rote` command: every subcommand once, and what a user's mistakes look like."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from rote.cli import main
from rote.cli.main import COMMANDS
from rote.cli.options import parse
from rote.cli.report import run_folders
from rote.experiments import BenignConfig, CapacityConfig
from rote.experiments.demo import DemoConfig
from rote.runs import load_run

BENIGN = [
    *("run", "benign", "--images", "64", "--augment", "digits", "--width", "4", "--projector-width", "16"),
    *("--epochs", "2", "--batch-size", "32", "--evaluations", "1"),
]
CAPACITY = ["run", "capacity", "--images", "8", "--views", "1,2", "--epochs", "20", "--lr", "1e-2", "--width", "2"]


def rote(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "rote", *words], capture_output=True, text=True)


def test_nothing_prints_help(capsys):
    assert main([]) == 0
    text = capsys.readouterr().out
    assert all(command in text for command in COMMANDS)
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == text


def test_python_dash_m():
    done = rote("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("rote ")


def test_help_does_not_load_the_experiments():
    program = "import sys; from rote.cli import main; main([]); assert 'rote.experiments' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize("command", [[name] for name in COMMANDS] + [["run", "benign"], ["run", "capacity"]])
def test_every_command_has_help(command, capsys):
    try:
        status = main([*command, "--help"])
    except SystemExit as ended:
        status = ended.code
    assert not status
    assert "usage" in capsys.readouterr().out.lower()


def test_info(capsys):
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    assert "torch" in text
    assert "instruction set used" in text
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert set(facts) == {"versions", "native core", "devices"}


def test_run_benign_then_from_run(tmp_path, capsys):
    assert main([*BENIGN, "--out", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    (folder,) = tmp_path.iterdir()
    assert "verdict: " in captured.out
    assert f"run folder: {folder}" in captured.out
    assert str(folder) in captured.err  # where it writes is said before it starts
    assert (folder / "report.html").exists()
    # The same options from the folder, one of them changed.
    assert main(["run", "benign", "--from-run", str(folder), "--lr", "2e-3", "--out", str(tmp_path)]) == 0
    first, second = (load_run(path).config for path in sorted(tmp_path.iterdir(), key=lambda p: p != folder))
    assert {key for key in first if first[key] != second[key]} == {"lr"}
    # Nothing changed: the same run, at once.
    page = (folder / "report.html").stat().st_mtime_ns
    assert main(["run", "benign", f"--from-run={folder}", "--out", str(tmp_path)]) == 0
    assert len(list(tmp_path.iterdir())) == 2
    assert (folder / "report.html").stat().st_mtime_ns == page


def test_run_capacity_and_report(tmp_path, capsys):
    assert main([*CAPACITY, "--projector-width", "8", "--out", str(tmp_path)]) == 0
    assert "bits per parameter" in capsys.readouterr().out
    assert main(["report", str(tmp_path), "--out", str(tmp_path / "page.html")]) == 0
    assert "<html" in (tmp_path / "page.html").read_text()[:2000].lower()
    more = ["--formats", "pdf,tex", "--claims"]
    assert main(["report", str(tmp_path), "--out", str(tmp_path / "more" / "page.html"), *more]) == 0
    assert {path.suffix for path in (tmp_path / "more" / "figures").iterdir()} == {".pdf", ".tex"}
    assert 'id="claims"' in (tmp_path / "more" / "page.html").read_text()


def test_data(capsys):
    assert main(["data", "describe", "digits"]) == 0
    assert "1437 train, 360 test" in capsys.readouterr().out


def test_lists_take_commas_and_spaces():
    for words in (["--views", "1,2,5"], ["--views", "1", "2", "5"], ["--views", "1,", "2", ",5"]):
        options = parse(CapacityConfig, words, prog="rote", description="")
        assert options.views == (1, 2, 5)
    assert parse(CapacityConfig, ["--label-modes", "random"], prog="", description="").label_modes == ("random",)
    options = parse(BenignConfig, ["--keep-checkpoints", "0,1,10"], prog="", description="")
    assert options.keep_checkpoints == (0, 1, 10)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dmeo"], "did you mean 'demo'"),
        (["run", "malign"], "no experiment 'malign'"),
        (["run", "benign", "--images", "0"], "--images must be at least 1"),
        (["run", "benign", "--images", "9999"], "--images must be at most 1437"),
        (["run", "benign", "--augment", "blur"], "one of none, flip-crop"),
        (["run", "benign", "--data", "folder"], "root"),
        (["run", "benign", "--data", "folder", "--root", "/nowhere"], "/nowhere"),
        (["run", "benign", "--from-run", "/nowhere"], "/nowhere"),
        (["run", "benign", "--from-run"], "--from-run needs"),
        (["run", "capacity", "--schedule", "cosine"], "--schedule must be constant"),
        (["report"], "at least one run folder"),
        (["report", "/nowhere"], "/nowhere is not a run folder"),
    ],
)
def test_mistakes_are_one_line_and_status_2(words, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("rote: error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["run", "benign", "--imges", "5"],
        ["run", "benign", "--images", "many"],
        ["run", "benign", "--loss", "l3"],
        ["run", "capacity", "--views", "1,x"],
        ["run", "capacity", "--label-modes", "shared"],
    ],
)
def test_unknown_options_end_with_status_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_divergence_is_one_line(tmp_path, capsys):
    assert main([*BENIGN, "--loss", "ce", "--lr", "1e30", "--out", str(tmp_path)]) == 2
    assert "lower lr" in capsys.readouterr().err.splitlines()[-1]


def test_a_bug_keeps_its_traceback(monkeypatch):
    def broken(words):
        raise AttributeError("a bug of ours")

    monkeypatch.setattr("rote.cli.info.run", broken)
    with pytest.raises(AttributeError):
        main(["info"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_folder_that_cannot_be_written(tmp_path, capsys):
    tmp_path.chmod(0o555)
    assert main([*BENIGN, "--out", str(tmp_path / "runs")]) == 2
    assert "Permission denied" in capsys.readouterr().err


def test_out_that_is_a_file(tmp_path, capsys):
    (tmp_path / "runs").write_text("")
    assert main([*BENIGN, "--out", str(tmp_path / "runs")]) == 2
    assert "runs" in capsys.readouterr().err


def test_a_page_that_is_a_folder_is_named(tmp_path, capsys):
    assert main(["claims", "results/laptop", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"rote: error: {tmp_path}: Is a directory\n"


def test_full_disk_is_one_line(tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", str(tmp_path / "summary.json"))

    monkeypatch.setattr("rote.runs.whole_files.write_json", full)
    assert main([*BENIGN, "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("summary.json: No space left on device")


def test_report_finds_runs_inside_folders(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    assert run_folders([tmp_path, tmp_path / "a"]) == [tmp_path / "a", tmp_path / "b"]


def test_demo_compares_conditions_at_equal_steps():
    *conditions, last = DemoConfig(seed=3).grid()
    assert [(run.labels, run.augment) for run in conditions] == [
        (labels, augment) for augment in ("digits", "none") for labels in ("random", "true", "fresh")
    ]
    differing = {
        field for run in conditions for field, value in run.as_dict().items() if value != conditions[0].as_dict()[field]
    }
    assert differing == {"labels", "augment", "name"}
    assert isinstance(last, CapacityConfig)
    assert {run.seed for run in (*conditions, last)} == {3}
    assert len({run.name for run in (*conditions, last)}) == 7


def test_demo(tmp_path, capsys, monkeypatch):
    short = {"epochs": 2, "images": 64, "width": 4, "evaluations": 1}
    monkeypatch.setattr("rote.experiments.demo.CONDITION", short)
    monkeypatch.setattr("rote.experiments.demo.CAPACITY", {"images": 8, "views": (1, 2), "epochs": 20, "lr": (1e-2,)})
    assert main(["demo", "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert text.count("verdict: ") == 2  # random labels, with and without augmentation
    assert text.count("control: ") == 4
    assert f"page: {tmp_path / 'report.html'}" in text
    assert "<html" in (tmp_path / "report.html").read_text()[:2000].lower()
    assert main(["demo", "--out", str(tmp_path)]) == 0  # all there: nothing is trained again
    assert "writing" not in capsys.readouterr().err
