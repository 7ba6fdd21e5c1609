"""The page: what it says, that it says nothing else, and that it stands alone."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rote.report import write_page

from . import synthetic, synthetic_tables

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """A parsed page: text, elements by id, attributes, and whether every tag is closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(self.source)
        self.close()
        assert self.open == []
        self.text = re.sub(r"\s+", " ", " ".join(self.words).replace("\u00a0", " "))
        self.ids = [value for _, name, value in self.attributes if name == "id"]

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attributes]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    def sections(self) -> list[str]:
        return [value for tag, name, value in self.attributes if tag == "section" and name == "id"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, Path, list[Path]]:
    root = tmp_path_factory.mktemp("demo")
    folders = synthetic.demo(root / "runs")
    path = write_page(folders, root / "report.html")
    return Page(path), path, folders


def test_demo_has_every_section_in_order(demo):
    page, _, _ = demo
    expected = ["answer", "done", "curves", "controls", "layers", "capacity", "runs", "provenance", "words", "sources"]
    assert page.sections() == expected
    assert "Not on this page" not in page.text
    for target in (value for tag, name, value in page.attributes if tag == "a" and name == "href"):
        assert target.startswith("#")
        assert target[1:] in page.ids


def test_page_stands_alone(demo):
    page, _, _ = demo
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(page.tags)
    for _, name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("src", "href", "xlink:href", "srcset", "poster"):
            assert value.startswith(("#", "data:image/png;base64,")), value
    assert "@import" not in page.source
    assert re.findall(r"url\((?!#)[^)]*\)", page.source) == []


def test_ids_are_unique_and_references_resolve(demo):
    page, _, _ = demo
    assert len(page.ids) == len(set(page.ids))
    used = re.findall(r"url\(#([^)]+)\)", page.source) + re.findall(r'xlink:href="#([^"]+)"', page.source)
    assert used
    assert set(used) <= set(page.ids)


def test_numbers_are_those_of_the_summaries(demo):
    page, _, folders = demo
    for folder in folders:
        summary = json.loads((folder / "summary.json").read_text())
        for name, value in summary.items():
            if name.startswith(("train_accuracy", "probe_accuracy")):
                assert f"{100 * value:.1f} %" in page.text, (folder.name, name)
        for row in summary.get("rows", ()):
            assert f"{100 * row['accuracy_pool']:.1f} %" in page.text
            assert f"{row['bits_fano']:,.0f}" in page.text
            assert f"{row['bits_per_parameter']:.3g}" in page.text
        if "probe_gain" in summary:
            low, high = summary["probe_gain_interval"]
            ends = [f"{100 * end:+.1f}".replace("-", "\u2212") for end in (low, high)]
            assert " to ".join(ends) in page.text
            assert f"{100 * summary['probe_gain']:+.1f}".replace("-", "\u2212") in page.text
            assert folder.name in page.text


def test_headline_and_badges_follow_the_verdicts(demo, tmp_path):
    page, _, folders = demo
    assert "Random labels, learnt by heart, and useful features nevertheless" in page.text
    assert re.findall(r"<span class=\"badge (\w+)\">([\w ]+)</span>", page.source)[:2] == [
        ("good", "benign"),
        ("bad", "malign"),
    ]
    summary = folders[0] / "summary.json"
    kept = summary.read_text()
    try:
        summary.write_text(json.dumps({**json.loads(kept), "verdict": "undecided"}))
        other = Page(write_page(folders, tmp_path / "other.html"))
    finally:
        summary.write_text(kept)
    assert "nevertheless" not in other.text
    assert "undecided with augmentation, malign without" in other.text


def test_words_a_newcomer_needs_are_explained(demo):
    page, _, _ = demo
    for term in ("memorized", "probe", "benign / malign", "encoder, projector", "fresh labels", "bits", "pool, B"):
        assert term in page.text
    assert "arXiv 2210.14019" in page.text
    assert "arXiv 1706.05394" in page.text
    assert page.source.count("How to read it") == 5


def test_provenance(demo):
    page, _, _ = demo
    assert "rote run benign --data digits --labels random --augment digits --seed 0" in page.text
    assert "/opt/bin" not in page.text
    assert "Example CPU 9000" in page.text
    assert "torch 2.13.0" in page.text
    assert "2026-01-02T03:04:05Z" in page.text


def test_raw_pixel_line_is_in_every_probe_figure(demo):
    _, path, _ = demo
    for figure in (path.parent / "figures").glob("*.svg"):
        if figure.stem.startswith(("curves", "controls", "probe", "layers")):
            assert "raw pixels" in figure.read_text(), figure.name


def test_figure_files(demo):
    _, path, _ = demo
    expected = {
        "views",
        "curves-with-augmentation",
        "curves-without-augmentation",
        "controls",
        "probe-along-training",
        "layers-with-augmentation",
        "layers-without-augmentation",
        "capacity",
        "bits-per-parameter",
    }
    files = {file.name for file in (path.parent / "figures").iterdir()}
    numbers = {f"{name}.csv" for name in expected - {"views"}}
    assert files == {f"{name}.{kind}" for name in expected for kind in ("svg", "png")} | numbers
    for name in expected:
        svg = path.parent / "figures" / f"{name}.svg"
        assert ElementTree.parse(svg).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        assert (svg.with_suffix(".png")).read_bytes().startswith(b"\x89PNG")


