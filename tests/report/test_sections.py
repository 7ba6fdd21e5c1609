"""The page over every experiment: its sections, what they say, and which runs they leave to others."""

from __future__ import annotations

import json
import re

import pytest

from rote.report import RunFolderError, write_page

from . import synthetic, synthetic_series, synthetic_sizes, synthetic_tables
from .test_page import Page

SECTIONS = ["answer", "done", "curves", "controls", "layers", "location", "invariance", "pool", "diversity", "capacity"]
SECTIONS += ["robustness", "transfer", "size", "noise", "regularize", "memorization", "easy", "trajectories", "depth"]
SECTIONS += ["sensitivity", "csr", "claims", "runs", "provenance", "words", "sources"]


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    root = tmp_path_factory.mktemp("everything")
    folders = synthetic_series.everything(root / "runs")
    formats = ("svg", "pdf", "csv", "tex")
    path = write_page(folders, root / "report.html", formats=formats, claims=synthetic_series.CLAIMS)
    return Page(path), path, folders


def test_sections_follow_the_argument(everything):
    page, _, _ = everything
    assert page.sections() == SECTIONS
    assert "Not on this page" not in page.text
    assert "Further sections" not in page.text
    assert len(page.ids) == len(set(page.ids))
    for target in (value for tag, name, value in page.attributes if tag == "a" and name == "href"):
        assert target[1:] in page.ids
    assert not {"script", "link", "iframe"} & set(page.tags)


def test_every_figure_is_there_in_every_format(everything):
    _, path, _ = everything
    files = {file.name for file in (path.parent / "figures").iterdir()}
    stems = {name.rsplit(".", 1)[0] for name in files}
    assert {name for stem in stems for name in (f"{stem}.svg", f"{stem}.pdf")} <= files
    assert {f"{stem}.{kind}" for stem in stems - {"views"} for kind in ("csv", "tex")} <= files
    wanted = {"layers-with-augmentation", "layers-with-augmentation-linear", "invariance-with-augmentation"}
    wanted |= {"retrieval-without-augmentation-by-operation", "probe-against-views", "tradeoff", "diversity", "matched"}
    wanted |= {"ideal", "capacity", "bits-per-parameter", "capacity-against-parameters", "capacity-against-width"}
    wanted |= {"frontier", "robustness", "transfer-true", "transfer-random", "alignment", "size"}
    wanted |= {"noise-curves", "fitting-order", "corruption-time", "corruption-error", "regularizers"}
    wanted |= {"memorization", "halves", "influence"}
    wanted |= {"first-layer-filters", "sorted-losses-0", "sorted-losses-0.4", "sorted-losses-1"}
    wanted |= {"easy", "easy-sorted-by-itself", "trajectories-0.4", "fitting", "depth-memorizing", "depth-generalizing"}
    wanted |= {f"location-{noise}-{key}" for noise in (10, 100) for key in ("rewinding", "neurons", "latent", "tied")}
    wanted |= {"convergence-width", "convergence-images", "noise-capacity-inputs", "noise-capacity-labels"}
    wanted |= {"regularizer-trade-off", "regularizer-loss-random", "regularizer-loss-true"}
    assert wanted <= stems


def test_series_of_runs_stay_out_of_the_main_sections(everything):
    page, _, _ = everything
    answer = page.source[page.source.index('<section id="answer">') : page.source.index('<section id="done">')]
    assert answer.count("<article") == 2
    assert "12 cells" in page.text
    assert "Probe with 1 view an image" in page.text
    assert re.search(r"The \d+ runs of benign memorization", page.text)  # many: folded, with their dials as columns
    assert all(f">{name}</th>" in page.source for name in ("views", "loss", "norm", "label classes"))


def test_claims_are_shown_as_they_are(everything):
    page, _, _ = everything
    section = page.source[page.source.index('<section id="claims">') : page.source.index('<section id="runs">')]
    assert re.findall(r'class="badge (\w+)">([^<]+)<', section) == [
        ("good", "holds"),
        ("bad", "fails"),
        ("open", "not run: data"),
    ]
    assert "Holds: 1, fails: 1, not run: 1." in page.text
    assert re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', section) == ["#", "claim", "state", "measured"]
    assert "3 seeds" in section
    assert section.count("how it is run") == 2


def test_claims_of_other_columns_are_shown_as_text(tmp_path):
    rows = [{"claim": "a < b & <script>", "odd column": 3}, {"claim": "c", "state": "holds"}]
    page = Page(write_page([synthetic.benign(tmp_path)], tmp_path / "page.html", claims=rows))
    assert "a < b & <script>" in page.text
    assert "odd column" in page.text
    assert "script" not in page.tags


def test_findings_are_numbers_of_the_tables(everything):
    page, _, folders = everything
    tables = [folder for folder in folders if folder.name.startswith("ideal")]
    gains = []
    for folder in tables:
        lines = (folder / "ideal.csv").read_text().splitlines()
        header = lines[0].split(",")
        probe = {line.split(",")[0]: float(line.split(",")[header.index("probe_accuracy")]) for line in lines[1:]}
        gains.append(probe["same-class"] - probe["recipe"])
    mean = 100 * sum(gains) / len(gains)
    assert f"Other images of the class against views of the image: {mean:+.1f} points" in page.text


def test_page_without_further_experiments_names_them(tmp_path):
    page = Page(write_page([synthetic.benign(tmp_path)], tmp_path / "page.html"))
    assert "Further sections appear where their runs are given: a location run; an invariance run;" in page.text


def test_layers_of_a_benign_run_give_way_to_those_of_a_layers_run(tmp_path):
    folders = [synthetic.benign(tmp_path), synthetic_tables.layers(tmp_path)]
    page = Page(write_page(folders, tmp_path / "page.html"))
    section = page.source[page.source.index('<section id="layers">') : page.source.index('<section id="runs">')]
    assert section.count("<figure>") == 2  # k-NN and linear, both of the layers run
    assert "Labels used, asked of other training images" in page.text


def test_unfinished_experiments_have_no_section(tmp_path):
    folder = synthetic_tables.layers(tmp_path)
    for name in ("layers.csv", "summary.json"):
        (folder / name).unlink()
    page = Page(write_page([folder], tmp_path / "page.html"))
    assert "layers" not in page.sections()
    assert f"Not finished: {folder.name}" in page.text


def test_frontier_in_a_summary_alone(tmp_path):
    folder = synthetic_sizes.sizes(tmp_path)
    rows = [{"parameters": n, "samples": n // 3, "budget_limited": False} for n in (1000, 2000, 4000)]
    (folder / "frontier.csv").unlink()
    path = folder / "summary.json"
    synthetic.write_json(path, {**json.loads(path.read_text()), "frontier": rows})
    page = Page(write_page([folder], tmp_path / "page.html"))
    assert "Doubling the parameters multiplies what fits by 2.00" in page.text


def test_broken_tables_are_named_and_formats_checked_first(tmp_path):
    folder = synthetic_tables.layers(tmp_path)
    with pytest.raises(ValueError, match="formats must be out of svg, pdf, png, csv, tex; got gif"):
        write_page([folder], tmp_path / "page.html", formats=["gif"])
    (folder / "layers.csv").write_text("a,b\n1\n")
    with pytest.raises(RunFolderError, match=r"layers\.csv, row 2"):
        write_page([folder], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
