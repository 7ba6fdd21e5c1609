"""What real runs of easy, trajectories and depth write is what the table of claims and the page read."""

from __future__ import annotations

import pytest

from rote.claims import claims_table
from rote.experiments import depth, easy, trajectories
from rote.experiments.suite import learning
from rote.experiments.suite.planned import SuiteConfig
from rote.report import write_page

SHARED = {"model": "zhang-mlp", "width": 8, "images": 32, "batch_size": 16, "device": "cpu"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    few = {**SHARED, "validation": 20, "out": out}
    return [
        easy(**SHARED, out=out, runs=6, examples=20).dir,
        trajectories(**few, epochs=3).dir,
        depth(**few, depths=(1, 2), norms=("none",), lr=(1e-2,), epochs=4, true_epochs=2).dir,
    ]


def test_claims_read_them(folders):
    lines = [line for line in claims_table(folders) if line.criterion.number in (19, 23, 27, 28, 30) and line.seeds]
    # Depth has a line for equal width and one for equal parameters.
    assert [line.criterion.number for line in lines] == [19, 23, 27, 28, 28, 30]
    assert {(line.covers, line.state, line.seeds) for line in lines} == {("digits", "undecided", 1)}
    assert [line.commands[0].split()[2] for line in lines] == [
        *("easy", "trajectories", "trajectories", "depth", "depth", "trajectories")
    ]


def test_the_page_shows_them(folders, tmp_path):
    page = write_page(folders, tmp_path / "page.html").read_text()
    for anchor in ("easy", "trajectories", "depth"):
        assert f'<section id="{anchor}">' in page
    assert (tmp_path / "figures" / "trajectories-0.4.csv").exists()


def test_the_suite_has_a_run_for_every_claim_and_seed(tmp_path):
    planned = list(learning.runs(SuiteConfig(data="folder", root=tmp_path, seeds=3)))
    for claim in (19, 23, 27, 28, 30):
        for data in ("folder", "digits") if claim == 30 else ("folder",):
            own = [run.config for run in planned if claim in run.claims and run.config.data == data]
            assert sorted(config.seed for config in own) == [0, 1, 2]
    assert len({run.config for run in planned}) == len(planned)
    for config in (run.config for run in planned):
        assert config.images is None or 2000 <= config.images <= 10_000
    assert {run.config.data for run in learning.runs(SuiteConfig())} == {"digits"}