def test_same_runs_make_the_same_page(demo, tmp_path):
    _, path, folders = demo
    assert write_page(folders, tmp_path / "again.html").read_bytes() == path.read_bytes()
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_hostile_strings_are_text(tmp_path):
    attack = "<script>alert('x')</script><img src=x onerror=\"alert(1)\">&amp;"
    folder = synthetic.benign(tmp_path, data=attack, model=attack)
    config = json.loads((folder / "config.json").read_text())
    config["command"] = ["rote", attack]
    config["versions"][attack] = attack
    synthetic.write_json(folder / "config.json", config)
    summary = json.loads((folder / "summary.json").read_text())
    synthetic.write_json(folder / "summary.json", {**summary, "verdict": attack, "augment": attack})
    page = Page(write_page([folder], tmp_path / "page.html", title=attack))
    assert "script" not in page.tags
    assert not any(name.startswith("on") for _, name, _ in page.attributes)
    assert all(value.startswith("data:") for tag, name, value in page.attributes if (tag, name) == ("img", "src"))
    assert attack in page.text


def test_hostile_names_in_figures(tmp_path):
    notes = ("<b>&$x^2$", "$\\frac{")
    folders = [synthetic.benign(tmp_path / str(i), note=note) for i, note in enumerate(notes)]
    folders.append(synthetic.benign(tmp_path, augment="none", note=notes[0]))
    page = Page(write_page(folders, tmp_path / "page.html"))
    assert page.source.count("<b>") == page.source.count("<div class='tag'><b>")
    for figure in (tmp_path / "figures").glob("*.svg"):
        ElementTree.parse(figure)
    controls = (tmp_path / "figures" / "controls.svg").read_text()
    assert "(note=&lt;b&gt;&amp;$x…" in controls
    assert "(note=$\\frac…" in controls


def test_single_run_says_what_is_missing(tmp_path):
    page = Page(write_page([synthetic.benign(tmp_path)], tmp_path / "page.html"))
    assert page.sections() == ["answer", "done", "curves", "layers", "runs", "provenance", "words", "sources"]
    assert "Memorization was benign" in page.text
    missing = page.text[page.text.index("Not on this page") :]
    assert "without augmentation, to compare with" in missing
    assert "a capacity run" in missing
    assert "the probe by layer" not in missing


def test_capacity_alone(tmp_path):
    page = Page(write_page([synthetic.capacity(tmp_path)], tmp_path / "page.html"))
    assert page.sections() == ["capacity", "provenance", "words", "sources"]
    assert "pools up to B = 8 were fitted to 99 %; at B = 64 it is 33.4 %, budget-limited." in page.text
    assert "at most 0.706 bits, at B = 16" in page.text
    assert "<h1>How much fits by heart</h1><p class='question'>With a label of its own for every view" in page.source
    assert "Not on this page" not in page.text


def test_a_control_alone_claims_nothing_about_memorization(tmp_path):
    page = Page(write_page([synthetic.benign(tmp_path, "true", "none")], tmp_path / "page.html"))
    assert "answer" not in page.sections()
    assert "with their true labels" in page.text
    assert "drawn by lot. Nothing" not in page.text


def test_seeds_become_a_mean_with_its_interval(tmp_path):
    folders = [synthetic.benign(tmp_path, seed=seed) for seed in range(3)]
    values = [json.loads((f / "summary.json").read_text())["probe_accuracy"] for f in folders]
    mean = sum(values) / 3
    deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / 2)
    half = 4.302652729911275 * deviation / math.sqrt(3)  # 97.5 % quantile of t with 2 degrees of freedom
    page = Page(write_page(folders, tmp_path / "page.html"))
    assert f"{100 * mean:.1f} ± {100 * half:.1f} %" in page.text
    assert "3 seeds. 95 % interval of the gain between seeds" in page.text


def test_unequal_steps_are_warned_about(tmp_path):
    folders = [synthetic.benign(tmp_path, augment=name) for name in ("digits", "none")]
    path = folders[1] / "summary.json"
    synthetic.write_json(path, {**json.loads(path.read_text()), "steps": 1800})
    page = Page(write_page(folders, tmp_path / "page.html"))
    assert "different numbers of update steps" in page.text
    assert "without augmentation: 1,800" in page.text


def test_two_data_sets_are_not_compared(tmp_path):
    folders = [synthetic.benign(tmp_path / name, data=name) for name in ("digits", "cifar10")]
    page = Page(write_page(folders, tmp_path / "page.html"))
    assert "controls" not in page.sections()
    assert "The same was done on: CIFAR-10, convnet, 512 images." in page.text
    assert page.source.count("<span>CIFAR-10, convnet, 512 images</span>") == 2  # curves and layers


def test_other_experiments_have_their_numbers_listed(tmp_path):
    folder = tmp_path / "attribution-1"
    folder.mkdir()
    synthetic.write_json(folder / "config.json", {"experiment": "attribution", "config": {"p": 0.4}})
    synthetic.write_json(folder / "summary.json", {"test_accuracy": 0.4375})
    page = Page(write_page([folder], tmp_path / "page.html"))
    assert "test_accuracy 0.4375" in page.text


def test_a_page_without_the_main_experiment_opens_with_what_was_found(tmp_path):
    folders = [synthetic.capacity(tmp_path), synthetic_tables.diversity(tmp_path)]
    page = Page(write_page(folders, tmp_path / "page.html"))
    top = page.source[page.source.index("<h1>") : page.source.index("<nav")]
    assert "<a href='#diversity'>How strong</a>: Best probe at strength" in top
    assert "<a href='#capacity'>How much fits by heart</a>: With a label of its own" in top
