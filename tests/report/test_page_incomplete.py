"""The page over runs that are unfinished, bare or broken."""

from __future__ import annotations

import re

import pytest

from rote.report import RunFolderError, write_page

from . import synthetic
from .test_page import Page


def test_unfinished_run_is_shown_as_such(tmp_path):
    folder = synthetic.benign(tmp_path)
    (folder / "summary.json").unlink()
    page = Page(write_page([folder], tmp_path / "page.html"))
    assert f"Not finished: {folder.name}" in page.text
    assert "unfinished" in page.text
    assert "benign" not in re.findall(r'class="badge \w+">([^<]+)<', page.source)
    assert "Random labels, still being learnt" in page.text
    answer = page.source[page.source.index('<section id="answer">') : page.source.index('<section id="done">')]
    assert re.findall(r"<dd>(.*?)</dd>", answer) == [f"{100 * synthetic.RAW:.1f}\u00a0%"]


def test_run_without_measurements(tmp_path):
    folder = synthetic.benign(tmp_path)
    (folder / "metrics.jsonl").unlink()
    (folder / "views.npz").unlink()
    page = Page(write_page([folder], tmp_path / "page.html"))
    assert "curves" not in page.sections()
    missing = page.text[page.text.index("Not on this page") :]
    assert "measurements along training" in missing
    assert "sample views" in missing


def test_bare_config_is_enough(tmp_path):
    (tmp_path / "run").mkdir()
    synthetic.write_json(tmp_path / "run" / "config.json", {"experiment": "benign"})
    page = Page(write_page([tmp_path / "run"], tmp_path / "page.html"))
    assert "Not finished: run" in page.text


def test_errors(tmp_path):
    with pytest.raises(ValueError, match="at least one run folder"):
        write_page([], tmp_path / "page.html")
    folder = synthetic.benign(tmp_path)
    with pytest.raises(ValueError, match="twice"):
        write_page([folder, folder / "."], tmp_path / "page.html")
    with pytest.raises(RunFolderError, match=r"nowhere: not a run folder"):
        write_page([tmp_path / "nowhere"], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_failed_page_leaves_the_old_one(tmp_path):
    folder = synthetic.benign(tmp_path)
    path = write_page([folder], tmp_path / "page.html")
    before = path.read_bytes()
    (folder / "summary.json").write_text("{")
    with pytest.raises(RunFolderError, match=r"summary\.json: not readable as JSON"):
        write_page([folder], path)
    assert path.read_bytes() == before
